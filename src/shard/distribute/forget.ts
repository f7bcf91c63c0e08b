import { beginDrop, OBJECT, POLICY, recordDeferred } from '../../cluster/index.ts';
import { query, run } from '../../engine/spi.ts';
import { PgError } from '../../lib/pg-error.ts';
import { qualified } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { findDistributed, shardsOf, type DistributedTable, type Shard } from '../table/distributed-table.ts';
import { shardsMoving } from './failures.ts';
import { tryLockShardsOf } from '../table/locks.ts';
import { madeOn } from '../definition/make-shards.ts';

/** A key of a table that stays. */
const isReferenced = (
  relid: bigint,
  relids: readonly bigint[],
): { readonly key: string; readonly table: string } | undefined =>
  query<{ key: string; table: string }>(
    `select name as key, logicalrelid::text as "table" from _tessera_catalog.pg_dist_key
     where referenced::oid = $1::int8::oid and logicalrelid::oid <> all($2::int8[]::oid[]) limit 1`,
    [relid, relids],
  )[0];

/** Shards whose table is gone are dropped on their nodes once this transaction has committed. */
export const dropLater = (shards: readonly Shard[]): void => {
  if (shards.length === 0) return;
  recordDeferred(
    beginDrop(),
    shards.flatMap((s) =>
      s.groups.map((group) => ({ kind: OBJECT.shard, name: qualified(s), group, policy: POLICY.deferred })),
    ),
  );
};

/** Takes tables out of the catalog, which were dropped, or are about to be because a successor has their rows. */
export const forgetTables = (relids: readonly bigint[]): void => {
  for (const relid of relids) {
    const by = isReferenced(relid, relids);
    if (by !== undefined)
      throw new PgError({
        sqlstate: SQLSTATE.dependentObjectsStillExist,
        message: 'cannot drop a distributed table because another one refers to it',
        detail: `Foreign key "${by.key}" of table "${by.table}" depends on it.`,
        hint: `Run first: select drop_distributed_constraint('${by.table}', '${by.key}');`,
      });
  }
  if (!tryLockShardsOf(relids)) throw shardsMoving();
  for (const relid of relids) {
    const table = findDistributed(relid) as DistributedTable;
    dropLater(shardsOf(relid).map((s) => ({ ...s, groups: madeOn(table, s.groups) })));
    run('delete from _tessera_catalog.pg_dist_partition where logicalrelid::oid = $1::int8::oid', [relid]);
    // Changes of shards that are dropped anyway would wait for whoever has read them.
    run(
      'delete from _tessera_catalog.remote_command where transaction_id = pg_current_xact_id() and relid = $1::int8::oid',
      [relid],
    );
  }
  run(
    `delete from _tessera_catalog.pg_dist_colocation c
     where not exists (select from _tessera_catalog.pg_dist_partition p where p.colocationid = c.colocationid) and explicit`,
  );
};
