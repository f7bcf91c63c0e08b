import { one } from '../engine/spi.ts';
import { PgError } from '../lib/pg-error.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';

/** Nodes are the business of whoever may act as the owner of the extension. */
export const requireAdmin = (caller: string, what: string): void => {
  const { fit, owner } = one<{ fit: boolean; owner: string }>(
    `select coalesce(pg_has_role($1::name, current_user, 'USAGE'), false) as fit, current_user::text as owner`,
    [caller],
  );
  if (fit) return;
  throw new PgError({
    sqlstate: SQLSTATE.insufficientPrivilege,
    message: `permission denied to ${what}`,
    detail: `Only superusers and members of role "${owner}", which owns the extension, may do so.`,
  });
};
