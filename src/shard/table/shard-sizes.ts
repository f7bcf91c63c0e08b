import { primaryOfGroup, withNode } from '../../cluster/index.ts';
import { query } from '../../engine/spi.ts';
import { literal, qualified } from '../../lib/quote.ts';

export interface PlacementSize {
  readonly shardid: bigint;
  readonly groupid: number;
  /** Main fork, table with TOAST and maps, and all with indexes; bytes. */
  readonly relation: bigint;
  readonly table: bigint;
  readonly total: bigint;
}

/** Sizes of placements, asked from each node once. A shard that is not there counts nothing. */
export const sizesOf = (shardids: readonly bigint[]): PlacementSize[] => {
  if (shardids.length === 0) return [];
  const placements = query<{ shardid: bigint; groupid: number; schema: string; name: string }>(
    `select s.shardid, p.groupid, s.shard_schema as schema, s.shard_name as name
     from _tessera_catalog.pg_dist_shard s join _tessera_catalog.pg_dist_placement p using (shardid)
     where s.shardid = any($1) order by p.groupid, s.shardid`,
    [shardids],
  );
  return [...new Set(placements.map((p) => p.groupid))].flatMap((group) => {
    const node = primaryOfGroup(group);
    const here = placements.filter((p) => p.groupid === group);
    if (node === undefined) return [];
    const values = here.map((p) => `(${p.shardid}, ${literal(qualified(p))})`).join(', ');
    return withNode(node, (remote) =>
      remote
        .rows<{ id: number; relation: number; table: number; total: number }>(
          `select v.id, pg_catalog.pg_relation_size(c.o) as relation, pg_catalog.pg_table_size(c.o) as "table",
             pg_catalog.pg_total_relation_size(c.o) as total
           from (values ${values}) v(id, name), lateral (select pg_catalog.to_regclass(v.name) as o) c where c.o is not null`,
        )
        .map((r) => ({
          shardid: BigInt(r.id),
          groupid: group,
          relation: BigInt(r.relation),
          table: BigInt(r.table),
          total: BigInt(r.total),
        })),
    );
  });
};
