import { one } from '../../engine/spi.ts';
import { findRelation, type Relation } from '../../hypertable/index.ts';
import { displayed } from '../../lib/quote.ts';
import { notTableOwner, relationMissing } from '../../lib/failures.ts';

/** The table, if the caller of a request may act as its owner; current_user is the owner of the extension here. */
export const ownedRelation = (caller: string, relid: bigint): Relation => {
  const relation = findRelation(relid);
  if (relation === undefined) throw relationMissing(relid);
  const { fit } = one<{ fit: boolean }>(
    `select pg_has_role($1::name, c.relowner, 'USAGE') as fit from pg_class c where c.oid = $2::int8::oid`,
    [caller, relid],
  );
  if (!fit) throw notTableOwner(displayed(relation));
  return relation;
};
