import { query } from '../../engine/spi.ts';
import { rawHypertable, type Cagg } from '../query/cagg.ts';
import { partNames } from '../../hypertable/index.ts';
import { qualified, type RelationName } from '../../lib/quote.ts';
import type { RowsOf } from '../query/ranged-query.ts';
import type { Range } from '../../lib/internal-time.ts';

interface Part extends RelationName {
  readonly compressed: boolean;
}

/** Tables with the rows of the chunks that overlap a range, and views of the compressed ones. */
const partsOf = (rawId: number, range: Range): Part[] =>
  query<Part>(
    `select n.nspname as schema, r.relname as name, k.chunk_id is not null as compressed
     from _tessera_catalog.chunk c
     join _tessera_catalog.chunk_constraint t on t.chunk_id = c.id
     join _tessera_catalog.dimension_slice s on s.id = t.dimension_slice_id
     join _tessera_catalog.dimension d on d.id = s.dimension_id and d.interval_length is not null
     left join _tessera_catalog.compressed_chunk k on k.chunk_id = c.id,
       lateral (values (coalesce(k.tail, c.relid)), (k.rows_view)) x(relation)
     join pg_class r on r.oid = x.relation join pg_namespace n on n.oid = r.relnamespace
     where c.hypertable_id = $1 and not c.dropped and s.range_start < $3::int8 and s.range_end > $2::int8
     order by c.id`,
    [rawId, range.start, range.end],
  );

/**
 * The raw rows of a range for a transaction that is going to drop compressed chunks: it may not have read them over the
 * loopback connection, which would keep their locks. Undefined where none is compressed.
 */
export const localRows = (cagg: Cagg, range: Range): RowsOf | undefined => {
  if (cagg.parentId !== null) return undefined;
  const parts = partsOf(cagg.rawId, range);
  if (!parts.some((p) => p.compressed)) return undefined;
  const all: RelationName[] = [...parts, partNames(rawHypertable(cagg).hypertable).defaultPartition];
  return (columns, condition) =>
    all.map((p) => `select ${columns} from ${qualified(p)} where ${condition}`).join(' union all ');
};
