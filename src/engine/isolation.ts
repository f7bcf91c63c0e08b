import { PgError } from '../lib/pg-error.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { one } from './spi.ts';

/**
 * For work that copies all rows of a table and drops the original, the name of which is given: rows newer than the snapshot of a REPEATABLE READ
 * transaction would be lost, whatever locks it holds by then.
 */
export const requireReadCommitted = (what = 'rewrite a chunk'): void => {
  const { level, usual } = one<{ level: string; usual: string }>(
    `select current_setting('transaction_isolation') as level, current_setting('default_transaction_isolation') as usual`,
  );
  if (level === 'read committed' || level === 'read uncommitted') return;
  throw new PgError({
    sqlstate: SQLSTATE.activeSqlTransaction,
    message: `cannot ${what} in a transaction of isolation level ${level.toUpperCase()}`,
    detail: 'It would not see rows that were committed after its snapshot was taken.',
    hint: usual.startsWith('read')
      ? 'begin transaction isolation level read committed;'
      : `set default_transaction_isolation = 'read committed';`,
  });
};

/** Whether each statement sees what others have committed by then. */
export const isReadCommitted = (): boolean =>
  one<{ does: boolean }>(`select current_setting('transaction_isolation') like 'read %' as does`).does;
