-- Keys and foreign keys that the root gave up when compression was enabled: a foreign table among the partitions allows
-- neither. Each heap keeps them for itself, and a new one gets them from here.
create table _tessera_catalog.chunk_key (
  hypertable_id int not null references _tessera_catalog.hypertable (id) on delete cascade,
  name name not null,
  kind "char" not null check (kind in ('p', 'u', 'f', 'i')),
  definition text not null,
  columns name[] not null,
  primary key (hypertable_id, name)
);
comment on table _tessera_catalog.chunk_key is
  'keys that each chunk of a hypertable has for itself because the hypertable cannot: p primary key, u unique constraint, f foreign key, i unique index';
comment on column _tessera_catalog.chunk_key.definition is
  'what follows ADD CONSTRAINT <name>, or for an index what follows its table in CREATE UNIQUE INDEX';

create table _tessera_catalog.compression_settings (
  relid regclass primary key,
  hypertable_id int not null references _tessera_catalog.hypertable (id) on delete cascade,
  chunk_id int unique references _tessera_catalog.chunk (id) on delete cascade,
  compress_relid regclass unique,
  segmentby name[],
  orderby name[] not null,
  orderby_desc boolean[] not null,
  orderby_nullsfirst boolean[] not null,
  check (cardinality(orderby) = cardinality(orderby_desc) and cardinality(orderby) = cardinality(orderby_nullsfirst))
);
create index compression_settings_hypertable_id_idx on _tessera_catalog.compression_settings (hypertable_id);
comment on table _tessera_catalog.compression_settings is
  'how a hypertable (chunk_id is null) compresses its chunks, and how each compressed chunk was compressed';
comment on column _tessera_catalog.compression_settings.compress_relid is
  'table of the segments of a chunk';

-- generation counts what happened to the rows of the chunk as a whole. A decompression view names the generation it
-- reads; a snapshot that does not see that row here is too old for the segments.
create table _tessera_catalog.compressed_chunk (
  chunk_id int primary key references _tessera_catalog.chunk (id) on delete cascade,
  generation bigint not null default 1,
  tail regclass not null unique,
  remote regclass not null unique,
  residue regclass not null unique,
  rows_view regclass not null unique,
  slice_bounds bigint[] not null,
  reader regclass unique
);
comment on table _tessera_catalog.compressed_chunk is 'the relations a compressed chunk is made of';
comment on column _tessera_catalog.compressed_chunk.tail is 'heap that takes new rows until they are recompressed';
comment on column _tessera_catalog.compressed_chunk.remote is 'foreign table over the loopback server that reads rows_view';
comment on column _tessera_catalog.compressed_chunk.residue is 'rows of segments that were updated or deleted from, until they are recompressed';
comment on column _tessera_catalog.compressed_chunk.rows_view is 'decompression view: segments and residue as rows';
comment on column _tessera_catalog.compressed_chunk.reader is
  'view by which tessera_read reads the chunk; null after an update from 0.5.0 until create_read_view()';
comment on column _tessera_catalog.compressed_chunk.slice_bounds is
  'internal times between which segments do not reach over; the view has an arm for each slice, numbered from 0';

-- A row says by which body the view reads: a snapshot that does not see it is too old for that.
create table _tessera_catalog.read_view (
  hypertable_id int primary key references _tessera_catalog.hypertable (id) on delete cascade,
  relation regclass not null unique,
  source regprocedure not null unique,
  generation bigint not null
);
comment on table _tessera_catalog.read_view is 'views of schema tessera_read, which read hypertables without the loopback connection';
comment on column _tessera_catalog.read_view.source is 'function the view is made of; it is inlined where the view is read';
comment on column _tessera_catalog.read_view.generation is 'how often the function was made';

create table _tessera_catalog.compression_chunk_size (
  chunk_id int primary key references _tessera_catalog.chunk (id) on delete cascade,
  uncompressed_heap_size bigint not null,
  uncompressed_toast_size bigint not null,
  uncompressed_index_size bigint not null,
  compressed_heap_size bigint not null,
  compressed_toast_size bigint not null,
  compressed_index_size bigint not null,
  numrows_pre_compression bigint not null,
  numrows_post_compression bigint not null
);
comment on table _tessera_catalog.compression_chunk_size is
  'bytes of a chunk before it was compressed and just after, with its rows and segments';

create table _tessera_catalog.compression_algorithm (
  id smallint primary key,
  version smallint not null,
  name name not null unique,
  description text not null
);
comment on table _tessera_catalog.compression_algorithm is 'the algorithms a payload may say it was written by';
insert into _tessera_catalog.compression_algorithm (id, version, name, description) values
  (0, 1, 'COMPRESSION_ALGORITHM_NONE', 'no compression: a segmentby column'),
  (1, 1, 'COMPRESSION_ALGORITHM_ARRAY', 'values one after the other'),
  (2, 1, 'COMPRESSION_ALGORITHM_DICTIONARY', 'distinct values and, per row, which of them'),
  (3, 1, 'COMPRESSION_ALGORITHM_GORILLA', 'XOR of neighbouring floating-point numbers'),
  (4, 1, 'COMPRESSION_ALGORITHM_DELTADELTA', 'changes of the difference between neighbouring numbers'),
  (5, 1, 'COMPRESSION_ALGORITHM_BOOL', 'bits with run lengths'),
  (6, 1, 'COMPRESSION_ALGORITHM_DECIMAL', 'decimal fractions as integers of one scale');
