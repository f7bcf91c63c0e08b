/** Rows of _tessera_catalog as SPI delivers them: int4 as number, int8 as bigint, reg* and name as text. */
export interface HypertableRow {
  id: number;
  schema_name: string;
  table_name: string;
  relid: string;
  associated_schema_name: string;
  associated_table_prefix: string;
  num_dimensions: number;
  chunk_reloptions: string[] | null;
}

export interface DimensionRow {
  id: number;
  hypertable_id: number;
  column_name: string;
  column_type: string;
  aligned: boolean;
  num_slices: number | null;
  partitioning_func_schema: string | null;
  partitioning_func: string | null;
  interval_length: bigint | null;
  integer_now_func_schema: string | null;
  integer_now_func: string | null;
}

export interface DimensionSliceRow {
  id: number;
  dimension_id: number;
  range_start: bigint;
  range_end: bigint;
}

export interface ChunkRow {
  id: number;
  hypertable_id: number;
  schema_name: string;
  table_name: string;
  relid: string;
  compressed_chunk_id: number | null;
  dropped: boolean;
  status: number;
}

export interface ChunkConstraintRow {
  chunk_id: number;
  dimension_slice_id: number;
  constraint_name: string;
}

export interface TablespaceRow {
  id: number;
  hypertable_id: number;
  tablespace_name: string;
}

export interface MetadataRow {
  key: string;
  value: string;
  include_in_telemetry: boolean;
}

export interface Database {
  hypertable: HypertableRow;
  dimension: DimensionRow;
  dimension_slice: DimensionSliceRow;
  chunk: ChunkRow;
  chunk_constraint: ChunkConstraintRow;
  tablespace: TablespaceRow;
  metadata: MetadataRow;
}
