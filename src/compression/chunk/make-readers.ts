import { request } from '../../catalog/catalog-writer.ts';
import { query, run } from '../../engine/spi.ts';
import type { Hypertable } from '../../catalog/hypertable.ts';
import { relationOid } from '../../hypertable/index.ts';
import { findCompressed, openChunk, rangeOf, shapeOf } from '../segment/open-chunk.ts';
import { readerDdl } from '../segment/reader-ddl.ts';

/** What chunks that an earlier version compressed want of the views of tessera_read; as the owner of the hypertable. */
export const makeReaders = (hypertable: Hypertable): void => {
  const chunks = query<{ id: number; oid: bigint }>(
    `select c.id, c.relid::oid::int8 as oid from _tessera_catalog.chunk c
     join _tessera_catalog.compressed_chunk k on k.chunk_id = c.id
     where c.hypertable_id = $1 and not exists (select from pg_class r where r.oid = k.reader) order by c.id`,
    [hypertable.id],
  );
  for (const { id, oid } of chunks) {
    const compressed = findCompressed(id);
    if (compressed === undefined) continue;
    const chunk = openChunk(oid, 'chunk');
    const { parts, settings, bounds, generation } = compressed;
    const shape = shapeOf(chunk, settings, bounds, parts.segments);
    for (const ddl of readerDdl({ ...parts, chunkId: id, generation }, shape, rangeOf(chunk))) run(ddl);
    request('repair_chunk', {
      hypertable_id: hypertable.id,
      chunk_id: id,
      reader: relationOid(parts.reader.schema, parts.reader.name),
    });
  }
};
