import { activePrimaries, type Node } from '../../cluster/index.ts';
import { maybeOne, one, query, run } from '../../engine/spi.ts';
import { displayed } from '../../lib/quote.ts';
import { openDistributed } from './distributed-table.ts';
import { cannotColocate, groupBusy, noNodes } from './failures.ts';
import { lockGroup, lockGroupCreation } from './locks.ts';

export interface Wanted {
  /** Name for messages. */
  readonly table: string;
  /** Type and collation of the distribution column; null for a table of one shard. */
  readonly type: bigint | null;
  readonly collation: bigint | null;
  /** none, default, or the OID of a table. */
  readonly with: 'none' | 'default' | bigint;
  readonly shardCount: number | null;
}

export interface Group {
  readonly id: number;
  readonly shardCount: number;
  readonly created: boolean;
}

const createGroup = (w: Wanted, shardCount: number, explicit: boolean): Group => ({
  ...one<{ id: number }>(
    `insert into _tessera_catalog.pg_dist_colocation
       (shardcount, replicationfactor, distributioncolumntype, distributioncolumncollation, explicit)
     values ($1, 1, nullif($2::int8, 0)::oid, nullif($3::int8, 0)::oid, $4) returning colocationid as id`,
    [shardCount, w.type ?? 0n, w.collation ?? 0n, explicit],
  ),
  shardCount,
  created: true,
});

const join = (w: Wanted, id: number, shardCount: number): Group => {
  if (!lockGroup(id)) throw groupBusy(w.table);
  return { id, shardCount, created: false };
};

const joinTable = (w: Wanted, other: bigint): Group => {
  const { table, root } = openDistributed(other);
  const name = displayed(root);
  if (table.model === 't') throw cannotColocate(w.table, name, `"${name}" is a reference table.`);
  const group = one<{ shardcount: number; same: boolean }>(
    `select shardcount, coalesce(distributioncolumntype::oid::int8, 0) = $2 and coalesce(distributioncolumncollation::oid::int8, 0) = $3 as same
     from _tessera_catalog.pg_dist_colocation where colocationid = $1`,
    [table.group, w.type ?? 0n, w.collation ?? 0n],
  );
  if (!group.same) throw cannotColocate(w.table, name, 'Distribution columns are not of the same type and collation.');
  return join(w, table.group, group.shardcount);
};

/** The group a new table goes to. Groups that were made for one table alone are never chosen for another by default. */
export const chooseGroup = (w: Wanted, usual: number): Group => {
  if (typeof w.with === 'bigint') return joinTable(w, w.with);
  const shardCount = w.type === null ? 1 : (w.shardCount ?? usual);
  if (w.with === 'none' || w.type === null) return createGroup(w, shardCount, true);
  lockGroupCreation();
  const known = maybeOne<{ id: number }>(
    `select colocationid as id from _tessera_catalog.pg_dist_colocation
     where shardcount = $1 and replicationfactor = 1 and not explicit
       and coalesce(distributioncolumntype::oid::int8, 0) = $2 and coalesce(distributioncolumncollation::oid::int8, 0) = $3
     order by colocationid limit 1`,
    [shardCount, w.type ?? 0n, w.collation ?? 0n],
  );
  return known === undefined ? createGroup(w, shardCount, false) : join(w, known.id, shardCount);
};

/** Node groups for the shards of a new table, by remainder: those of the group's tables, or dealt out in turn. */
export const placementsFor = (group: Group): number[] => {
  const others = query<{ remainder: number | null; groupid: number }>(
    `select s.remainder, p.groupid from _tessera_catalog.pg_dist_shard s
     join _tessera_catalog.pg_dist_placement p using (shardid)
     where s.logicalrelid = (select logicalrelid from _tessera_catalog.pg_dist_partition where colocationid = $1 limit 1)
     order by s.remainder, p.placementid`,
    [group.id],
  );
  if (others.length > 0) return others.map((o) => o.groupid);
  // Nodes may not come or go while shards are dealt out.
  run('lock table _tessera_catalog.pg_dist_node in row share mode');
  const nodes: Node[] = activePrimaries().filter((n) => n.shouldHaveShards);
  if (nodes.length === 0) throw noNodes();
  const first = group.shardCount === 1 ? group.id : 0;
  return Array.from({ length: group.shardCount }, (_, i) => (nodes[(first + i) % nodes.length] as Node).group);
};
