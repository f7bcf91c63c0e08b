import { request } from '../../catalog/catalog-writer.ts';
import { maybeOne, one, query, run } from '../../engine/spi.ts';
import { withLockRetry } from '../../engine/lock-retry.ts';
import { inMaintenance } from '../../engine/session.ts';
import { displayed, qualified, type RelationName } from '../../lib/quote.ts';
import { flushCapture } from '../capture/capture.ts';
import type { SelectedChunk } from '../dimension/chunk-bounds.ts';
import { dropMaterialized, refreshBeforeDrop, type Materializations } from './materializations.ts';
import type { OpenHypertable } from '../dimension/open-hypertable.ts';
import { partNames } from '../table/partition-ddl.ts';

/** The partitions of the root to which chunks belong: the chunks themselves, or the parents of their hash partitions. */
const partitionsOf = (root: bigint, chunks: readonly bigint[]): RelationName[] =>
  query<RelationName>(
    `select n.nspname as schema, c.relname as name
     from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
     where i.inhparent = $1::int8::oid
       and exists (select from pg_partition_tree(i.inhrelid) t where t.relid::oid::int8 = any($2::int8[]))
     order by c.oid`,
    [root, chunks],
  );

/** Ids of the chunks that go with partitions. */
const chunksOf = (partitions: readonly RelationName[]): number[] =>
  query<{ id: number }>(
    `select k.id from unnest($1::text[]) p, pg_partition_tree(p::regclass) t
     join _tessera_catalog.chunk k on k.relid = t.relid order by k.id`,
    [partitions.map(qualified)],
  ).map((c) => c.id);

/** The times of chunks, as text of an int8multirange. */
const rangesOf = (ids: readonly number[]): string =>
  one<{ ranges: string }>(
    `select coalesce(range_agg(_tessera_functions.change_range(r.lowest, r.highest)), '{}')::text as ranges
     from unnest($1::int[]) c, _tessera_functions.chunk_range(c) r`,
    [ids],
  ).ranges;

/** Segments are no partitions, so they do not go along by themselves; a view on them stops it unless `cascade`. */
const dropCompressedParts = (root: bigint, partition: RelationName, cascade: boolean): void => {
  run(
    `select _tessera_functions.drop_compressed_parts(array(
       select k.id from _tessera_catalog.chunk k join pg_partition_tree($1::regclass) t on t.relid = k.relid
       join _tessera_catalog.hypertable h on h.id = k.hypertable_id and h.relid::oid::int8 = $2::int8), $3)`,
    [qualified(partition), root, cascade],
  );
};

/** Drops chunks under ACCESS EXCLUSIVE on root and default partition; `say` hears of each. */
export const dropChunks = (
  open: OpenHypertable,
  chunks: readonly SelectedChunk[],
  cascade: boolean,
  say: (message: string) => void,
  results: Materializations = { kind: 'stale' },
): void => {
  if (chunks.length === 0) return;
  const { hypertable, root } = open;
  const oids = chunks.map((c) => c.oid);
  // A partition that a foreign key points at must be detached first: that checks that no row is referenced.
  const referenced =
    maybeOne(`select from pg_constraint where confrelid = $1::int8::oid and contype = 'f' limit 1`, [root.oid]) !==
    undefined;
  inMaintenance(() =>
    withLockRetry(() => {
      flushCapture(
        hypertable,
        chunks.map((c) => c.id),
      );
      if (results.kind === 'keep' || results.kind === 'freeze') {
        const before = partitionsOf(root.oid, oids);
        refreshBeforeDrop(open, before, rangesOf(chunksOf(before)), results);
      }
      request('lock_read_view', { hypertable_id: hypertable.id });
      run(`lock table only ${qualified(root)} in access exclusive mode`);
      run(`lock table only ${qualified(partNames(hypertable).defaultPartition)} in access exclusive mode`);
      const partitions = partitionsOf(root.oid, oids);
      const ids = chunksOf(partitions);
      if (results.kind === 'delete') dropMaterialized(open, rangesOf(ids));
      for (const partition of partitions) {
        say(`dropping chunk ${displayed(partition)}`);
        dropCompressedParts(root.oid, partition, cascade);
      }
      // What the catalog has forgotten by the time its table is dropped is not logged.
      if (results.kind !== 'stale')
        request('retire_chunks', {
          hypertable_id: hypertable.id,
          chunks: ids,
          keep: results.kind === 'keep' || results.kind === 'freeze',
        });
      for (const partition of partitions) {
        if (referenced) run(`alter table ${qualified(root)} detach partition ${qualified(partition)}`);
        run(`drop table ${qualified(partition)}${cascade ? ' cascade' : ''}`);
      }
      run('select _tessera_functions.forget_dropped()');
    }),
  );
};
