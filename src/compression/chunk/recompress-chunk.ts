import { request } from '../../catalog/catalog-writer.ts';
import { withLockRetry } from '../../engine/lock-retry.ts';
import { inMaintenance } from '../../engine/session.ts';
import { maybeOne, one, run } from '../../engine/spi.ts';
import { flushCapture } from '../../hypertable/index.ts';
import { ident, qualified } from '../../lib/quote.ts';
import { encoding } from './compress-chunk.ts';
import { lockParts } from './decompress-chunk.ts';
import { shapeOf, type Compressed, type OpenChunk } from '../segment/open-chunk.ts';
import {
  columnNames,
  compressedRows,
  createRowsView,
  insertSegments,
  sliceOf,
  type SegmentsShape,
} from '../segment/segments-ddl.ts';

const DEAD = 'c._ts_meta_dead is not null';

/** Rows beside the segments, or segments that were taken apart. */
export const needsRecompression = ({ parts }: Compressed): boolean =>
  maybeOne(
    `select from (
       (select from only ${qualified(parts.tail)} limit 1) union all (select from ${qualified(parts.residue)} limit 1)
       union all (select from ${qualified(parts.segments)} c where ${DEAD} limit 1)) x limit 1`,
  ) !== undefined;

const GROUPS = 'pg_temp.tessera_groups';

/** Combinations of the segmentby columns and slices that have anything beside whole segments. */
const collectGroups = ({ parts }: Compressed, s: SegmentsShape): void => {
  const by = s.settings.segmentBy.map(ident);
  const rows = [...by, `${sliceOf(s)} as _ts_meta_slice`].join(', ');
  run(`create temporary table tessera_groups as
    select ${rows} from only ${qualified(parts.tail)}
    union select ${rows} from ${qualified(parts.residue)}
    union select ${[...by.map((c) => `c.${c}`), 'c._ts_meta_slice'].join(', ')} from ${qualified(parts.segments)} c where ${DEAD}`);
  run('analyze pg_temp.tessera_groups');
};

const inGroups = (s: SegmentsShape): string => {
  const same = s.settings.segmentBy
    .map((name) => {
      // A domain over an enum has no operators of its own.
      const column = s.columns.find((c) => c.name === name);
      const base = column === undefined || column.type.startsWith(column.baseType) ? '' : `::${column.baseType}`;
      return ` and g.${ident(name)}${base} is not distinct from c.${ident(name)}${base}`;
    })
    .join('');
  return `exists (select from ${GROUPS} g where g._ts_meta_slice = c._ts_meta_slice${same})`;
};

/** Segments of other slices of a group keep their numbers' order; the numbers themselves begin anew. */
const renumber = ({ parts }: Compressed, s: SegmentsShape): void => {
  const by = s.settings.segmentBy.map(ident);
  const time = s.settings.orderBy.find((o) => o.column === s.timeColumn);
  const over = `${by.length === 0 ? '' : `partition by ${by.join(', ')} `}order by _ts_meta_slice${
    time?.descending === true ? ' desc' : ''
  }, _ts_meta_sequence_num`;
  run(`update ${qualified(parts.segments)} c set _ts_meta_sequence_num = n.number
    from (select _ts_meta_id as id, 10 * row_number() over (${over}) as number from ${qualified(parts.segments)}) n
    where n.id = c._ts_meta_id and n.number <> c._ts_meta_sequence_num`);
};

/**
 * Merges the tail and the residue into segments, rewriting only the groups they belong to. Runs as the owner of the
 * hypertable; false when there was nothing to merge.
 */
export const recompressChunk = (chunk: OpenChunk, compressed: Compressed): boolean =>
  inMaintenance(() => {
    const { parts, settings, bounds } = compressed;
    lockParts(chunk, compressed);
    flushCapture(chunk.hypertable, [chunk.id]);
    if (!needsRecompression(compressed)) return false;
    const s = shapeOf(chunk, settings, bounds, parts.segments);
    collectGroups(compressed, s);
    const { last } = one<{ last: bigint }>(
      `select coalesce(max(_ts_meta_id), 0) as last from ${qualified(parts.segments)}`,
    );
    const rows = compressedRows(parts.segments, parts.residue, s, { segment: inGroups(s), residue: '' });
    const source = `${rows} union all select ${columnNames(s)} from only ${qualified(parts.tail)}`;
    encoding(() => run(insertSegments(parts.segments, s, source)));
    run(`delete from ${qualified(parts.segments)} c where c._ts_meta_id <= ${last} and ${inGroups(s)}`);
    run(`drop table ${GROUPS}`);
    renumber(compressed, s);
    run(`analyze ${qualified(parts.segments)}`);
    const merged = one<{ rows: bigint; segments: bigint }>(
      `select coalesce(sum(_ts_meta_count), 0) as rows, count(*) as segments from ${qualified(parts.segments)}`,
    );
    withLockRetry(() => {
      // A statement that sees the tail full must not see the merged segments as well, so no statement may be between.
      run(`lock table only ${qualified(parts.tail)} in access exclusive mode`);
      run(`truncate only ${qualified(parts.tail)}, ${qualified(parts.residue)}`);
      request('recompress_chunk', { hypertable_id: chunk.hypertable.id, chunk_id: chunk.id, ...merged });
      run(createRowsView({ ...parts, chunkId: chunk.id, generation: compressed.generation + 1n }, s));
    });
    return true;
  });
