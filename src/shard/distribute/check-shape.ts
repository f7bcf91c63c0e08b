import { maybeOne } from '../../engine/spi.ts';
import type { DistributedTable } from '../table/distributed-table.ts';
import { generatedBesideRow, ownerChanged, partitionsChanged, uniqueOnTable } from './failures.ts';

/** A partition that is no shard, or a shard that is no partition. */
const strayPartition = (relid: bigint): string | undefined =>
  maybeOne<{ name: string }>(
    `select i.inhrelid::regclass::text as name from pg_inherits i where i.inhparent = $1::int8::oid
       and not exists (select from _tessera_catalog.pg_dist_shard s where s.local_relid = i.inhrelid)
     union all
     select s.local_relid::text from _tessera_catalog.pg_dist_shard s where s.logicalrelid::oid = $1::int8::oid and s.local_relid is not null
       and not exists (select from pg_inherits i where i.inhrelid = s.local_relid and i.inhparent = s.logicalrelid) limit 1`,
    [relid],
  )?.name;

/** One that was made with ONLY: it watches over nothing, and no foreign table could become a partition any more. */
const uniqueIndex = (relid: bigint): string | undefined =>
  maybeOne<{ name: string }>(
    `select r.relname as name from pg_index i join pg_class r on r.oid = i.indexrelid
     where i.indrelid = $1::int8::oid and (i.indisunique or i.indisexclusion) limit 1`,
    [relid],
  )?.name;

/** ALTER TABLE adds one to a table that is divided by its whole row, but a dump could not be restored. */
const generatedInKey = (relid: bigint): string | undefined =>
  maybeOne<{ name: string }>(
    `select a.attname as name from pg_partitioned_table p join pg_attribute a on a.attrelid = p.partrelid
     where p.partrelid = $1::int8::oid and p.partexprs::text ~ ':varattno 0 ' and a.attgenerated <> '' and not a.attisdropped limit 1`,
    [relid],
  )?.name;

/** Refuses what shards cannot follow. */
export const checkShape = (t: DistributedTable, name: string): void => {
  if (t.model === 's') {
    const stray = strayPartition(t.relid);
    if (stray !== undefined) throw partitionsChanged(name, stray);
    const unique = uniqueIndex(t.relid);
    if (unique !== undefined) throw uniqueOnTable(name, unique);
    const generated = generatedInKey(t.relid);
    if (generated !== undefined) throw generatedBesideRow(name, generated);
  }
  const owner = maybeOne(
    `select from pg_class c join _tessera_catalog.pg_dist_partition p on p.logicalrelid = c.oid
     where c.oid = $1::int8::oid and p.owner::oid <> c.relowner`,
    [t.relid],
  );
  if (owner !== undefined) throw ownerChanged(name);
};
