import { one, query } from '../../engine/spi.ts';
import { PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { keysOf } from '../definition/definition.ts';
import { findDistributed } from '../table/distributed-table.ts';

const isReferenced = (relid: bigint): boolean =>
  one<{ n: bigint }>(
    `select count(*) as n from _tessera_catalog.pg_dist_key where referenced::oid = $1::int8::oid and logicalrelid::oid <> $1::int8::oid`,
    [relid],
  ).n > 0n;

/** Foreign keys to reference tables, which are tables of the coordinator as well, are no hindrance. */
const refersToShards = (relid: bigint): boolean =>
  keysOf(relid).some(
    (k) =>
      k.kind === 'f' && k.referenced !== null && k.referenced !== relid && findDistributed(k.referenced)?.model !== 't',
  );

/** The successor of a table has another OID and other shards, so foreign keys would point at nothing. */
export const requireUnrelated = (relid: bigint, name: string, hint: string): void => {
  const refers = refersToShards(relid);
  if (!refers && !isReferenced(relid)) return;
  throw new PgError({
    sqlstate: SQLSTATE.dependentObjectsStillExist,
    message: `table "${name}" cannot be rebuilt because it ${refers ? 'has a foreign key' : 'is referenced by a foreign key'}`,
    hint,
  });
};

interface Edge {
  readonly from: bigint;
  readonly to: bigint;
}

/** A distributed table and all that foreign keys connect with it, however far. */
export const connectedTables = (relid: bigint): bigint[] => {
  const edges = query<Edge>(
    `select k.logicalrelid::oid::int8 as "from", k.referenced::oid::int8 as "to" from _tessera_catalog.pg_dist_key k
     join _tessera_catalog.pg_dist_partition p on p.logicalrelid = k.referenced
     where k.kind = 'f' and p.repmodel = 's' and k.logicalrelid <> k.referenced`,
  );
  const found = [relid];
  for (const table of found)
    for (const e of edges)
      for (const next of [...(e.from === table ? [e.to] : []), ...(e.to === table ? [e.from] : [])])
        if (!found.includes(next)) found.push(next);
  return found;
};
