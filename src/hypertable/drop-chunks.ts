import { maybeOne, query, run } from '../engine/spi.ts';
import { withLockRetry } from '../engine/lock-retry.ts';
import { inMaintenance } from '../engine/session.ts';
import { displayed, qualified, type RelationName } from '../lib/quote.ts';
import { flushCapture } from './capture.ts';
import type { SelectedChunk } from './chunk-bounds.ts';
import type { OpenHypertable } from './open-hypertable.ts';
import { partNames } from './partition-ddl.ts';

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
  { hypertable, root }: OpenHypertable,
  chunks: readonly SelectedChunk[],
  cascade: boolean,
  say: (message: string) => void,
): void => {
  if (chunks.length === 0) return;
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
      run(`lock table only ${qualified(root)} in access exclusive mode`);
      run(`lock table only ${qualified(partNames(hypertable).defaultPartition)} in access exclusive mode`);
      for (const partition of partitionsOf(
        root.oid,
        chunks.map((c) => c.oid),
      )) {
        say(`dropping chunk ${displayed(partition)}`);
        dropCompressedParts(root.oid, partition, cascade);
        if (referenced) run(`alter table ${qualified(root)} detach partition ${qualified(partition)}`);
        run(`drop table ${qualified(partition)}${cascade ? ' cascade' : ''}`);
      }
    }),
  );
};
