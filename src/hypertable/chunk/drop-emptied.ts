/** TRUNCATE leaves chunks without rows, which go at commit. */
import type { Hypertable } from '../../catalog/hypertable.ts';
import { debug, isCancel, one, query, run, subtransaction, warning } from '../../engine/spi.ts';
import type { SelectedChunk } from '../dimension/chunk-bounds.ts';
import { timeDimension } from '../dimension/dimensions.ts';
import { dropChunks } from './drop-chunks.ts';
import type { OpenHypertable } from '../dimension/open-hypertable.ts';
import { truncatedSetting } from '../table/partition-ddl.ts';
import { isNotNow } from './place-rows.ts';

/**
 * Chunks of slices without any row. TRUNCATE gave each of them a new file under a lock that is still held: what is in it
 * was written since, by this transaction. Chunks that it created itself are not what was truncated.
 */
const emptied = (h: Hypertable): SelectedChunk[] =>
  query<SelectedChunk>(
    `select id, schema, name, oid from (
       select c.id, c.schema_name as schema, c.table_name as name, c.relid::oid::int8 as oid,
         bool_and(pg_relation_size(c.relid) = 0 and c.creation_time < transaction_timestamp() and z.chunk_id is null)
           over (partition by k.dimension_slice_id) as empty
       from _tessera_catalog.chunk c
       join _tessera_catalog.chunk_constraint k on k.chunk_id = c.id
       join _tessera_catalog.dimension_slice s on s.id = k.dimension_slice_id and s.dimension_id = $2
       left join _tessera_catalog.compressed_chunk z on z.chunk_id = c.id
       where c.hypertable_id = $1 and not c.dropped) x
     where empty order by id`,
    [h.id, timeDimension(h).id],
  );

/** Drops what this transaction has truncated, if it has. Chunks that cannot be dropped stay, without rows. */
export const dropEmptied = (open: OpenHypertable): void => {
  const setting = truncatedSetting(open.hypertable.id);
  if (one<{ on: boolean }>(`select current_setting($1, true) = 'on' is true as on`, [setting]).on !== true) return;
  run('select set_config($1, $2, true)', [setting, '']);
  try {
    subtransaction(() => dropChunks(open, emptied(open.hypertable), false, debug, { kind: 'logged' }));
  } catch (e) {
    if (isCancel(e)) throw e;
    (isNotNow(e) ? debug : warning)(`truncated chunks stay without rows: ${(e as Error).message}`);
  }
};
