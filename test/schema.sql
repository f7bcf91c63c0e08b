CREATE SCHEMA _tessera_catalog;
COMMENT ON SCHEMA _tessera_catalog IS 'metadata of hypertables, readable by everybody, written by tessera alone';
CREATE SCHEMA _tessera_functions;
COMMENT ON SCHEMA _tessera_functions IS 'internal functions and types of tessera';
CREATE SCHEMA tessera;
COMMENT ON SCHEMA tessera IS 'care of the extension itself';
CREATE SCHEMA tessera_information;
COMMENT ON SCHEMA tessera_information IS 'views about hypertables, dimensions and chunks';
CREATE SCHEMA tessera_read;
COMMENT ON SCHEMA tessera_read IS 'views of hypertables with compression, which decode compressed rows in the session that reads them';
CREATE TYPE _tessera_catalog.citus_job_status AS ENUM (
    'scheduled',
    'running',
    'finished',
    'cancelling',
    'cancelled',
    'failing',
    'failed'
);
CREATE TYPE _tessera_catalog.citus_task_status AS ENUM (
    'blocked',
    'runnable',
    'running',
    'done',
    'cancelling',
    'error',
    'unscheduled',
    'cancelled'
);
CREATE TYPE _tessera_catalog.distribution_type AS ENUM (
    'hash',
    'range',
    'append'
);
CREATE TYPE _tessera_catalog.noderole AS ENUM (
    'primary',
    'secondary',
    'unavailable'
);
CREATE TYPE _tessera_catalog.shard_transfer_mode AS ENUM (
    'auto',
    'force_logical',
    'block_writes'
);
CREATE TYPE _tessera_functions.bookend AS (
	keyed boolean,
	by_type regtype,
	by_text text,
	value_text text
);
CREATE TYPE _tessera_functions.dimension_info AS (
	kind text,
	column_name name,
	partition_interval text,
	interval_type regtype,
	number_partitions integer,
	partition_func regproc
);
COMMENT ON TYPE _tessera_functions.dimension_info IS 'a dimension described by by_range() or by_hash(), for create_hypertable() and add_dimension()';
CREATE TABLE _tessera_catalog.continuous_agg (
    mat_hypertable_id integer NOT NULL,
    raw_hypertable_id integer NOT NULL,
    parent_mat_hypertable_id integer,
    user_view regclass NOT NULL,
    user_view_schema name NOT NULL,
    user_view_name name NOT NULL,
    partial_view regclass NOT NULL,
    partial_view_schema name NOT NULL,
    partial_view_name name NOT NULL,
    direct_view regclass NOT NULL,
    direct_view_schema name NOT NULL,
    direct_view_name name NOT NULL,
    materialized_only boolean NOT NULL,
    refresh_lag bigint,
    max_interval_per_job bigint,
    ignore_invalidation_older_than bigint DEFAULT '9223372036854775807'::bigint NOT NULL,
    CONSTRAINT continuous_agg_ignore_invalidation_older_than_check CHECK ((ignore_invalidation_older_than >= 0)),
    CONSTRAINT continuous_agg_max_interval_per_job_check CHECK ((max_interval_per_job > 0))
);
COMMENT ON TABLE _tessera_catalog.continuous_agg IS 'one row per continuous aggregate';
COMMENT ON COLUMN _tessera_catalog.continuous_agg.parent_mat_hypertable_id IS 'materialization hypertable of the continuous aggregate this one reads, equal to raw_hypertable_id; null where it reads a hypertable of the user';
COMMENT ON COLUMN _tessera_catalog.continuous_agg.user_view IS 'view that answers queries: what is materialized and, unless materialized_only, the rest from the raw rows';
COMMENT ON COLUMN _tessera_catalog.continuous_agg.partial_view IS 'query of the user with the columns of the materialization hypertable';
COMMENT ON COLUMN _tessera_catalog.continuous_agg.direct_view IS 'query of the user as it was given';
COMMENT ON COLUMN _tessera_catalog.continuous_agg.refresh_lag IS 'how far behind now its own job stays; null without one';
COMMENT ON COLUMN _tessera_catalog.continuous_agg.max_interval_per_job IS 'most that one transaction of a refresh materializes; null means what reads some five million rows, and twenty buckets at least';
COMMENT ON COLUMN _tessera_catalog.continuous_agg.ignore_invalidation_older_than IS 'changes of rows that were older than this when they were changed do not count; the greatest int8 means all count';
CREATE TABLE _tessera_catalog.hypertable (
    id integer NOT NULL,
    schema_name name NOT NULL,
    table_name name NOT NULL,
    relid regclass NOT NULL,
    associated_schema_name name NOT NULL,
    associated_table_prefix name NOT NULL,
    num_dimensions smallint NOT NULL,
    chunk_reloptions text[],
    CONSTRAINT hypertable_num_dimensions_check CHECK ((num_dimensions > 0)),
    CONSTRAINT hypertable_schema_name_check CHECK ((schema_name <> '_tessera_catalog'::name))
);
COMMENT ON TABLE _tessera_catalog.hypertable IS 'one row per hypertable';
COMMENT ON COLUMN _tessera_catalog.hypertable.chunk_reloptions IS 'storage parameters the table had when it became a hypertable; every chunk gets them';
CREATE TABLE _tessera_catalog.bgw_job (
    id integer NOT NULL,
    application_name name NOT NULL,
    job_type name,
    schedule_interval interval NOT NULL,
    max_runtime interval DEFAULT '00:00:00'::interval NOT NULL,
    max_retries integer DEFAULT '-1'::integer NOT NULL,
    retry_period interval DEFAULT '00:05:00'::interval NOT NULL,
    proc_schema name NOT NULL,
    proc_name name NOT NULL,
    owner regrole DEFAULT (CURRENT_USER)::regrole NOT NULL,
    scheduled boolean DEFAULT true NOT NULL,
    fixed_schedule boolean DEFAULT true NOT NULL,
    initial_start timestamp with time zone,
    hypertable_id integer,
    config jsonb,
    check_schema name,
    check_name name,
    timezone text,
    own_procedure regprocedure,
    CONSTRAINT bgw_job_check CHECK (((check_schema IS NULL) = (check_name IS NULL))),
    CONSTRAINT bgw_job_max_retries_check CHECK ((max_retries >= '-1'::integer)),
    CONSTRAINT bgw_job_retry_period_check CHECK ((retry_period >= '00:00:00'::interval)),
    CONSTRAINT bgw_job_schedule_interval_check CHECK ((schedule_interval > '00:00:00'::interval)),
    CONSTRAINT valid_job_type CHECK ((job_type = ANY (ARRAY['telemetry_and_version_check_if_enabled'::name, 'reorder'::name, 'drop_chunks'::name, 'continuous_aggregate'::name, 'compress_chunks'::name])))
);
COMMENT ON TABLE _tessera_catalog.bgw_job IS 'scheduled jobs; a max_runtime of 0 means no limit, max_retries of -1 likewise';
COMMENT ON COLUMN _tessera_catalog.bgw_job.own_procedure IS 'the procedure, if it belonged to the owner of the job when that was added: the job follows it to another owner';
CREATE TABLE _tessera_catalog.pg_dist_background_job (
    job_id bigint NOT NULL,
    state _tessera_catalog.citus_job_status DEFAULT 'scheduled'::_tessera_catalog.citus_job_status NOT NULL,
    job_type name NOT NULL,
    description text NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    owner regrole DEFAULT (CURRENT_USER)::regrole NOT NULL
);
COMMENT ON TABLE _tessera_catalog.pg_dist_background_job IS 'one-shot background jobs; the state is a function of the states of their tasks';
COMMENT ON COLUMN _tessera_catalog.pg_dist_background_job.owner IS 'who made the job and may add tasks to it';
CREATE TABLE _tessera_catalog.pg_dist_background_task (
    job_id bigint NOT NULL,
    task_id bigint NOT NULL,
    owner regrole DEFAULT (CURRENT_USER)::regrole NOT NULL,
    pid integer,
    status _tessera_catalog.citus_task_status DEFAULT 'runnable'::_tessera_catalog.citus_task_status NOT NULL,
    command text NOT NULL,
    retry_count integer,
    not_before timestamp with time zone,
    message text DEFAULT ''::text NOT NULL,
    nodes_involved integer[]
);
COMMENT ON TABLE _tessera_catalog.pg_dist_background_task IS 'commands of background jobs; each runs once, as its owner, in a transaction of its own';
COMMENT ON COLUMN _tessera_catalog.pg_dist_background_task.pid IS 'backend of the executor while the task is running';
COMMENT ON COLUMN _tessera_catalog.pg_dist_background_task.message IS 'what the last attempt said';
COMMENT ON COLUMN _tessera_catalog.pg_dist_background_task.nodes_involved IS 'nodes whose limit of concurrent tasks this one counts against';
CREATE SEQUENCE _tessera_catalog.bgw_job_id_seq
    AS integer
    START WITH 1000
    INCREMENT BY 1
    MINVALUE 1000
    NO MAXVALUE
    CACHE 1
    CYCLE;
ALTER SEQUENCE _tessera_catalog.bgw_job_id_seq OWNED BY _tessera_catalog.bgw_job.id;
CREATE TABLE _tessera_catalog.bgw_job_stat (
    job_id integer NOT NULL,
    last_start timestamp with time zone DEFAULT now() NOT NULL,
    last_finish timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    next_start timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    last_successful_finish timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    last_run_success boolean DEFAULT false NOT NULL,
    total_runs bigint DEFAULT 0 NOT NULL,
    total_duration interval DEFAULT '00:00:00'::interval NOT NULL,
    total_duration_failures interval DEFAULT '00:00:00'::interval NOT NULL,
    total_successes bigint DEFAULT 0 NOT NULL,
    total_failures bigint DEFAULT 0 NOT NULL,
    total_crashes bigint DEFAULT 0 NOT NULL,
    consecutive_failures integer DEFAULT 0 NOT NULL,
    consecutive_crashes integer DEFAULT 0 NOT NULL,
    flags integer DEFAULT 0 NOT NULL,
    pid integer,
    autonomous boolean DEFAULT false NOT NULL,
    cancelled_at timestamp with time zone,
    lost_at timestamp with time zone
)
WITH (fillfactor='70');
COMMENT ON TABLE _tessera_catalog.bgw_job_stat IS 'what became of the runs of a job; the start of a run is committed before it runs, so that a crash can be told from a failure';
COMMENT ON COLUMN _tessera_catalog.bgw_job_stat.flags IS 'bit 1: the last crash is already in the history';
COMMENT ON COLUMN _tessera_catalog.bgw_job_stat.pid IS 'backend of the run under way';
COMMENT ON COLUMN _tessera_catalog.bgw_job_stat.autonomous IS 'the procedure ends transactions by itself, so it runs without an exception handler around it';
COMMENT ON COLUMN _tessera_catalog.bgw_job_stat.cancelled_at IS 'when the run under way was cancelled because of max_runtime';
COMMENT ON COLUMN _tessera_catalog.bgw_job_stat.lost_at IS 'when the session of a run that ends transactions by itself was found gone; its error is looked for before it counts as a crash';
CREATE TABLE _tessera_catalog.bgw_job_stat_history (
    id bigint NOT NULL,
    job_id integer NOT NULL,
    pid integer,
    execution_start timestamp with time zone NOT NULL,
    execution_finish timestamp with time zone,
    succeeded boolean,
    data jsonb NOT NULL
);
COMMENT ON TABLE _tessera_catalog.bgw_job_stat_history IS 'failed and crashed runs, and successful ones when enable_job_execution_logging is on; a crash has no pid and no end';
ALTER TABLE _tessera_catalog.bgw_job_stat_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME _tessera_catalog.bgw_job_stat_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE _tessera_catalog.bgw_policy_chunk_stats (
    job_id integer NOT NULL,
    chunk_id integer NOT NULL,
    num_times_job_run integer NOT NULL,
    last_time_job_run timestamp with time zone NOT NULL
);
COMMENT ON TABLE _tessera_catalog.bgw_policy_chunk_stats IS 'which policy treated which chunk, how often, and when last';
CREATE TABLE _tessera_catalog.chunk (
    id integer NOT NULL,
    hypertable_id integer NOT NULL,
    schema_name name NOT NULL,
    table_name name NOT NULL,
    relid regclass,
    compressed_chunk_id integer,
    dropped boolean DEFAULT false NOT NULL,
    status integer DEFAULT 0 NOT NULL,
    creation_time timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE _tessera_catalog.chunk IS 'one row per chunk';
COMMENT ON COLUMN _tessera_catalog.chunk.relid IS 'null for a chunk that was dropped while aggregates of its rows live on';
COMMENT ON COLUMN _tessera_catalog.chunk.creation_time IS 'when the chunk was created; for chunks of version 0.1.0 when the extension was updated';
CREATE TABLE _tessera_catalog.chunk_constraint (
    chunk_id integer NOT NULL,
    dimension_slice_id integer NOT NULL,
    constraint_name name NOT NULL
);
COMMENT ON TABLE _tessera_catalog.chunk_constraint IS 'the slices that bound a chunk, one per dimension';
ALTER TABLE _tessera_catalog.chunk ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME _tessera_catalog.chunk_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
    CYCLE
);
CREATE TABLE _tessera_catalog.chunk_key (
    hypertable_id integer NOT NULL,
    name name NOT NULL,
    kind "char" NOT NULL,
    definition text NOT NULL,
    columns name[] NOT NULL,
    CONSTRAINT chunk_key_kind_check CHECK ((kind = ANY (ARRAY['p'::"char", 'u'::"char", 'f'::"char", 'i'::"char"])))
);
COMMENT ON TABLE _tessera_catalog.chunk_key IS 'keys that each chunk of a hypertable has for itself because the hypertable cannot: p primary key, u unique constraint, f foreign key, i unique index';
COMMENT ON COLUMN _tessera_catalog.chunk_key.definition IS 'what follows ADD CONSTRAINT <name>, or for an index what follows its table in CREATE UNIQUE INDEX';
CREATE TABLE _tessera_catalog.compressed_chunk (
    chunk_id integer NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    tail regclass NOT NULL,
    remote regclass NOT NULL,
    residue regclass NOT NULL,
    rows_view regclass NOT NULL,
    slice_bounds bigint[] NOT NULL,
    reader regclass
);
COMMENT ON TABLE _tessera_catalog.compressed_chunk IS 'the relations a compressed chunk is made of';
COMMENT ON COLUMN _tessera_catalog.compressed_chunk.tail IS 'heap that takes new rows until they are recompressed';
COMMENT ON COLUMN _tessera_catalog.compressed_chunk.remote IS 'foreign table over the loopback server that reads rows_view';
COMMENT ON COLUMN _tessera_catalog.compressed_chunk.residue IS 'rows of segments that were updated or deleted from, until they are recompressed';
COMMENT ON COLUMN _tessera_catalog.compressed_chunk.rows_view IS 'decompression view: segments and residue as rows';
COMMENT ON COLUMN _tessera_catalog.compressed_chunk.slice_bounds IS 'internal times between which segments do not reach over; the view has an arm for each slice, numbered from 0';
COMMENT ON COLUMN _tessera_catalog.compressed_chunk.reader IS 'view by which tessera_read reads the chunk; null after an update from 0.5.0 until create_read_view()';
CREATE TABLE _tessera_catalog.compression_algorithm (
    id smallint NOT NULL,
    version smallint NOT NULL,
    name name NOT NULL,
    description text NOT NULL
);
COMMENT ON TABLE _tessera_catalog.compression_algorithm IS 'the algorithms a payload may say it was written by';
CREATE TABLE _tessera_catalog.compression_chunk_size (
    chunk_id integer NOT NULL,
    uncompressed_heap_size bigint NOT NULL,
    uncompressed_toast_size bigint NOT NULL,
    uncompressed_index_size bigint NOT NULL,
    compressed_heap_size bigint NOT NULL,
    compressed_toast_size bigint NOT NULL,
    compressed_index_size bigint NOT NULL,
    numrows_pre_compression bigint NOT NULL,
    numrows_post_compression bigint NOT NULL
);
COMMENT ON TABLE _tessera_catalog.compression_chunk_size IS 'bytes of a chunk before it was compressed and just after, with its rows and segments';
CREATE TABLE _tessera_catalog.compression_settings (
    relid regclass NOT NULL,
    hypertable_id integer NOT NULL,
    chunk_id integer,
    compress_relid regclass,
    segmentby name[],
    orderby name[] NOT NULL,
    orderby_desc boolean[] NOT NULL,
    orderby_nullsfirst boolean[] NOT NULL,
    CONSTRAINT compression_settings_check CHECK (((cardinality(orderby) = cardinality(orderby_desc)) AND (cardinality(orderby) = cardinality(orderby_nullsfirst))))
);
COMMENT ON TABLE _tessera_catalog.compression_settings IS 'how a hypertable (chunk_id is null) compresses its chunks, and how each compressed chunk was compressed';
COMMENT ON COLUMN _tessera_catalog.compression_settings.compress_relid IS 'table of the segments of a chunk';
CREATE TABLE _tessera_catalog.continuous_aggs_bucket_function (
    mat_hypertable_id integer NOT NULL,
    bucket_width text NOT NULL,
    bucket_origin text,
    bucket_offset text,
    bucket_timezone text,
    bucket_fixed_width boolean NOT NULL,
    bucket_period bigint NOT NULL,
    bucket_phase bigint NOT NULL,
    CONSTRAINT continuous_aggs_bucket_function_bucket_period_check CHECK ((bucket_period > 0))
);
COMMENT ON TABLE _tessera_catalog.continuous_aggs_bucket_function IS 'the time_bucket() call by which a continuous aggregate groups';
COMMENT ON COLUMN _tessera_catalog.continuous_aggs_bucket_function.bucket_period IS 'width in internal time; with months or a time zone, less than any bucket has';
COMMENT ON COLUMN _tessera_catalog.continuous_aggs_bucket_function.bucket_phase IS 'start of a bucket, modulo the period; 0 with months or a time zone';
CREATE TABLE _tessera_catalog.continuous_aggs_frozen (
    materialization_id integer NOT NULL,
    lowest_value bigint NOT NULL,
    greatest_value bigint NOT NULL
);
ALTER TABLE ONLY _tessera_catalog.continuous_aggs_frozen REPLICA IDENTITY FULL;
COMMENT ON TABLE _tessera_catalog.continuous_aggs_frozen IS 'where raw rows were dropped and a continuous aggregate keeps their results, which are never computed again: times from lowest to greatest, both included';
CREATE TABLE _tessera_catalog.continuous_aggs_hypertable_invalidation_log (
    hypertable_id integer NOT NULL,
    modification_time bigint NOT NULL,
    lowest_modified_value bigint NOT NULL,
    greatest_modified_value bigint NOT NULL
);
ALTER TABLE ONLY _tessera_catalog.continuous_aggs_hypertable_invalidation_log REPLICA IDENTITY FULL;
COMMENT ON TABLE _tessera_catalog.continuous_aggs_hypertable_invalidation_log IS 'changes of raw hypertables that no refresh has seen yet: times from lowest to greatest, both included';
CREATE TABLE _tessera_catalog.continuous_aggs_invalidation_threshold (
    hypertable_id integer NOT NULL,
    watermark bigint NOT NULL,
    step bigint NOT NULL,
    settled bigint NOT NULL,
    awaited bigint,
    writers text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT continuous_aggs_invalidation_threshold_step_check CHECK ((step > 0))
);
COMMENT ON TABLE _tessera_catalog.continuous_aggs_invalidation_threshold IS 'raw hypertables: from which time on nothing was materialized, so that changes there need no log entry';
COMMENT ON COLUMN _tessera_catalog.continuous_aggs_invalidation_threshold.step IS 'smallest bucket of its continuous aggregates: how exact log entries are';
COMMENT ON COLUMN _tessera_catalog.continuous_aggs_invalidation_threshold.settled IS 'transactions that still write with an older watermark in mind log their changes before this time at least';
COMMENT ON COLUMN _tessera_catalog.continuous_aggs_invalidation_threshold.awaited IS 'what is settled once those writers have ended; null when nobody is waited for';
COMMENT ON COLUMN _tessera_catalog.continuous_aggs_invalidation_threshold.writers IS 'virtual transactions waited for, as pg_locks has them';
CREATE TABLE _tessera_catalog.continuous_aggs_materialization_invalidation_log (
    materialization_id integer NOT NULL,
    lowest_modified_value bigint NOT NULL,
    greatest_modified_value bigint NOT NULL
);
ALTER TABLE ONLY _tessera_catalog.continuous_aggs_materialization_invalidation_log REPLICA IDENTITY FULL;
COMMENT ON TABLE _tessera_catalog.continuous_aggs_materialization_invalidation_log IS 'what of a continuous aggregate is not materialized, or no longer right: times from lowest to greatest, both included';
CREATE TABLE _tessera_catalog.continuous_aggs_refresh (
    pid integer NOT NULL,
    materialization_id integer NOT NULL,
    window_start bigint NOT NULL,
    window_end bigint NOT NULL,
    batches integer NOT NULL,
    done integer DEFAULT 0 NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
COMMENT ON TABLE _tessera_catalog.continuous_aggs_refresh IS 'refreshes under way, by the process that runs them; one of a process that is gone means nothing';
CREATE TABLE _tessera_catalog.continuous_aggs_watermark (
    mat_hypertable_id integer NOT NULL,
    watermark bigint NOT NULL
);
COMMENT ON TABLE _tessera_catalog.continuous_aggs_watermark IS 'end of the last bucket a continuous aggregate ever materialized: its completed threshold';
CREATE TABLE _tessera_catalog.dimension (
    id integer NOT NULL,
    hypertable_id integer NOT NULL,
    column_name name NOT NULL,
    column_type regtype NOT NULL,
    aligned boolean NOT NULL,
    num_slices smallint,
    partitioning_func_schema name,
    partitioning_func name,
    interval_length bigint,
    integer_now_func_schema name,
    integer_now_func name,
    CONSTRAINT dimension_check CHECK (((num_slices IS NULL) <> (interval_length IS NULL))),
    CONSTRAINT dimension_check1 CHECK (((partitioning_func_schema IS NULL) = (partitioning_func IS NULL))),
    CONSTRAINT dimension_check2 CHECK (((integer_now_func_schema IS NULL) = (integer_now_func IS NULL))),
    CONSTRAINT dimension_interval_length_check CHECK ((interval_length > 0)),
    CONSTRAINT dimension_num_slices_check CHECK ((num_slices > 0))
);
COMMENT ON TABLE _tessera_catalog.dimension IS 'how a hypertable is divided: a range of interval_length, or num_slices hash slices';
ALTER TABLE _tessera_catalog.dimension ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME _tessera_catalog.dimension_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
    CYCLE
);
CREATE TABLE _tessera_catalog.dimension_slice (
    id integer NOT NULL,
    dimension_id integer NOT NULL,
    range_start bigint NOT NULL,
    range_end bigint NOT NULL,
    CONSTRAINT dimension_slice_check CHECK ((range_start <= range_end))
);
COMMENT ON TABLE _tessera_catalog.dimension_slice IS 'half-open ranges [range_start, range_end) that chunks share';
ALTER TABLE _tessera_catalog.dimension_slice ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME _tessera_catalog.dimension_slice_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
    CYCLE
);
ALTER TABLE _tessera_catalog.hypertable ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME _tessera_catalog.hypertable_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
    CYCLE
);
CREATE TABLE _tessera_catalog.hypertable_part (
    hypertable_id integer NOT NULL,
    chunk_id integer,
    relation regclass,
    helper regprocedure,
    CONSTRAINT hypertable_part_check CHECK (((relation IS NULL) <> (helper IS NULL)))
);
ALTER TABLE ONLY _tessera_catalog.hypertable_part REPLICA IDENTITY FULL;
COMMENT ON TABLE _tessera_catalog.hypertable_part IS 'tables and functions made for a hypertable, or for a compressed chunk of it, that are no partitions; what only has such a name is not ours';
CREATE TABLE _tessera_catalog.loopback (
    only_row boolean DEFAULT true NOT NULL,
    conninfo text NOT NULL,
    CONSTRAINT loopback_only_row_check CHECK (only_row)
);
COMMENT ON TABLE _tessera_catalog.loopback IS 'how the server reaches itself over libpq, where a local socket without a password does not do; may hold a password';
CREATE TABLE _tessera_catalog.metadata (
    key name NOT NULL,
    value text NOT NULL,
    include_in_telemetry boolean NOT NULL
);
COMMENT ON TABLE _tessera_catalog.metadata IS 'facts about this installation';
CREATE TABLE _tessera_catalog.pg_dist_authinfo (
    nodeid integer NOT NULL,
    authinfo text NOT NULL
);
COMMENT ON TABLE _tessera_catalog.pg_dist_authinfo IS 'libpq options, passwords among them, with which the owner of the extension connects to a node; node 0 means all others';
CREATE SEQUENCE _tessera_catalog.pg_dist_background_job_job_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE _tessera_catalog.pg_dist_background_job_job_id_seq OWNED BY _tessera_catalog.pg_dist_background_job.job_id;
CREATE TABLE _tessera_catalog.pg_dist_background_task_depend (
    job_id bigint NOT NULL,
    task_id bigint NOT NULL,
    depends_on bigint NOT NULL
);
COMMENT ON TABLE _tessera_catalog.pg_dist_background_task_depend IS 'task_id may start when depends_on is done';
CREATE SEQUENCE _tessera_catalog.pg_dist_background_task_task_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE _tessera_catalog.pg_dist_background_task_task_id_seq OWNED BY _tessera_catalog.pg_dist_background_task.task_id;
CREATE TABLE _tessera_catalog.pg_dist_cleanup (
    record_id bigint NOT NULL,
    operation_id bigint NOT NULL,
    object_type integer NOT NULL,
    object_name text NOT NULL,
    node_group_id integer NOT NULL,
    policy_type integer NOT NULL,
    message text DEFAULT ''::text NOT NULL,
    CONSTRAINT pg_dist_cleanup_object_type_check CHECK (((object_type >= 1) AND (object_type <= 6))),
    CONSTRAINT pg_dist_cleanup_policy_type_check CHECK (((policy_type >= 0) AND (policy_type <= 2)))
);
COMMENT ON TABLE _tessera_catalog.pg_dist_cleanup IS 'objects on nodes that have to go: 1 shard, 2 subscription, 3 replication slot, 4 publication, 5 role, 6 database; policy 0 always, 1 on failure, 2 deferred on success';
COMMENT ON COLUMN _tessera_catalog.pg_dist_cleanup.message IS 'why the last attempt to drop it failed';
CREATE SEQUENCE _tessera_catalog.pg_dist_cleanup_record_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE _tessera_catalog.pg_dist_cleanup_record_id_seq OWNED BY _tessera_catalog.pg_dist_cleanup.record_id;
CREATE TABLE _tessera_catalog.pg_dist_colocation (
    colocationid integer NOT NULL,
    shardcount integer NOT NULL,
    replicationfactor integer NOT NULL,
    distributioncolumntype regtype,
    distributioncolumncollation regcollation,
    explicit boolean DEFAULT false NOT NULL,
    CONSTRAINT pg_dist_colocation_shardcount_check CHECK (((shardcount >= 1) AND (shardcount <= 64000)))
);
COMMENT ON TABLE _tessera_catalog.pg_dist_colocation IS 'groups of tables whose shards of the same index are on the same node; replication factor -1 is the group of reference tables';
COMMENT ON COLUMN _tessera_catalog.pg_dist_colocation.explicit IS 'made for one table with colocate_with = none: never chosen by default';
CREATE SEQUENCE _tessera_catalog.pg_dist_colocation_colocationid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE _tessera_catalog.pg_dist_colocation_colocationid_seq OWNED BY _tessera_catalog.pg_dist_colocation.colocationid;
CREATE SEQUENCE _tessera_catalog.pg_dist_groupid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE _tessera_catalog.pg_dist_key (
    logicalrelid regclass NOT NULL,
    name name NOT NULL,
    kind "char" NOT NULL,
    definition text NOT NULL,
    columns name[] NOT NULL,
    referenced regclass,
    referenced_columns name[] DEFAULT '{}'::name[] NOT NULL,
    on_update "char",
    on_delete "char",
    comment text,
    CONSTRAINT pg_dist_key_kind_check CHECK ((kind = ANY (ARRAY['p'::"char", 'u'::"char", 'x'::"char", 'f'::"char", 'i'::"char"])))
);
COMMENT ON TABLE _tessera_catalog.pg_dist_key IS 'keys that every shard has for itself because the table cannot: p primary key, u unique, x exclusion, f foreign key, i unique index';
COMMENT ON COLUMN _tessera_catalog.pg_dist_key.definition IS 'what follows ADD CONSTRAINT <name>; %s stands for the referenced shard';
CREATE TABLE _tessera_catalog.pg_dist_node (
    nodeid integer NOT NULL,
    groupid integer DEFAULT nextval('_tessera_catalog.pg_dist_groupid_seq'::regclass) NOT NULL,
    nodename text NOT NULL,
    nodeport integer DEFAULT 5432 NOT NULL,
    noderack text DEFAULT 'default'::text NOT NULL,
    hasmetadata boolean DEFAULT false NOT NULL,
    isactive boolean DEFAULT true NOT NULL,
    noderole _tessera_catalog.noderole DEFAULT 'primary'::_tessera_catalog.noderole NOT NULL,
    nodecluster name DEFAULT 'default'::name NOT NULL,
    metadatasynced boolean DEFAULT false,
    shouldhaveshards boolean DEFAULT true NOT NULL,
    nodeisclone boolean DEFAULT false NOT NULL,
    nodeprimarynodeid integer DEFAULT 0 NOT NULL,
    CONSTRAINT primaries_are_only_allowed_in_the_default_cluster CHECK (((nodecluster = 'default'::name) OR (noderole <> 'primary'::_tessera_catalog.noderole)))
);
COMMENT ON TABLE _tessera_catalog.pg_dist_node IS 'nodes of the cluster; placements point at their groups. Group 0 is the coordinator';
COMMENT ON COLUMN _tessera_catalog.pg_dist_node.hasmetadata IS 'always false: only the coordinator has metadata';
CREATE SEQUENCE _tessera_catalog.pg_dist_node_nodeid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE _tessera_catalog.pg_dist_node_nodeid_seq OWNED BY _tessera_catalog.pg_dist_node.nodeid;
CREATE SEQUENCE _tessera_catalog.pg_dist_operationid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE _tessera_catalog.pg_dist_origin (
    only_row boolean DEFAULT true NOT NULL,
    origin text NOT NULL,
    CONSTRAINT pg_dist_origin_only_row_check CHECK (only_row)
);
COMMENT ON TABLE _tessera_catalog.pg_dist_origin IS 'the server and database that this catalog of nodes belongs to: a copy of the database must not manage them';
CREATE TABLE _tessera_catalog.pg_dist_partition (
    logicalrelid regclass NOT NULL,
    partmethod "char" NOT NULL,
    partkey name,
    colocationid integer NOT NULL,
    repmodel "char" NOT NULL,
    autoconverted boolean DEFAULT false NOT NULL,
    owner regrole NOT NULL,
    definition jsonb NOT NULL,
    CONSTRAINT pg_dist_partition_partmethod_check CHECK ((partmethod = ANY (ARRAY['h'::"char", 'n'::"char"]))),
    CONSTRAINT pg_dist_partition_repmodel_check CHECK ((repmodel = ANY (ARRAY['s'::"char", 't'::"char"])))
);
COMMENT ON TABLE _tessera_catalog.pg_dist_partition IS 'distributed tables (repmodel s) and reference tables (t); partmethod h has a hash key, n has none';
COMMENT ON COLUMN _tessera_catalog.pg_dist_partition.owner IS 'whose shards they are: each owner has a login of his own on the nodes';
COMMENT ON COLUMN _tessera_catalog.pg_dist_partition.definition IS 'what the shards look like on the nodes';
CREATE TABLE _tessera_catalog.pg_dist_placement (
    placementid bigint NOT NULL,
    shardid bigint NOT NULL,
    shardstate integer DEFAULT 1 NOT NULL,
    shardlength bigint DEFAULT 0 NOT NULL,
    groupid integer NOT NULL
);
COMMENT ON TABLE _tessera_catalog.pg_dist_placement IS 'which groups of nodes have a copy of which shard';
CREATE SEQUENCE _tessera_catalog.pg_dist_placement_placementid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE _tessera_catalog.pg_dist_placement_placementid_seq OWNED BY _tessera_catalog.pg_dist_placement.placementid;
CREATE TABLE _tessera_catalog.pg_dist_rebalance_strategy (
    name name NOT NULL,
    default_strategy boolean DEFAULT false NOT NULL,
    shard_cost_function regproc NOT NULL,
    node_capacity_function regproc NOT NULL,
    shard_allowed_on_node_function regproc NOT NULL,
    default_threshold real NOT NULL,
    minimum_threshold real DEFAULT 0 NOT NULL,
    improvement_threshold real DEFAULT 0 NOT NULL
);
COMMENT ON TABLE _tessera_catalog.pg_dist_rebalance_strategy IS 'how the rebalancer weighs shards and nodes';
CREATE SEQUENCE _tessera_catalog.pg_dist_shardid_seq
    START WITH 102008
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE _tessera_catalog.pg_dist_shard (
    logicalrelid regclass NOT NULL,
    shardid bigint DEFAULT nextval('_tessera_catalog.pg_dist_shardid_seq'::regclass) NOT NULL,
    shardstorage "char" DEFAULT 't'::"char" NOT NULL,
    shardminvalue text,
    shardmaxvalue text,
    modulus integer,
    remainder integer,
    shard_schema name NOT NULL,
    shard_name name NOT NULL,
    local_relid regclass
);
COMMENT ON TABLE _tessera_catalog.pg_dist_shard IS 'shards of distributed and reference tables: table shard_schema.shard_name on each node that has a placement';
COMMENT ON COLUMN _tessera_catalog.pg_dist_shard.shardminvalue IS 'always null: shards are hash partitions of PostgreSQL, which divide by modulus and remainder and not by ranges';
COMMENT ON COLUMN _tessera_catalog.pg_dist_shard.local_relid IS 'foreign table through which the coordinator reaches the shard';
CREATE TABLE _tessera_catalog.read_view (
    hypertable_id integer NOT NULL,
    relation regclass NOT NULL,
    source regprocedure NOT NULL,
    generation bigint NOT NULL
);
COMMENT ON TABLE _tessera_catalog.read_view IS 'views of schema tessera_read, which read hypertables without the loopback connection';
COMMENT ON COLUMN _tessera_catalog.read_view.source IS 'function the view is made of; it is inlined where the view is read';
COMMENT ON COLUMN _tessera_catalog.read_view.generation IS 'how often the function was made';
CREATE TABLE _tessera_catalog.reference_change (
    change_id bigint NOT NULL,
    transaction_id xid8 DEFAULT pg_current_xact_id() NOT NULL,
    relid oid NOT NULL,
    kind "char" NOT NULL,
    old_row text,
    new_row text,
    CONSTRAINT reference_change_kind_check CHECK ((kind = ANY (ARRAY['i'::"char", 'u'::"char", 'd'::"char", 't'::"char"])))
);
COMMENT ON TABLE _tessera_catalog.reference_change IS 'what the transaction under way has done to reference tables, for their copies on nodes; empty but for open transactions';
CREATE SEQUENCE _tessera_catalog.reference_change_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE _tessera_catalog.reference_change_change_id_seq OWNED BY _tessera_catalog.reference_change.change_id;
CREATE TABLE _tessera_catalog.remote_command (
    command_id bigint NOT NULL,
    transaction_id xid8 DEFAULT pg_current_xact_id() NOT NULL,
    nodeid integer NOT NULL,
    server name NOT NULL,
    command text NOT NULL,
    relid oid,
    rewrites boolean DEFAULT false NOT NULL
);
COMMENT ON TABLE _tessera_catalog.remote_command IS 'what the transaction under way has to do on nodes when it commits; empty but for open transactions';
COMMENT ON COLUMN _tessera_catalog.remote_command.relid IS 'distributed table whose shards are changed';
COMMENT ON COLUMN _tessera_catalog.remote_command.rewrites IS 'older snapshots do not see the rows of its shards afterwards';
CREATE SEQUENCE _tessera_catalog.remote_command_command_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE _tessera_catalog.remote_command_command_id_seq OWNED BY _tessera_catalog.remote_command.command_id;
CREATE TABLE _tessera_catalog.remote_txn (
    remote_transaction_id text NOT NULL,
    nodeid integer NOT NULL,
    server name NOT NULL,
    CONSTRAINT remote_txn_remote_transaction_id_check CHECK ((remote_transaction_id ~ '^tessera-1-[0-9a-f]+-\d+-\d+(-\d+)?$'::text))
);
COMMENT ON TABLE _tessera_catalog.remote_txn IS 'prepared transactions on nodes that must be committed: the row is committed with the transaction they belong to';
CREATE TABLE _tessera_catalog.removed_node (
    groupid integer NOT NULL,
    nodename text NOT NULL,
    nodeport integer NOT NULL,
    removed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
COMMENT ON TABLE _tessera_catalog.removed_node IS 'nodes that did not answer when they were removed, and have objects of ours, which are in pg_dist_cleanup under this group';
CREATE VIEW _tessera_catalog.request AS
 SELECT NULL::name AS caller,
    NULL::text AS operation,
    NULL::jsonb AS payload,
    NULL::jsonb AS result;
COMMENT ON VIEW _tessera_catalog.request IS 'entrance for catalog changes on behalf of the owner of a hypertable';
CREATE UNLOGGED TABLE _tessera_catalog.scheduler_state (
    only_row boolean DEFAULT true NOT NULL,
    heartbeat timestamp with time zone,
    started_at timestamp with time zone,
    pid integer,
    driver text,
    problem text,
    CONSTRAINT scheduler_state_only_row_check CHECK (only_row)
)
WITH (fillfactor='50');
COMMENT ON TABLE _tessera_catalog.scheduler_state IS 'sign of life of the scheduler of this database';
CREATE TABLE _tessera_catalog.setting (
    name name NOT NULL,
    value text NOT NULL
);
COMMENT ON TABLE _tessera_catalog.setting IS 'settings of this database that differ from their defaults; tessera.settings() lists all, tessera.set_setting() changes one';
CREATE TABLE _tessera_catalog.shard_transfer (
    operation_id bigint NOT NULL,
    pid integer NOT NULL,
    operation_type text NOT NULL,
    table_name regclass NOT NULL,
    shardid bigint NOT NULL,
    source_nodeid integer NOT NULL,
    target_nodeid integer NOT NULL,
    status text NOT NULL,
    source_size bigint DEFAULT 0 NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    subscription name,
    slot name
);
COMMENT ON TABLE _tessera_catalog.shard_transfer IS 'moves and copies of shards under way, written outside their transactions';
CREATE TABLE _tessera_catalog.tablespace (
    id integer NOT NULL,
    hypertable_id integer NOT NULL,
    tablespace_name name NOT NULL
);
COMMENT ON TABLE _tessera_catalog.tablespace IS 'tablespaces attached to a hypertable; chunks take them in turn';
ALTER TABLE _tessera_catalog.tablespace ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME _tessera_catalog.tablespace_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
    CYCLE
);
CREATE TABLE _tessera_catalog.telemetry_report (
    id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    report jsonb NOT NULL,
    delivered_at timestamp with time zone,
    delivery_error text
);
COMMENT ON TABLE _tessera_catalog.telemetry_report IS 'reports that job 1 stored in this database, the last thirty of them; nothing leaves it unless the command tessera deliver-telemetry is run and telemetry_endpoint is set';
ALTER TABLE _tessera_catalog.telemetry_report ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME _tessera_catalog.telemetry_report_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE _tessera_catalog.worker_slot (
    owner regrole NOT NULL,
    slot integer NOT NULL
);
COMMENT ON TABLE _tessera_catalog.worker_slot IS 'the sessions that should be there to run work, each as the role that owns the work; written by the scheduler';
CREATE VIEW _tessera_functions.noted_changes AS
 SELECT hypertable_id,
    low,
    high
   FROM _tessera_functions.take_noted() take_noted(hypertable_id, low, high);
COMMENT ON VIEW _tessera_functions.noted_changes IS 'what a loopback connection noted of compressed rows; each is shown once';
CREATE VIEW _tessera_functions.own_changes AS
 SELECT hypertable_id,
    modification_time,
    lowest_modified_value,
    greatest_modified_value
   FROM _tessera_catalog.continuous_aggs_hypertable_invalidation_log l
  WHERE ((lowest_modified_value <= greatest_modified_value) AND (EXISTS ( SELECT
           FROM _tessera_catalog.hypertable h
          WHERE ((h.id = l.hypertable_id) AND (has_any_column_privilege((h.relid)::oid, 'insert, update'::text) OR has_table_privilege((h.relid)::oid, 'delete'::text))))))
  WITH CASCADED CHECK OPTION;
COMMENT ON VIEW _tessera_functions.own_changes IS 'By which whoever changes rows of a hypertable logs that. PostgreSQL asks the condition of the role that inserts, in whose name no function of the
owner of the extension could ask: who may not write to a hypertable makes nothing of it stale. Who may can do so by writing as well';
CREATE VIEW public.citus_nodes AS
 SELECT nodename,
    nodeport,
        CASE groupid
            WHEN 0 THEN 'coordinator'::text
            ELSE 'worker'::text
        END AS role,
    isactive AS active
   FROM _tessera_catalog.pg_dist_node;
COMMENT ON VIEW public.citus_nodes IS 'the nodes of the cluster';
CREATE VIEW public.citus_shards AS
 SELECT s.logicalrelid AS table_name,
    s.shardid,
    format('%I.%I'::text, s.shard_schema, s.shard_name) AS shard_name,
        CASE
            WHEN (t.repmodel = 't'::"char") THEN 'reference'::text
            ELSE 'distributed'::text
        END AS citus_table_type,
    t.colocationid AS colocation_id,
    n.nodename,
    n.nodeport,
    COALESCE(z.total, (0)::bigint) AS shard_size
   FROM ((((_tessera_catalog.pg_dist_shard s
     JOIN _tessera_catalog.pg_dist_partition t ON (((t.logicalrelid)::oid = (s.logicalrelid)::oid)))
     JOIN _tessera_catalog.pg_dist_placement p ON ((p.shardid = s.shardid)))
     JOIN _tessera_catalog.pg_dist_node n ON ((n.groupid = p.groupid)))
     LEFT JOIN _tessera_functions.visible_shard_sizes() z(shardid, groupid, total) ON (((z.shardid = p.shardid) AND (z.groupid = p.groupid))))
  ORDER BY (s.logicalrelid)::text, s.shardid;
COMMENT ON VIEW public.citus_shards IS 'every placement of every shard, with its size as its node says';
CREATE VIEW public.citus_tables AS
 SELECT t.logicalrelid AS table_name,
        CASE
            WHEN (t.repmodel = 't'::"char") THEN 'reference'::text
            ELSE 'distributed'::text
        END AS citus_table_type,
    COALESCE((t.partkey)::text, '<none>'::text) AS distribution_column,
    t.colocationid AS colocation_id,
    pg_size_pretty(_tessera_functions.distributed_size(t.logicalrelid, 'total'::text)) AS table_size,
    ( SELECT count(*) AS count
           FROM _tessera_catalog.pg_dist_shard s
          WHERE ((s.logicalrelid)::oid = (t.logicalrelid)::oid)) AS shard_count,
    pg_get_userbyid(c.relowner) AS table_owner,
    'heap'::name AS access_method
   FROM (_tessera_catalog.pg_dist_partition t
     JOIN pg_class c ON ((c.oid = (t.logicalrelid)::oid)))
  ORDER BY (t.logicalrelid)::text;
COMMENT ON VIEW public.citus_tables IS 'distributed and reference tables; table_size is asked from the nodes';
CREATE VIEW public.pg_dist_colocation AS
 SELECT colocationid,
    shardcount,
    replicationfactor,
    (distributioncolumntype)::oid AS distributioncolumntype,
    COALESCE((distributioncolumncollation)::oid, (0)::oid) AS distributioncolumncollation
   FROM _tessera_catalog.pg_dist_colocation;
COMMENT ON VIEW public.pg_dist_colocation IS 'groups of colocated tables';
CREATE VIEW public.pg_dist_node AS
 SELECT nodeid,
    groupid,
    nodename,
    nodeport,
    noderack,
    hasmetadata,
    isactive,
    noderole,
    nodecluster,
    metadatasynced,
    shouldhaveshards,
    nodeisclone,
    nodeprimarynodeid
   FROM _tessera_catalog.pg_dist_node;
COMMENT ON VIEW public.pg_dist_node IS 'nodes; group 0 is the coordinator';
CREATE VIEW public.pg_dist_partition AS
 SELECT logicalrelid,
    partmethod,
    (partkey)::text AS partkey,
    colocationid,
    repmodel,
    autoconverted
   FROM _tessera_catalog.pg_dist_partition;
COMMENT ON VIEW public.pg_dist_partition IS 'distributed and reference tables; partkey is the name of the distribution column, null for a table of one shard and for reference tables';
CREATE VIEW public.pg_dist_placement AS
 SELECT placementid,
    shardid,
    shardstate,
    shardlength,
    groupid
   FROM _tessera_catalog.pg_dist_placement;
COMMENT ON VIEW public.pg_dist_placement IS 'which groups of nodes have a copy of which shard';
CREATE VIEW public.pg_dist_shard AS
 SELECT logicalrelid,
    shardid,
    shardstorage,
    shardminvalue,
    shardmaxvalue
   FROM _tessera_catalog.pg_dist_shard;
COMMENT ON VIEW public.pg_dist_shard IS 'shards; shardminvalue and shardmaxvalue are null, since shards are hash partitions and no ranges';
CREATE VIEW public.pg_dist_shard_placement AS
 SELECT p.shardid,
    p.shardstate,
    p.shardlength,
    n.nodename,
    n.nodeport,
    p.placementid
   FROM (_tessera_catalog.pg_dist_placement p
     JOIN _tessera_catalog.pg_dist_node n ON (((n.groupid = p.groupid) AND (n.noderole = 'primary'::_tessera_catalog.noderole))));
COMMENT ON VIEW public.pg_dist_shard_placement IS 'placements with the addresses of their nodes';
CREATE VIEW tessera_information.background_tasks AS
 SELECT t.job_id,
    t.task_id,
    t.owner,
    t.status,
    t.pid,
    t.retry_count,
    t.not_before,
    t.message,
    t.command,
        CASE
            WHEN (t.status = 'blocked'::_tessera_catalog.citus_task_status) THEN ('waits for task '::text || COALESCE(( SELECT string_agg((d.depends_on)::text, ', '::text ORDER BY d.depends_on) AS string_agg
               FROM (_tessera_catalog.pg_dist_background_task_depend d
                 JOIN _tessera_catalog.pg_dist_background_task p ON (((p.job_id = d.job_id) AND (p.task_id = d.depends_on))))
              WHERE ((d.job_id = t.job_id) AND (d.task_id = t.task_id) AND (p.status <> 'done'::_tessera_catalog.citus_task_status))), 'nothing any more; about to be released'::text))
            WHEN (t.status = 'cancelling'::_tessera_catalog.citus_task_status) THEN 'waits for its executor to give up'::text
            WHEN (t.status <> 'runnable'::_tessera_catalog.citus_task_status) THEN NULL::text
            WHEN (_tessera_functions.task_limit('background_task_queue_interval'::text) < 0) THEN 'the queue is switched off'::text
            WHEN (j.state = ANY (ARRAY['cancelling'::_tessera_catalog.citus_job_status, 'cancelled'::_tessera_catalog.citus_job_status])) THEN 'its job is cancelled'::text
            WHEN (r.rolcanlogin IS NULL) THEN 'its owner does not exist'::text
            WHEN (NOT r.rolcanlogin) THEN 'its owner is not permitted to log in'::text
            WHEN (t.not_before > clock_timestamp()) THEN
            CASE
                WHEN (t.retry_count > 0) THEN 'failed, will be tried again later'::text
                ELSE 'its time has not come'::text
            END
            WHEN (NOT _tessera_functions.task_may_start(t.job_id, t.task_id, t.nodes_involved)) THEN 'a node it involves is busy, or a task it depends on is not done'::text
            WHEN (( SELECT count(*) AS count
               FROM _tessera_catalog.pg_dist_background_task b
              WHERE (b.status = ANY (ARRAY['running'::_tessera_catalog.citus_task_status, 'cancelling'::_tessera_catalog.citus_task_status]))) >= _tessera_functions.task_limit('max_background_task_executors'::text)) THEN 'all executors are busy'::text
            ELSE 'waits for an executor'::text
        END AS reason
   FROM ((_tessera_catalog.pg_dist_background_task t
     JOIN _tessera_catalog.pg_dist_background_job j ON ((j.job_id = t.job_id)))
     LEFT JOIN pg_roles r ON ((r.oid = (t.owner)::oid)));
COMMENT ON VIEW tessera_information.background_tasks IS 'tasks of background jobs; reason says why a task that has not ended does not run';
CREATE VIEW tessera_information.chunk_compression_settings AS
 SELECT h.relid AS hypertable,
    s.relid AS chunk,
    ( SELECT string_agg(quote_ident((x.c)::text), ', '::text ORDER BY x.o) AS string_agg
           FROM unnest(s.segmentby) WITH ORDINALITY x(c, o)) AS segmentby,
    _tessera_functions.orderby_text(s.orderby, s.orderby_desc, s.orderby_nullsfirst) AS orderby,
    NULL::jsonb AS index
   FROM (_tessera_catalog.compression_settings s
     JOIN _tessera_catalog.hypertable h ON ((h.id = s.hypertable_id)))
  WHERE (s.chunk_id IS NOT NULL);
COMMENT ON VIEW tessera_information.chunk_compression_settings IS 'how each compressed chunk was compressed';
CREATE VIEW tessera_information.chunks AS
 SELECT h.schema_name AS hypertable_schema,
    h.table_name AS hypertable_name,
    k.schema_name AS chunk_schema,
    k.table_name AS chunk_name,
    d.column_name AS primary_dimension,
    d.column_type AS primary_dimension_type,
        CASE
            WHEN (NOT i.is_integer) THEN _tessera_functions.internal_to_timestamptz(s.range_start)
            ELSE NULL::timestamp with time zone
        END AS range_start,
        CASE
            WHEN (NOT i.is_integer) THEN _tessera_functions.internal_to_timestamptz(s.range_end)
            ELSE NULL::timestamp with time zone
        END AS range_end,
        CASE
            WHEN i.is_integer THEN s.range_start
            ELSE NULL::bigint
        END AS range_start_integer,
        CASE
            WHEN i.is_integer THEN s.range_end
            ELSE NULL::bigint
        END AS range_end_integer,
    (z.chunk_id IS NOT NULL) AS is_compressed,
    COALESCE(t.spcname, ( SELECT p.spcname
           FROM (pg_database b
             JOIN pg_tablespace p ON ((p.oid = b.dattablespace)))
          WHERE (b.datname = current_database()))) AS chunk_tablespace,
    k.creation_time AS chunk_creation_time
   FROM ((((((((_tessera_catalog.chunk k
     JOIN _tessera_catalog.hypertable h ON ((h.id = k.hypertable_id)))
     JOIN _tessera_catalog.dimension d ON (((d.hypertable_id = h.id) AND (d.interval_length IS NOT NULL))))
     JOIN _tessera_catalog.chunk_constraint kc ON ((kc.chunk_id = k.id)))
     JOIN _tessera_catalog.dimension_slice s ON (((s.id = kc.dimension_slice_id) AND (s.dimension_id = d.id))))
     LEFT JOIN _tessera_catalog.compressed_chunk z ON ((z.chunk_id = k.id)))
     JOIN pg_class c ON ((c.oid = (COALESCE(z.tail, k.relid))::oid)))
     LEFT JOIN pg_tablespace t ON ((t.oid = c.reltablespace)))
     CROSS JOIN LATERAL ( SELECT ((d.column_type)::oid = ANY ((ARRAY['smallint'::regtype, 'integer'::regtype, 'bigint'::regtype])::oid[])) AS is_integer) i)
  WHERE (NOT k.dropped);
COMMENT ON VIEW tessera_information.chunks IS 'one row per chunk, with its range of the time dimension';
CREATE VIEW tessera_information.compress_chunks_policies AS
 SELECT h.relid AS hypertable,
    (j.config ->> 'compress_after'::text) AS older_than,
    j.id AS job_id,
    j.schedule_interval,
    j.max_runtime,
    j.max_retries,
    j.retry_period
   FROM (_tessera_catalog.bgw_job j
     JOIN _tessera_catalog.hypertable h ON ((h.id = j.hypertable_id)))
  WHERE ((j.proc_schema = '_tessera_functions'::name) AND (j.proc_name = 'policy_compression'::name));
COMMENT ON VIEW tessera_information.compress_chunks_policies IS 'compression policies, with the columns this view had before jobs';
CREATE VIEW tessera_information.compressed_chunk_stats AS
 SELECT h.relid AS hypertable_name,
    c.relid AS chunk_name,
        CASE
            WHEN (z.chunk_id IS NULL) THEN 'Uncompressed'::text
            ELSE 'Compressed'::text
        END AS compression_status,
    pg_size_pretty(z.uncompressed_heap_size) AS uncompressed_heap_bytes,
    pg_size_pretty(z.uncompressed_index_size) AS uncompressed_index_bytes,
    pg_size_pretty(z.uncompressed_toast_size) AS uncompressed_toast_bytes,
    pg_size_pretty(((z.uncompressed_heap_size + z.uncompressed_index_size) + z.uncompressed_toast_size)) AS uncompressed_total_bytes,
    pg_size_pretty(z.compressed_heap_size) AS compressed_heap_bytes,
    pg_size_pretty(z.compressed_index_size) AS compressed_index_bytes,
    pg_size_pretty(z.compressed_toast_size) AS compressed_toast_bytes,
    pg_size_pretty(((z.compressed_heap_size + z.compressed_index_size) + z.compressed_toast_size)) AS compressed_total_bytes
   FROM (((_tessera_catalog.hypertable h
     JOIN _tessera_catalog.compression_settings s ON (((s.hypertable_id = h.id) AND (s.chunk_id IS NULL))))
     JOIN _tessera_catalog.chunk c ON (((c.hypertable_id = h.id) AND (NOT c.dropped))))
     LEFT JOIN _tessera_catalog.compression_chunk_size z ON ((z.chunk_id = c.id)));
COMMENT ON VIEW tessera_information.compressed_chunk_stats IS 'the older form of chunk_compression_stats(): sizes as text';
CREATE VIEW tessera_information.compressed_hypertable_stats AS
 SELECT h.relid AS hypertable_name,
    count(c.id) AS total_chunks,
    count(z.chunk_id) AS number_compressed_chunks,
    pg_size_pretty(sum(z.uncompressed_heap_size)) AS uncompressed_heap_bytes,
    pg_size_pretty(sum(z.uncompressed_index_size)) AS uncompressed_index_bytes,
    pg_size_pretty(sum(z.uncompressed_toast_size)) AS uncompressed_toast_bytes,
    pg_size_pretty(sum(((z.uncompressed_heap_size + z.uncompressed_index_size) + z.uncompressed_toast_size))) AS uncompressed_total_bytes,
    pg_size_pretty(sum(z.compressed_heap_size)) AS compressed_heap_bytes,
    pg_size_pretty(sum(z.compressed_index_size)) AS compressed_index_bytes,
    pg_size_pretty(sum(z.compressed_toast_size)) AS compressed_toast_bytes,
    pg_size_pretty(sum(((z.compressed_heap_size + z.compressed_index_size) + z.compressed_toast_size))) AS compressed_total_bytes
   FROM (((_tessera_catalog.hypertable h
     JOIN _tessera_catalog.compression_settings s ON (((s.hypertable_id = h.id) AND (s.chunk_id IS NULL))))
     LEFT JOIN _tessera_catalog.chunk c ON (((c.hypertable_id = h.id) AND (NOT c.dropped))))
     LEFT JOIN _tessera_catalog.compression_chunk_size z ON ((z.chunk_id = c.id)))
  GROUP BY h.relid;
COMMENT ON VIEW tessera_information.compressed_hypertable_stats IS 'the older form of hypertable_compression_stats(): sizes as text';
CREATE VIEW tessera_information.compression_settings AS
 SELECT h.schema_name AS hypertable_schema,
    h.table_name AS hypertable_name,
    a.attname,
    (array_position(s.segmentby, a.attname))::smallint AS segmentby_column_index,
    (array_position(s.orderby, a.attname))::smallint AS orderby_column_index,
    (s.orderby_desc[array_position(s.orderby, a.attname)] = false) AS orderby_asc,
    s.orderby_nullsfirst[array_position(s.orderby, a.attname)] AS orderby_nullsfirst
   FROM ((_tessera_catalog.compression_settings s
     JOIN _tessera_catalog.hypertable h ON ((h.id = s.hypertable_id)))
     JOIN pg_attribute a ON (((a.attrelid = (h.relid)::oid) AND (a.attname = ANY ((COALESCE(s.segmentby, '{}'::name[]) || s.orderby))))))
  WHERE (s.chunk_id IS NULL);
COMMENT ON VIEW tessera_information.compression_settings IS 'one row per column by which a hypertable segments or orders what it compresses';
CREATE VIEW tessera_information.continuous_aggregate_refreshes AS
 SELECT r.pid,
    a.user_view AS view_name,
    _tessera_functions.internal_text(r.window_start, d.column_type) AS window_start,
    _tessera_functions.internal_text(r.window_end, d.column_type) AS window_end,
    r.batches,
    r.done,
    r.started_at,
        CASE
            WHEN (r.done > 0) THEN ((((r.batches - r.done))::double precision * (clock_timestamp() - r.started_at)) / (r.done)::double precision)
            ELSE NULL::interval
        END AS remaining
   FROM ((_tessera_catalog.continuous_aggs_refresh r
     JOIN _tessera_catalog.continuous_agg a ON ((a.mat_hypertable_id = r.materialization_id)))
     JOIN _tessera_catalog.dimension d ON (((d.hypertable_id = a.mat_hypertable_id) AND (d.interval_length IS NOT NULL))))
  WHERE (EXISTS ( SELECT
           FROM pg_stat_activity s
          WHERE ((s.pid = r.pid) AND (s.state IS DISTINCT FROM 'idle'::text))));
COMMENT ON VIEW tessera_information.continuous_aggregate_refreshes IS 'refreshes under way: batches in all and done, and about how long the rest takes';
CREATE VIEW tessera_information.continuous_aggregate_stats AS
 SELECT a.user_view AS view_name,
    _tessera_functions.internal_text(w.watermark, d.column_type) AS completed_threshold,
    _tessera_functions.internal_text(t.watermark, d.column_type) AS invalidation_threshold,
    j.id AS job_id,
    NULLIF(s.last_start, '-infinity'::timestamp with time zone) AS last_run_started_at,
    NULLIF(s.last_successful_finish, '-infinity'::timestamp with time zone) AS last_successful_finish,
        CASE
            WHEN (s.last_finish > '-infinity'::timestamp with time zone) THEN
            CASE
                WHEN s.last_run_success THEN 'Success'::text
                ELSE 'Failed'::text
            END
            ELSE NULL::text
        END AS last_run_status,
        CASE
            WHEN ((s.last_start > '-infinity'::timestamp with time zone) AND (s.last_finish = '-infinity'::timestamp with time zone) AND ((s.flags & 1) = 0)) THEN 'Running'::text
            WHEN (NOT j.scheduled) THEN 'Paused'::text
            WHEN (j.id IS NOT NULL) THEN 'Scheduled'::text
            ELSE NULL::text
        END AS job_status,
        CASE
            WHEN (s.last_finish > s.last_start) THEN (s.last_finish - s.last_start)
            ELSE NULL::interval
        END AS last_run_duration,
        CASE
            WHEN j.scheduled THEN s.next_start
            ELSE NULL::timestamp with time zone
        END AS next_scheduled_run,
    s.total_runs,
    s.total_successes,
    s.total_failures,
    s.total_crashes
   FROM (((((_tessera_catalog.continuous_agg a
     JOIN _tessera_catalog.continuous_aggs_watermark w ON ((w.mat_hypertable_id = a.mat_hypertable_id)))
     JOIN _tessera_catalog.dimension d ON (((d.hypertable_id = a.mat_hypertable_id) AND (d.interval_length IS NOT NULL))))
     LEFT JOIN _tessera_catalog.continuous_aggs_invalidation_threshold t ON ((t.hypertable_id = a.raw_hypertable_id)))
     LEFT JOIN _tessera_catalog.bgw_job j ON (((j.hypertable_id = a.mat_hypertable_id) AND (j.proc_name = 'policy_refresh_continuous_aggregate'::name))))
     LEFT JOIN _tessera_catalog.bgw_job_stat s ON ((s.job_id = j.id)));
COMMENT ON VIEW tessera_information.continuous_aggregate_stats IS 'how far continuous aggregates are materialized, changes of their raw rows are logged, and what became of their jobs';
CREATE VIEW tessera_information.continuous_aggregates AS
 SELECT COALESCE(p.user_view_schema, r.schema_name) AS hypertable_schema,
    COALESCE(p.user_view_name, r.table_name) AS hypertable_name,
    a.user_view_schema AS view_schema,
    a.user_view_name AS view_name,
    pg_get_userbyid(v.relowner) AS view_owner,
    a.materialized_only,
    (EXISTS ( SELECT
           FROM _tessera_catalog.compression_settings s
          WHERE ((s.hypertable_id = m.id) AND (s.chunk_id IS NULL)))) AS compression_enabled,
    m.schema_name AS materialization_hypertable_schema,
    m.table_name AS materialization_hypertable_name,
    true AS finalized,
    pg_get_viewdef((a.direct_view)::oid) AS view_definition,
    b.bucket_width,
    a.refresh_lag,
    a.max_interval_per_job,
    NULLIF(a.ignore_invalidation_older_than, '9223372036854775807'::bigint) AS ignore_invalidation_older_than
   FROM (((((_tessera_catalog.continuous_agg a
     JOIN _tessera_catalog.continuous_aggs_bucket_function b ON ((b.mat_hypertable_id = a.mat_hypertable_id)))
     JOIN _tessera_catalog.hypertable m ON ((m.id = a.mat_hypertable_id)))
     JOIN _tessera_catalog.hypertable r ON ((r.id = a.raw_hypertable_id)))
     JOIN pg_class v ON ((v.oid = (a.user_view)::oid)))
     LEFT JOIN _tessera_catalog.continuous_agg p ON ((p.mat_hypertable_id = a.parent_mat_hypertable_id)));
COMMENT ON VIEW tessera_information.continuous_aggregates IS 'one row per continuous aggregate; lengths are in internal time: microseconds, or units of an integer column';
CREATE VIEW tessera_information.dimensions AS
 SELECT h.schema_name AS hypertable_schema,
    h.table_name AS hypertable_name,
    row_number() OVER (PARTITION BY d.hypertable_id ORDER BY d.id) AS dimension_number,
    d.column_name,
    d.column_type,
        CASE
            WHEN (d.interval_length IS NULL) THEN 'Space'::text
            ELSE 'Time'::text
        END AS dimension_type,
        CASE
            WHEN ((d.column_type)::oid = ANY ((ARRAY['timestamp with time zone'::regtype, 'timestamp without time zone'::regtype, 'date'::regtype])::oid[])) THEN justify_hours(((d.interval_length)::double precision * '00:00:00.000001'::interval))
            ELSE NULL::interval
        END AS time_interval,
        CASE
            WHEN ((d.column_type)::oid = ANY ((ARRAY['smallint'::regtype, 'integer'::regtype, 'bigint'::regtype])::oid[])) THEN d.interval_length
            ELSE NULL::bigint
        END AS integer_interval,
    d.integer_now_func,
    d.num_slices AS num_partitions
   FROM (_tessera_catalog.hypertable h
     JOIN _tessera_catalog.dimension d ON ((d.hypertable_id = h.id)));
COMMENT ON VIEW tessera_information.dimensions IS 'how each hypertable is divided';
CREATE VIEW tessera_information.drop_chunks_policies AS
 SELECT h.relid AS hypertable,
    (j.config ->> 'drop_after'::text) AS older_than,
    COALESCE(((j.config ->> 'cascade'::text))::boolean, false) AS cascade,
    j.id AS job_id,
    j.schedule_interval,
    j.max_runtime,
    j.max_retries,
    j.retry_period,
    ((j.config ->> 'cascade_to_materializations'::text))::boolean AS cascade_to_materializations
   FROM (_tessera_catalog.bgw_job j
     JOIN _tessera_catalog.hypertable h ON ((h.id = j.hypertable_id)))
  WHERE ((j.proc_schema = '_tessera_functions'::name) AND (j.proc_name = 'policy_retention'::name));
COMMENT ON VIEW tessera_information.drop_chunks_policies IS 'retention policies, with the columns this view had before jobs';
CREATE VIEW tessera_information.hypertable_compression_settings AS
 SELECT relid AS hypertable,
    ( SELECT string_agg(quote_ident((x.c)::text), ', '::text ORDER BY x.o) AS string_agg
           FROM unnest(s.segmentby) WITH ORDINALITY x(c, o)) AS segmentby,
    _tessera_functions.orderby_text(orderby, orderby_desc, orderby_nullsfirst) AS orderby,
    NULL::interval AS compress_interval_length,
    NULL::jsonb AS index
   FROM _tessera_catalog.compression_settings s
  WHERE (chunk_id IS NULL);
COMMENT ON VIEW tessera_information.hypertable_compression_settings IS 'how each hypertable with compression enabled compresses';
CREATE VIEW tessera_information.hypertables AS
 SELECT h.schema_name AS hypertable_schema,
    h.table_name AS hypertable_name,
    pg_get_userbyid(c.relowner) AS owner,
    h.num_dimensions,
    ( SELECT count(*) AS count
           FROM _tessera_catalog.chunk k
          WHERE ((k.hypertable_id = h.id) AND (NOT k.dropped))) AS num_chunks,
    (EXISTS ( SELECT
           FROM _tessera_catalog.compression_settings s
          WHERE ((s.hypertable_id = h.id) AND (s.chunk_id IS NULL)))) AS compression_enabled,
    ( SELECT array_agg(t.tablespace_name ORDER BY t.id) AS array_agg
           FROM _tessera_catalog.tablespace t
          WHERE (t.hypertable_id = h.id)) AS tablespaces,
    d.column_name AS primary_dimension,
    d.column_type AS primary_dimension_type
   FROM ((_tessera_catalog.hypertable h
     JOIN pg_class c ON ((c.oid = (h.relid)::oid)))
     JOIN _tessera_catalog.dimension d ON (((d.hypertable_id = h.id) AND (d.interval_length IS NOT NULL))))
  WHERE (NOT (EXISTS ( SELECT
           FROM _tessera_catalog.continuous_agg a
          WHERE (a.mat_hypertable_id = h.id))));
COMMENT ON VIEW tessera_information.hypertables IS 'one row per hypertable; those that hold results of continuous aggregates are in continuous_aggregates';
CREATE VIEW tessera_information.job_history WITH (security_barrier='true') AS
 SELECT id,
    job_id,
    succeeded,
    ((data #>> '{job,proc_schema}'::text[]))::name AS proc_schema,
    ((data #>> '{job,proc_name}'::text[]))::name AS proc_name,
    pid,
    execution_start AS start_time,
    execution_finish AS finish_time,
    (data #> '{job,config}'::text[]) AS config,
    (data #>> '{error_data,sqlerrcode}'::text[]) AS sqlerrcode,
        CASE
            WHEN ((succeeded IS NULL) AND (execution_finish IS NULL)) THEN 'job crash detected, see server logs'::text
            ELSE (data #>> '{error_data,message}'::text[])
        END AS err_message,
    (data #>> '{error_data,detail}'::text[]) AS err_detail,
    (data #>> '{error_data,hint}'::text[]) AS err_hint,
    (data #>> '{error_data,context}'::text[]) AS err_context
   FROM _tessera_catalog.bgw_job_stat_history h
  WHERE (pg_has_role(CURRENT_USER, ( SELECT d.datdba
           FROM pg_database d
          WHERE (d.datname = current_database())), 'USAGE'::text) OR (EXISTS ( SELECT
           FROM pg_roles r
          WHERE ((quote_ident((r.rolname)::text) = (h.data #>> '{job,owner}'::text[])) AND pg_has_role(CURRENT_USER, r.oid, 'USAGE'::text)))));
COMMENT ON VIEW tessera_information.job_history IS 'failed and crashed runs, and successful ones while enable_job_execution_logging is on; of jobs whose owner the user may act as, all for the owner of the database';
CREATE VIEW tessera_information.job_errors WITH (security_barrier='true') AS
 SELECT job_id,
    proc_schema,
    proc_name,
    pid,
    start_time,
    finish_time,
    sqlerrcode,
    err_message
   FROM tessera_information.job_history h
  WHERE (succeeded IS NOT TRUE);
COMMENT ON VIEW tessera_information.job_errors IS 'failed and crashed runs';
CREATE VIEW tessera_information.scheduler AS
 SELECT (_tessera_functions.setting('background_workers'::text))::boolean AS wanted,
    (EXISTS ( SELECT
           FROM _tessera_functions.lock_holders(_tessera_functions.lock_class('scheduler'::text), 0) lock_holders(lock_holders))) AS running,
    s.pid,
    s.driver,
    s.started_at,
    s.heartbeat,
    (clock_timestamp() - s.heartbeat) AS heartbeat_age,
    (_tessera_functions.setting('worker_slots'::text))::integer AS worker_slots,
    ( SELECT (count(*))::integer AS count
           FROM _tessera_catalog.worker_slot w
          WHERE (EXISTS ( SELECT
                   FROM _tessera_functions.lock_holders(_tessera_functions.lock_class('slot'::text), w.slot) lock_holders(lock_holders)))) AS workers
   FROM (( VALUES (1)) one("row")
     LEFT JOIN _tessera_catalog.scheduler_state s ON (true));
COMMENT ON VIEW tessera_information.scheduler IS 'whether the scheduler of this database is wanted, runs, and when it last gave a sign of life';
CREATE VIEW tessera_information.workers AS
 SELECT w.slot,
    w.owner,
    h.pid,
        CASE
            WHEN (h.pid IS NULL) THEN 'starting'::text
            WHEN (COALESCE((r.job_id)::bigint, t.task_id) IS NOT NULL) THEN 'running'::text
            ELSE 'idle'::text
        END AS state,
    r.job_id,
    t.task_id,
    r.last_start AS since
   FROM (((_tessera_catalog.worker_slot w
     LEFT JOIN LATERAL _tessera_functions.lock_holders(_tessera_functions.lock_class('slot'::text), w.slot) h(pid) ON (true))
     LEFT JOIN _tessera_catalog.bgw_job_stat r ON (((r.pid = h.pid) AND (r.last_finish = '-infinity'::timestamp with time zone))))
     LEFT JOIN _tessera_catalog.pg_dist_background_task t ON (((t.pid = h.pid) AND (t.status = ANY (ARRAY['running'::_tessera_catalog.citus_task_status, 'cancelling'::_tessera_catalog.citus_task_status])))));
COMMENT ON VIEW tessera_information.workers IS 'the sessions of this database that run jobs and tasks';
CREATE VIEW tessera_information.job_states AS
 WITH state AS (
         SELECT j_1.id,
            j_1.application_name,
            j_1.owner,
            j_1.scheduled,
            j_1.max_runtime,
            s.next_start,
            s.last_start,
            s.pid,
            s.cancelled_at,
            s.consecutive_failures,
            s.consecutive_crashes,
            s.flags,
            s.last_finish,
            ((s.last_start > '-infinity'::timestamp with time zone) AND (s.last_finish = '-infinity'::timestamp with time zone) AND ((s.flags & 1) = 0)) AS running,
            (EXISTS ( SELECT
                   FROM pg_roles r
                  WHERE ((r.oid = (j_1.owner)::oid) AND r.rolcanlogin))) AS owner_can_login,
            (to_regprocedure(format('%I.%I(integer, jsonb)'::text, j_1.proc_schema, j_1.proc_name)) IS NOT NULL) AS has_proc,
            (EXISTS ( SELECT
                   FROM _tessera_catalog.worker_slot w
                  WHERE ((w.owner)::oid = (j_1.owner)::oid))) AS has_slot,
            _tessera_functions.role_is_served((j_1.owner)::oid, ( SELECT x.driver
                   FROM _tessera_catalog.scheduler_state x)) AS served,
            ( SELECT i.pid
                   FROM tessera_information.workers i
                  WHERE (((i.owner)::oid = (j_1.owner)::oid) AND (i.state = 'idle'::text))
                 LIMIT 1) AS idle_worker
           FROM (_tessera_catalog.bgw_job j_1
             LEFT JOIN _tessera_catalog.bgw_job_stat s ON ((s.job_id = j_1.id)))
        )
 SELECT j.id AS job_id,
    j.application_name,
    j.owner,
        CASE
            WHEN j.running THEN 'running'::text
            WHEN ((NOT j.scheduled) OR (j.next_start = 'infinity'::timestamp with time zone)) THEN 'paused'::text
            WHEN ((j.next_start IS NULL) OR (j.next_start <= now())) THEN 'due'::text
            ELSE 'scheduled'::text
        END AS state,
        CASE
            WHEN (j.scheduled AND (NOT j.running)) THEN j.next_start
            ELSE NULL::timestamp with time zone
        END AS next_start,
        CASE
            WHEN (j.scheduled AND (NOT j.running) AND (j.next_start > '-infinity'::timestamp with time zone) AND (j.next_start < now())) THEN (now() - j.next_start)
            ELSE NULL::interval
        END AS lag,
    (
        CASE
            WHEN (j.running AND (j.cancelled_at IS NOT NULL)) THEN format('it ran longer than max_runtime (%s) and was cancelled'::text, j.max_runtime)
            WHEN j.running THEN format('it runs in session %s since %s'::text, j.pid, j.last_start)
            WHEN ((NOT j.scheduled) AND (j.consecutive_failures > 0)) THEN format('it is not scheduled; %s runs in a row failed: alter_job(%s, scheduled => true) schedules it'::text, j.consecutive_failures, j.id)
            WHEN (NOT j.scheduled) THEN format('it is not scheduled: alter_job(%s, scheduled => true) schedules it'::text, j.id)
            WHEN (j.next_start = 'infinity'::timestamp with time zone) THEN format('its next start is infinity: alter_job(%s, next_start => now()) starts it'::text, j.id)
            WHEN (NOT j.owner_can_login) THEN 'its owner was dropped or cannot log in'::text
            WHEN (NOT j.has_proc) THEN 'its function or procedure does not exist'::text
            WHEN (NOT c.wanted) THEN 'background workers are off in this database: start_background_workers() starts them'::text
            WHEN (NOT c.running) THEN 'no scheduler runs in this database: see select * from tessera.doctor()'::text
            WHEN ((j.next_start IS NULL) OR (j.next_start <= now())) THEN
            CASE
                WHEN ((NOT j.has_slot) AND (NOT j.served)) THEN format('role "%s" has no worker: as that role, start_background_workers() says how it starts one'::text, (pg_get_userbyid((j.owner)::oid))::text)
                WHEN (NOT j.has_slot) THEN format('all %s worker slots are taken by other roles'::text, c.worker_slots)
                WHEN (j.idle_worker IS NULL) THEN 'all workers of its owner are busy or starting'::text
                ELSE 'an idle worker will take it in a moment'::text
            END
            WHEN ((j.consecutive_crashes > 0) AND ((j.flags & 1) = 1)) THEN 'its last run crashed; it waits before it is tried again'::text
            WHEN (j.consecutive_failures > 0) THEN format('its last %s runs failed; it waits before it is tried again'::text, j.consecutive_failures)
            ELSE 'its next start lies ahead'::text
        END COLLATE "default") AS reason
   FROM (state j
     CROSS JOIN tessera_information.scheduler c);
COMMENT ON VIEW tessera_information.job_states IS 'for every job: whether it runs, is due, waits or is paused, when it starts next, how late it is, and why, in words';
CREATE VIEW tessera_information.job_stats AS
 SELECT COALESCE(a.user_view_schema, h.schema_name) AS hypertable_schema,
    COALESCE(a.user_view_name, h.table_name) AS hypertable_name,
    j.id AS job_id,
    NULLIF(s.last_start, '-infinity'::timestamp with time zone) AS last_run_started_at,
    NULLIF(s.last_successful_finish, '-infinity'::timestamp with time zone) AS last_successful_finish,
        CASE
            WHEN (s.last_finish > '-infinity'::timestamp with time zone) THEN
            CASE
                WHEN s.last_run_success THEN 'Success'::text
                ELSE 'Failed'::text
            END
            ELSE NULL::text
        END AS last_run_status,
        CASE
            WHEN ((s.last_start > '-infinity'::timestamp with time zone) AND (s.last_finish = '-infinity'::timestamp with time zone) AND ((s.flags & 1) = 0)) THEN 'Running'::text
            WHEN (NOT j.scheduled) THEN 'Paused'::text
            ELSE 'Scheduled'::text
        END AS job_status,
        CASE
            WHEN (s.last_finish > s.last_start) THEN (s.last_finish - s.last_start)
            ELSE NULL::interval
        END AS last_run_duration,
        CASE
            WHEN j.scheduled THEN s.next_start
            ELSE NULL::timestamp with time zone
        END AS next_start,
    s.total_runs,
    s.total_successes,
    s.total_failures
   FROM (((_tessera_catalog.bgw_job j
     JOIN _tessera_catalog.bgw_job_stat s ON ((s.job_id = j.id)))
     LEFT JOIN _tessera_catalog.hypertable h ON ((h.id = j.hypertable_id)))
     LEFT JOIN _tessera_catalog.continuous_agg a ON ((a.mat_hypertable_id = h.id)));
COMMENT ON VIEW tessera_information.job_stats IS 'what became of the runs of every job';
CREATE VIEW tessera_information.jobs AS
 SELECT j.id AS job_id,
    j.application_name,
    j.schedule_interval,
    j.max_runtime,
    j.max_retries,
    j.retry_period,
    j.proc_schema,
    j.proc_name,
    j.owner,
    j.scheduled,
    j.fixed_schedule,
    j.config,
    s.next_start,
    j.initial_start,
    COALESCE(a.user_view_schema, h.schema_name) AS hypertable_schema,
    COALESCE(a.user_view_name, h.table_name) AS hypertable_name,
    j.check_schema,
    j.check_name
   FROM (((_tessera_catalog.bgw_job j
     LEFT JOIN _tessera_catalog.bgw_job_stat s ON ((s.job_id = j.id)))
     LEFT JOIN _tessera_catalog.hypertable h ON ((h.id = j.hypertable_id)))
     LEFT JOIN _tessera_catalog.continuous_agg a ON ((a.mat_hypertable_id = h.id)));
COMMENT ON VIEW tessera_information.jobs IS 'one row per job';
CREATE VIEW tessera_information.keys AS
 SELECT n.nspname AS table_schema,
    c.relname AS table_name,
    k.name AS constraint_name,
        CASE k.kind
            WHEN 'p'::"char" THEN 'PRIMARY KEY'::text
            WHEN 'u'::"char" THEN 'UNIQUE'::text
            WHEN 'x'::"char" THEN 'EXCLUDE'::text
            WHEN 'f'::"char" THEN 'FOREIGN KEY'::text
            ELSE 'UNIQUE INDEX'::text
        END AS constraint_type,
    k.columns AS column_names,
    replace(k.definition, ' REFERENCES %s('::text, format(' REFERENCES %s('::text, k.referenced)) AS definition,
    (k.definition !~ ' NOT VALID$'::text) AS is_valid
   FROM ((( SELECT (d.logicalrelid)::oid AS relid,
            d.name,
            d.kind,
            d.columns,
            d.definition,
            d.referenced
           FROM _tessera_catalog.pg_dist_key d
        UNION ALL
         SELECT (h.relid)::oid AS relid,
            d.name,
            d.kind,
            d.columns,
            d.definition,
            NULL::regclass
           FROM (_tessera_catalog.chunk_key d
             JOIN _tessera_catalog.hypertable h ON ((h.id = d.hypertable_id)))) k
     JOIN pg_class c ON ((c.oid = k.relid)))
     JOIN pg_namespace n ON ((n.oid = c.relnamespace)))
  WHERE (NOT (EXISTS ( SELECT
           FROM pg_constraint s
          WHERE ((s.conrelid = k.relid) AND (s.conname = k.name) AND (s.contype = k.kind)))));
COMMENT ON VIEW tessera_information.keys IS 'keys of distributed tables, which their shards have, and of hypertables with compression, which their chunks have: PostgreSQL''s catalog shows none of these of the table';
CREATE VIEW tessera_information.policies AS
 SELECT j.id AS job_id,
        CASE j.proc_name
            WHEN 'policy_retention'::name THEN 'retention'::name
            WHEN 'policy_reorder'::name THEN 'reorder'::name
            WHEN 'policy_compression'::name THEN 'compression'::name
            WHEN 'policy_refresh_continuous_aggregate'::name THEN 'continuous aggregate'::name
            WHEN 'policy_precreate_chunks'::name THEN 'chunk pre-creation'::name
            WHEN 'policy_drain'::name THEN 'default partition drain'::name
            ELSE j.proc_name
        END AS policy,
    COALESCE(a.user_view, h.relid) AS hypertable,
    (j.config - 'hypertable_id'::text) AS config,
    j.schedule_interval,
    j.owner,
    j.scheduled
   FROM ((_tessera_catalog.bgw_job j
     LEFT JOIN _tessera_catalog.hypertable h ON ((h.id = j.hypertable_id)))
     LEFT JOIN _tessera_catalog.continuous_agg a ON ((a.mat_hypertable_id = h.id)))
  WHERE ((j.proc_schema = '_tessera_functions'::name) AND (j.proc_name ~~ 'policy\_%'::text));
COMMENT ON VIEW tessera_information.policies IS 'one row per policy, with its hypertable or continuous aggregate; those without one are built in and look after all';
CREATE VIEW tessera_information.policy_stats AS
 SELECT h.relid AS hypertable,
    j.id AS job_id,
    j.job_type,
    s.last_run_success,
    s.last_finish,
    s.last_successful_finish,
    s.last_start,
    s.next_start,
    s.total_runs,
    s.total_failures
   FROM ((_tessera_catalog.bgw_job j
     JOIN _tessera_catalog.bgw_job_stat s ON ((s.job_id = j.id)))
     JOIN _tessera_catalog.hypertable h ON ((h.id = j.hypertable_id)));
COMMENT ON VIEW tessera_information.policy_stats IS 'what became of the runs of policies, under the names it had before jobs';
CREATE VIEW tessera_information.prepared_transactions AS
 SELECT t.remote_transaction_id,
    n.nodename,
    n.nodeport,
    'commit'::text AS decision
   FROM (_tessera_catalog.remote_txn t
     JOIN _tessera_catalog.pg_dist_node n ON ((n.nodeid = t.nodeid)));
COMMENT ON VIEW tessera_information.prepared_transactions IS 'decisions to commit that may not yet have been carried out on their nodes; a prepared transaction without one is rolled back';
CREATE VIEW tessera_information.reorder_policies AS
 SELECT h.relid AS hypertable,
    ((j.config ->> 'index_name'::text))::name AS hypertable_index_name,
    j.id AS job_id,
    j.schedule_interval,
    j.max_runtime,
    j.max_retries,
    j.retry_period
   FROM (_tessera_catalog.bgw_job j
     JOIN _tessera_catalog.hypertable h ON ((h.id = j.hypertable_id)))
  WHERE ((j.proc_schema = '_tessera_functions'::name) AND (j.proc_name = 'policy_reorder'::name));
COMMENT ON VIEW tessera_information.reorder_policies IS 'reorder policies, with the columns this view had before jobs';
ALTER TABLE ONLY _tessera_catalog.bgw_job ALTER COLUMN id SET DEFAULT nextval('_tessera_catalog.bgw_job_id_seq'::regclass);
ALTER TABLE ONLY _tessera_catalog.pg_dist_background_job ALTER COLUMN job_id SET DEFAULT nextval('_tessera_catalog.pg_dist_background_job_job_id_seq'::regclass);
ALTER TABLE ONLY _tessera_catalog.pg_dist_background_task ALTER COLUMN task_id SET DEFAULT nextval('_tessera_catalog.pg_dist_background_task_task_id_seq'::regclass);
ALTER TABLE ONLY _tessera_catalog.pg_dist_cleanup ALTER COLUMN record_id SET DEFAULT nextval('_tessera_catalog.pg_dist_cleanup_record_id_seq'::regclass);
ALTER TABLE ONLY _tessera_catalog.pg_dist_colocation ALTER COLUMN colocationid SET DEFAULT nextval('_tessera_catalog.pg_dist_colocation_colocationid_seq'::regclass);
ALTER TABLE ONLY _tessera_catalog.pg_dist_node ALTER COLUMN nodeid SET DEFAULT nextval('_tessera_catalog.pg_dist_node_nodeid_seq'::regclass);
ALTER TABLE ONLY _tessera_catalog.pg_dist_placement ALTER COLUMN placementid SET DEFAULT nextval('_tessera_catalog.pg_dist_placement_placementid_seq'::regclass);
ALTER TABLE ONLY _tessera_catalog.reference_change ALTER COLUMN change_id SET DEFAULT nextval('_tessera_catalog.reference_change_change_id_seq'::regclass);
ALTER TABLE ONLY _tessera_catalog.remote_command ALTER COLUMN command_id SET DEFAULT nextval('_tessera_catalog.remote_command_command_id_seq'::regclass);
ALTER TABLE ONLY _tessera_catalog.bgw_job
    ADD CONSTRAINT bgw_job_pkey PRIMARY KEY (id);
ALTER TABLE ONLY _tessera_catalog.bgw_job_stat_history
    ADD CONSTRAINT bgw_job_stat_history_pkey PRIMARY KEY (id);
ALTER TABLE ONLY _tessera_catalog.bgw_job_stat
    ADD CONSTRAINT bgw_job_stat_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY _tessera_catalog.bgw_policy_chunk_stats
    ADD CONSTRAINT bgw_policy_chunk_stats_job_id_chunk_id_key UNIQUE (job_id, chunk_id);
ALTER TABLE ONLY _tessera_catalog.bgw_policy_chunk_stats REPLICA IDENTITY USING INDEX bgw_policy_chunk_stats_job_id_chunk_id_key;
ALTER TABLE ONLY _tessera_catalog.chunk_constraint
    ADD CONSTRAINT chunk_constraint_chunk_id_constraint_name_key UNIQUE (chunk_id, constraint_name);
ALTER TABLE ONLY _tessera_catalog.chunk_constraint REPLICA IDENTITY USING INDEX chunk_constraint_chunk_id_constraint_name_key;
ALTER TABLE ONLY _tessera_catalog.chunk_key
    ADD CONSTRAINT chunk_key_pkey PRIMARY KEY (hypertable_id, name);
ALTER TABLE ONLY _tessera_catalog.chunk
    ADD CONSTRAINT chunk_pkey PRIMARY KEY (id);
ALTER TABLE ONLY _tessera_catalog.chunk
    ADD CONSTRAINT chunk_relid_key UNIQUE (relid);
ALTER TABLE ONLY _tessera_catalog.compressed_chunk
    ADD CONSTRAINT compressed_chunk_pkey PRIMARY KEY (chunk_id);
ALTER TABLE ONLY _tessera_catalog.compressed_chunk
    ADD CONSTRAINT compressed_chunk_reader_key UNIQUE (reader);
ALTER TABLE ONLY _tessera_catalog.compressed_chunk
    ADD CONSTRAINT compressed_chunk_remote_key UNIQUE (remote);
ALTER TABLE ONLY _tessera_catalog.compressed_chunk
    ADD CONSTRAINT compressed_chunk_residue_key UNIQUE (residue);
ALTER TABLE ONLY _tessera_catalog.compressed_chunk
    ADD CONSTRAINT compressed_chunk_rows_view_key UNIQUE (rows_view);
ALTER TABLE ONLY _tessera_catalog.compressed_chunk
    ADD CONSTRAINT compressed_chunk_tail_key UNIQUE (tail);
ALTER TABLE ONLY _tessera_catalog.compression_algorithm
    ADD CONSTRAINT compression_algorithm_name_key UNIQUE (name);
ALTER TABLE ONLY _tessera_catalog.compression_algorithm
    ADD CONSTRAINT compression_algorithm_pkey PRIMARY KEY (id);
ALTER TABLE ONLY _tessera_catalog.compression_chunk_size
    ADD CONSTRAINT compression_chunk_size_pkey PRIMARY KEY (chunk_id);
ALTER TABLE ONLY _tessera_catalog.compression_settings
    ADD CONSTRAINT compression_settings_chunk_id_key UNIQUE (chunk_id);
ALTER TABLE ONLY _tessera_catalog.compression_settings
    ADD CONSTRAINT compression_settings_compress_relid_key UNIQUE (compress_relid);
ALTER TABLE ONLY _tessera_catalog.compression_settings
    ADD CONSTRAINT compression_settings_pkey PRIMARY KEY (relid);
ALTER TABLE ONLY _tessera_catalog.continuous_agg
    ADD CONSTRAINT continuous_agg_direct_view_key UNIQUE (direct_view);
ALTER TABLE ONLY _tessera_catalog.continuous_agg
    ADD CONSTRAINT continuous_agg_partial_view_key UNIQUE (partial_view);
ALTER TABLE ONLY _tessera_catalog.continuous_agg
    ADD CONSTRAINT continuous_agg_pkey PRIMARY KEY (mat_hypertable_id);
ALTER TABLE ONLY _tessera_catalog.continuous_agg
    ADD CONSTRAINT continuous_agg_user_view_key UNIQUE (user_view);
ALTER TABLE ONLY _tessera_catalog.continuous_agg
    ADD CONSTRAINT continuous_agg_user_view_schema_user_view_name_key UNIQUE (user_view_schema, user_view_name);
ALTER TABLE ONLY _tessera_catalog.continuous_aggs_bucket_function
    ADD CONSTRAINT continuous_aggs_bucket_function_pkey PRIMARY KEY (mat_hypertable_id);
ALTER TABLE ONLY _tessera_catalog.continuous_aggs_invalidation_threshold
    ADD CONSTRAINT continuous_aggs_invalidation_threshold_pkey PRIMARY KEY (hypertable_id);
ALTER TABLE ONLY _tessera_catalog.continuous_aggs_refresh
    ADD CONSTRAINT continuous_aggs_refresh_pkey PRIMARY KEY (pid);
ALTER TABLE ONLY _tessera_catalog.continuous_aggs_watermark
    ADD CONSTRAINT continuous_aggs_watermark_pkey PRIMARY KEY (mat_hypertable_id);
ALTER TABLE ONLY _tessera_catalog.dimension
    ADD CONSTRAINT dimension_hypertable_id_column_name_key UNIQUE (hypertable_id, column_name);
ALTER TABLE ONLY _tessera_catalog.dimension
    ADD CONSTRAINT dimension_pkey PRIMARY KEY (id);
ALTER TABLE ONLY _tessera_catalog.dimension_slice
    ADD CONSTRAINT dimension_slice_dimension_id_range_start_range_end_key UNIQUE (dimension_id, range_start, range_end);
ALTER TABLE ONLY _tessera_catalog.dimension_slice
    ADD CONSTRAINT dimension_slice_pkey PRIMARY KEY (id);
ALTER TABLE ONLY _tessera_catalog.hypertable
    ADD CONSTRAINT hypertable_associated_schema_name_associated_table_prefix_key UNIQUE (associated_schema_name, associated_table_prefix);
ALTER TABLE ONLY _tessera_catalog.hypertable_part
    ADD CONSTRAINT hypertable_part_helper_key UNIQUE (helper);
ALTER TABLE ONLY _tessera_catalog.hypertable_part
    ADD CONSTRAINT hypertable_part_relation_key UNIQUE (relation);
ALTER TABLE ONLY _tessera_catalog.hypertable
    ADD CONSTRAINT hypertable_pkey PRIMARY KEY (id);
ALTER TABLE ONLY _tessera_catalog.hypertable
    ADD CONSTRAINT hypertable_relid_key UNIQUE (relid);
ALTER TABLE ONLY _tessera_catalog.hypertable
    ADD CONSTRAINT hypertable_schema_name_table_name_key UNIQUE (schema_name, table_name);
ALTER TABLE ONLY _tessera_catalog.loopback
    ADD CONSTRAINT loopback_pkey PRIMARY KEY (only_row);
ALTER TABLE ONLY _tessera_catalog.metadata
    ADD CONSTRAINT metadata_pkey PRIMARY KEY (key);
ALTER TABLE ONLY _tessera_catalog.pg_dist_authinfo
    ADD CONSTRAINT pg_dist_authinfo_pkey PRIMARY KEY (nodeid);
ALTER TABLE ONLY _tessera_catalog.pg_dist_background_job
    ADD CONSTRAINT pg_dist_background_job_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY _tessera_catalog.pg_dist_background_task_depend
    ADD CONSTRAINT pg_dist_background_task_depend_pkey PRIMARY KEY (job_id, task_id, depends_on);
ALTER TABLE ONLY _tessera_catalog.pg_dist_background_task
    ADD CONSTRAINT pg_dist_background_task_job_id_task_id_key UNIQUE (job_id, task_id);
ALTER TABLE ONLY _tessera_catalog.pg_dist_background_task
    ADD CONSTRAINT pg_dist_background_task_pkey PRIMARY KEY (task_id);
ALTER TABLE ONLY _tessera_catalog.pg_dist_cleanup
    ADD CONSTRAINT pg_dist_cleanup_pkey PRIMARY KEY (record_id);
ALTER TABLE ONLY _tessera_catalog.pg_dist_colocation
    ADD CONSTRAINT pg_dist_colocation_pkey PRIMARY KEY (colocationid);
ALTER TABLE ONLY _tessera_catalog.pg_dist_key
    ADD CONSTRAINT pg_dist_key_pkey PRIMARY KEY (logicalrelid, name);
ALTER TABLE ONLY _tessera_catalog.pg_dist_node
    ADD CONSTRAINT pg_dist_node_nodename_nodeport_key UNIQUE (nodename, nodeport);
ALTER TABLE ONLY _tessera_catalog.pg_dist_node
    ADD CONSTRAINT pg_dist_node_pkey PRIMARY KEY (nodeid);
ALTER TABLE ONLY _tessera_catalog.pg_dist_origin
    ADD CONSTRAINT pg_dist_origin_pkey PRIMARY KEY (only_row);
ALTER TABLE ONLY _tessera_catalog.pg_dist_partition
    ADD CONSTRAINT pg_dist_partition_pkey PRIMARY KEY (logicalrelid);
ALTER TABLE ONLY _tessera_catalog.pg_dist_placement
    ADD CONSTRAINT pg_dist_placement_pkey PRIMARY KEY (placementid);
ALTER TABLE ONLY _tessera_catalog.pg_dist_placement
    ADD CONSTRAINT pg_dist_placement_shardid_groupid_key UNIQUE (shardid, groupid);
ALTER TABLE ONLY _tessera_catalog.pg_dist_rebalance_strategy
    ADD CONSTRAINT pg_dist_rebalance_strategy_pkey PRIMARY KEY (name);
ALTER TABLE ONLY _tessera_catalog.pg_dist_shard
    ADD CONSTRAINT pg_dist_shard_pkey PRIMARY KEY (shardid);
ALTER TABLE ONLY _tessera_catalog.read_view
    ADD CONSTRAINT read_view_pkey PRIMARY KEY (hypertable_id);
ALTER TABLE ONLY _tessera_catalog.read_view
    ADD CONSTRAINT read_view_relation_key UNIQUE (relation);
ALTER TABLE ONLY _tessera_catalog.read_view
    ADD CONSTRAINT read_view_source_key UNIQUE (source);
ALTER TABLE ONLY _tessera_catalog.reference_change
    ADD CONSTRAINT reference_change_pkey PRIMARY KEY (change_id);
ALTER TABLE ONLY _tessera_catalog.remote_command
    ADD CONSTRAINT remote_command_pkey PRIMARY KEY (command_id);
ALTER TABLE ONLY _tessera_catalog.remote_txn
    ADD CONSTRAINT remote_txn_pkey PRIMARY KEY (remote_transaction_id);
ALTER TABLE ONLY _tessera_catalog.removed_node
    ADD CONSTRAINT removed_node_pkey PRIMARY KEY (groupid);
ALTER TABLE ONLY _tessera_catalog.scheduler_state
    ADD CONSTRAINT scheduler_state_pkey PRIMARY KEY (only_row);
ALTER TABLE ONLY _tessera_catalog.setting
    ADD CONSTRAINT setting_pkey PRIMARY KEY (name);
ALTER TABLE ONLY _tessera_catalog.shard_transfer
    ADD CONSTRAINT shard_transfer_pkey PRIMARY KEY (operation_id, shardid);
ALTER TABLE ONLY _tessera_catalog.tablespace
    ADD CONSTRAINT tablespace_hypertable_id_tablespace_name_key UNIQUE (hypertable_id, tablespace_name);
ALTER TABLE ONLY _tessera_catalog.tablespace
    ADD CONSTRAINT tablespace_pkey PRIMARY KEY (id);
ALTER TABLE ONLY _tessera_catalog.telemetry_report
    ADD CONSTRAINT telemetry_report_pkey PRIMARY KEY (id);
ALTER TABLE ONLY _tessera_catalog.worker_slot
    ADD CONSTRAINT worker_slot_pkey PRIMARY KEY (owner, slot);
ALTER TABLE ONLY _tessera_catalog.worker_slot
    ADD CONSTRAINT worker_slot_slot_key UNIQUE (slot);
CREATE INDEX bgw_job_hypertable_id_idx ON _tessera_catalog.bgw_job USING btree (hypertable_id);
CREATE INDEX bgw_job_owner_idx ON _tessera_catalog.bgw_job USING btree (owner);
CREATE INDEX bgw_job_proc_hypertable_id_idx ON _tessera_catalog.bgw_job USING btree (proc_schema, proc_name, hypertable_id);
CREATE INDEX bgw_job_stat_due_idx ON _tessera_catalog.bgw_job_stat USING btree (next_start) WHERE (NOT ((last_start > '-infinity'::timestamp with time zone) AND (last_finish = '-infinity'::timestamp with time zone) AND ((flags & 1) = 0)));
CREATE INDEX bgw_job_stat_history_execution_start_idx ON _tessera_catalog.bgw_job_stat_history USING btree (execution_start);
CREATE INDEX bgw_job_stat_history_job_id_idx ON _tessera_catalog.bgw_job_stat_history USING btree (job_id, execution_start DESC);
CREATE INDEX bgw_job_stat_running_idx ON _tessera_catalog.bgw_job_stat USING btree (job_id) WHERE ((last_start > '-infinity'::timestamp with time zone) AND (last_finish = '-infinity'::timestamp with time zone) AND ((flags & 1) = 0));
CREATE INDEX bgw_policy_chunk_stats_chunk_id_idx ON _tessera_catalog.bgw_policy_chunk_stats USING btree (chunk_id);
CREATE INDEX chunk_compressed_chunk_id_idx ON _tessera_catalog.chunk USING btree (compressed_chunk_id);
CREATE INDEX chunk_constraint_dimension_slice_id_idx ON _tessera_catalog.chunk_constraint USING btree (dimension_slice_id, chunk_id);
CREATE INDEX chunk_hypertable_id_idx ON _tessera_catalog.chunk USING btree (hypertable_id);
CREATE INDEX chunk_schema_name_table_name_idx ON _tessera_catalog.chunk USING btree (schema_name, table_name);
CREATE INDEX compression_settings_hypertable_id_idx ON _tessera_catalog.compression_settings USING btree (hypertable_id);
CREATE INDEX continuous_agg_raw_hypertable_id_idx ON _tessera_catalog.continuous_agg USING btree (raw_hypertable_id);
CREATE INDEX continuous_aggs_frozen_idx ON _tessera_catalog.continuous_aggs_frozen USING btree (materialization_id);
CREATE INDEX continuous_aggs_hypertable_invalidation_log_idx ON _tessera_catalog.continuous_aggs_hypertable_invalidation_log USING btree (hypertable_id, lowest_modified_value);
CREATE INDEX continuous_aggs_materialization_invalidation_log_idx ON _tessera_catalog.continuous_aggs_materialization_invalidation_log USING btree (materialization_id, lowest_modified_value);
CREATE INDEX hypertable_part_chunk_id_idx ON _tessera_catalog.hypertable_part USING btree (chunk_id);
CREATE INDEX hypertable_part_hypertable_id_idx ON _tessera_catalog.hypertable_part USING btree (hypertable_id);
CREATE INDEX pg_dist_background_task_depend_depends_on ON _tessera_catalog.pg_dist_background_task_depend USING btree (job_id, depends_on);
CREATE INDEX pg_dist_background_task_depend_task_id ON _tessera_catalog.pg_dist_background_task_depend USING btree (job_id, task_id);
CREATE INDEX pg_dist_background_task_job_id_status_idx ON _tessera_catalog.pg_dist_background_task USING btree (job_id, status);
CREATE INDEX pg_dist_background_task_runnable_idx ON _tessera_catalog.pg_dist_background_task USING btree (owner, task_id) WHERE (status = 'runnable'::_tessera_catalog.citus_task_status);
CREATE INDEX pg_dist_background_task_status_task_id_index ON _tessera_catalog.pg_dist_background_task USING btree (status, task_id);
CREATE INDEX pg_dist_cleanup_operation_id_idx ON _tessera_catalog.pg_dist_cleanup USING btree (operation_id);
CREATE INDEX pg_dist_colocation_configuration_index ON _tessera_catalog.pg_dist_colocation USING btree (distributioncolumntype, shardcount, replicationfactor, distributioncolumncollation);
CREATE UNIQUE INDEX pg_dist_node_one_primary_idx ON _tessera_catalog.pg_dist_node USING btree (groupid) WHERE (noderole = 'primary'::_tessera_catalog.noderole);
CREATE INDEX pg_dist_partition_colocationid_idx ON _tessera_catalog.pg_dist_partition USING btree (colocationid);
CREATE INDEX pg_dist_placement_groupid_index ON _tessera_catalog.pg_dist_placement USING btree (groupid);
CREATE INDEX pg_dist_shard_logicalrelid_index ON _tessera_catalog.pg_dist_shard USING btree (logicalrelid);
CREATE INDEX reference_change_transaction_id_idx ON _tessera_catalog.reference_change USING btree (transaction_id, change_id);
CREATE INDEX remote_command_transaction_id_idx ON _tessera_catalog.remote_command USING btree (transaction_id);
CREATE INDEX remote_txn_nodeid_idx ON _tessera_catalog.remote_txn USING btree (nodeid);
CREATE TRIGGER a_note_caller INSTEAD OF INSERT ON _tessera_catalog.request FOR EACH ROW EXECUTE FUNCTION _tessera_functions.note_caller();
CREATE CONSTRAINT TRIGGER announce AFTER INSERT ON _tessera_catalog.scheduler_state DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION _tessera_functions.announce();
CREATE TRIGGER b_apply_request INSTEAD OF INSERT ON _tessera_catalog.request FOR EACH ROW EXECUTE FUNCTION _tessera_functions.apply_request();
CREATE TRIGGER check_strategy BEFORE INSERT OR UPDATE ON _tessera_catalog.pg_dist_rebalance_strategy FOR EACH ROW EXECUTE FUNCTION _tessera_functions.check_strategy();
CREATE TRIGGER merge_metadata BEFORE INSERT ON _tessera_catalog.metadata FOR EACH ROW EXECUTE FUNCTION _tessera_functions.merge_metadata();
CREATE CONSTRAINT TRIGGER prepare_remotely AFTER INSERT ON _tessera_catalog.remote_command DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION _tessera_functions.on_remote_command();
ALTER TABLE ONLY _tessera_catalog.bgw_job
    ADD CONSTRAINT bgw_job_hypertable_id_fkey FOREIGN KEY (hypertable_id) REFERENCES _tessera_catalog.hypertable(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.bgw_job_stat
    ADD CONSTRAINT bgw_job_stat_job_id_fkey FOREIGN KEY (job_id) REFERENCES _tessera_catalog.bgw_job(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.bgw_policy_chunk_stats
    ADD CONSTRAINT bgw_policy_chunk_stats_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES _tessera_catalog.chunk(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.bgw_policy_chunk_stats
    ADD CONSTRAINT bgw_policy_chunk_stats_job_id_fkey FOREIGN KEY (job_id) REFERENCES _tessera_catalog.bgw_job(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.chunk_constraint
    ADD CONSTRAINT chunk_constraint_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES _tessera_catalog.chunk(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.chunk_constraint
    ADD CONSTRAINT chunk_constraint_dimension_slice_id_fkey FOREIGN KEY (dimension_slice_id) REFERENCES _tessera_catalog.dimension_slice(id);
ALTER TABLE ONLY _tessera_catalog.chunk
    ADD CONSTRAINT chunk_hypertable_id_fkey FOREIGN KEY (hypertable_id) REFERENCES _tessera_catalog.hypertable(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.chunk_key
    ADD CONSTRAINT chunk_key_hypertable_id_fkey FOREIGN KEY (hypertable_id) REFERENCES _tessera_catalog.hypertable(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.compressed_chunk
    ADD CONSTRAINT compressed_chunk_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES _tessera_catalog.chunk(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.compression_chunk_size
    ADD CONSTRAINT compression_chunk_size_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES _tessera_catalog.chunk(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.compression_settings
    ADD CONSTRAINT compression_settings_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES _tessera_catalog.chunk(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.compression_settings
    ADD CONSTRAINT compression_settings_hypertable_id_fkey FOREIGN KEY (hypertable_id) REFERENCES _tessera_catalog.hypertable(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.continuous_agg
    ADD CONSTRAINT continuous_agg_mat_hypertable_id_fkey FOREIGN KEY (mat_hypertable_id) REFERENCES _tessera_catalog.hypertable(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.continuous_agg
    ADD CONSTRAINT continuous_agg_parent_mat_hypertable_id_fkey FOREIGN KEY (parent_mat_hypertable_id) REFERENCES _tessera_catalog.hypertable(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.continuous_agg
    ADD CONSTRAINT continuous_agg_raw_hypertable_id_fkey FOREIGN KEY (raw_hypertable_id) REFERENCES _tessera_catalog.hypertable(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.continuous_aggs_bucket_function
    ADD CONSTRAINT continuous_aggs_bucket_function_mat_hypertable_id_fkey FOREIGN KEY (mat_hypertable_id) REFERENCES _tessera_catalog.continuous_agg(mat_hypertable_id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.continuous_aggs_frozen
    ADD CONSTRAINT continuous_aggs_frozen_materialization_id_fkey FOREIGN KEY (materialization_id) REFERENCES _tessera_catalog.continuous_agg(mat_hypertable_id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.continuous_aggs_invalidation_threshold
    ADD CONSTRAINT continuous_aggs_invalidation_threshold_hypertable_id_fkey FOREIGN KEY (hypertable_id) REFERENCES _tessera_catalog.hypertable(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.continuous_aggs_materialization_invalidation_log
    ADD CONSTRAINT continuous_aggs_materialization_invalid_materialization_id_fkey FOREIGN KEY (materialization_id) REFERENCES _tessera_catalog.continuous_agg(mat_hypertable_id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.continuous_aggs_refresh
    ADD CONSTRAINT continuous_aggs_refresh_materialization_id_fkey FOREIGN KEY (materialization_id) REFERENCES _tessera_catalog.continuous_agg(mat_hypertable_id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.continuous_aggs_watermark
    ADD CONSTRAINT continuous_aggs_watermark_mat_hypertable_id_fkey FOREIGN KEY (mat_hypertable_id) REFERENCES _tessera_catalog.continuous_agg(mat_hypertable_id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.dimension
    ADD CONSTRAINT dimension_hypertable_id_fkey FOREIGN KEY (hypertable_id) REFERENCES _tessera_catalog.hypertable(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.dimension_slice
    ADD CONSTRAINT dimension_slice_dimension_id_fkey FOREIGN KEY (dimension_id) REFERENCES _tessera_catalog.dimension(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.hypertable_part
    ADD CONSTRAINT hypertable_part_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES _tessera_catalog.chunk(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.hypertable_part
    ADD CONSTRAINT hypertable_part_hypertable_id_fkey FOREIGN KEY (hypertable_id) REFERENCES _tessera_catalog.hypertable(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.pg_dist_background_task_depend
    ADD CONSTRAINT pg_dist_background_task_depend_job_id_depends_on_fkey FOREIGN KEY (job_id, depends_on) REFERENCES _tessera_catalog.pg_dist_background_task(job_id, task_id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.pg_dist_background_task_depend
    ADD CONSTRAINT pg_dist_background_task_depend_job_id_fkey FOREIGN KEY (job_id) REFERENCES _tessera_catalog.pg_dist_background_job(job_id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.pg_dist_background_task_depend
    ADD CONSTRAINT pg_dist_background_task_depend_job_id_task_id_fkey FOREIGN KEY (job_id, task_id) REFERENCES _tessera_catalog.pg_dist_background_task(job_id, task_id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.pg_dist_background_task
    ADD CONSTRAINT pg_dist_background_task_job_id_fkey FOREIGN KEY (job_id) REFERENCES _tessera_catalog.pg_dist_background_job(job_id);
ALTER TABLE ONLY _tessera_catalog.pg_dist_key
    ADD CONSTRAINT pg_dist_key_logicalrelid_fkey FOREIGN KEY (logicalrelid) REFERENCES _tessera_catalog.pg_dist_partition(logicalrelid) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.pg_dist_partition
    ADD CONSTRAINT pg_dist_partition_colocationid_fkey FOREIGN KEY (colocationid) REFERENCES _tessera_catalog.pg_dist_colocation(colocationid);
ALTER TABLE ONLY _tessera_catalog.pg_dist_placement
    ADD CONSTRAINT pg_dist_placement_shardid_fkey FOREIGN KEY (shardid) REFERENCES _tessera_catalog.pg_dist_shard(shardid) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.pg_dist_shard
    ADD CONSTRAINT pg_dist_shard_logicalrelid_fkey FOREIGN KEY (logicalrelid) REFERENCES _tessera_catalog.pg_dist_partition(logicalrelid) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.read_view
    ADD CONSTRAINT read_view_hypertable_id_fkey FOREIGN KEY (hypertable_id) REFERENCES _tessera_catalog.hypertable(id) ON DELETE CASCADE;
ALTER TABLE ONLY _tessera_catalog.tablespace
    ADD CONSTRAINT tablespace_hypertable_id_fkey FOREIGN KEY (hypertable_id) REFERENCES _tessera_catalog.hypertable(id) ON DELETE CASCADE;
GRANT USAGE ON SCHEMA _tessera_catalog TO PUBLIC;
GRANT USAGE ON SCHEMA _tessera_functions TO PUBLIC;
GRANT USAGE ON SCHEMA tessera TO PUBLIC;
GRANT USAGE ON SCHEMA tessera_information TO PUBLIC;
GRANT USAGE ON SCHEMA tessera_read TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.continuous_agg TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.hypertable TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.bgw_job TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.pg_dist_background_job TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.pg_dist_background_task TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.bgw_job_id_seq TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.bgw_job_stat TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.bgw_job_stat_history_id_seq TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.bgw_policy_chunk_stats TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.chunk TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.chunk_constraint TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.chunk_id_seq TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.chunk_key TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.compressed_chunk TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.compression_algorithm TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.compression_chunk_size TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.compression_settings TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.continuous_aggs_bucket_function TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.continuous_aggs_frozen TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.continuous_aggs_hypertable_invalidation_log TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.continuous_aggs_invalidation_threshold TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.continuous_aggs_materialization_invalidation_log TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.continuous_aggs_refresh TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.continuous_aggs_watermark TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.dimension TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.dimension_id_seq TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.dimension_slice TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.dimension_slice_id_seq TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.hypertable_id_seq TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.hypertable_part TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.metadata TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.pg_dist_background_job_job_id_seq TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.pg_dist_background_task_depend TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.pg_dist_background_task_task_id_seq TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.pg_dist_cleanup TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.pg_dist_cleanup_record_id_seq TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.pg_dist_colocation TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.pg_dist_colocation_colocationid_seq TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.pg_dist_groupid_seq TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.pg_dist_key TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.pg_dist_node TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.pg_dist_node_nodeid_seq TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.pg_dist_operationid_seq TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.pg_dist_origin TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.pg_dist_partition TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.pg_dist_placement TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.pg_dist_placement_placementid_seq TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.pg_dist_rebalance_strategy TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.pg_dist_shardid_seq TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.pg_dist_shard TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.read_view TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.reference_change_change_id_seq TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.remote_command_command_id_seq TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.remote_txn TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.removed_node TO PUBLIC;
GRANT SELECT,INSERT ON TABLE _tessera_catalog.request TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.scheduler_state TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.setting TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.shard_transfer TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.tablespace TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.tablespace_id_seq TO PUBLIC;
GRANT SELECT ON SEQUENCE _tessera_catalog.telemetry_report_id_seq TO PUBLIC;
GRANT SELECT ON TABLE _tessera_catalog.worker_slot TO PUBLIC;
GRANT SELECT ON TABLE _tessera_functions.noted_changes TO PUBLIC;
GRANT INSERT ON TABLE _tessera_functions.own_changes TO PUBLIC;
GRANT SELECT ON TABLE public.citus_nodes TO PUBLIC;
GRANT SELECT ON TABLE public.citus_shards TO PUBLIC;
GRANT SELECT ON TABLE public.citus_tables TO PUBLIC;
GRANT SELECT ON TABLE public.pg_dist_colocation TO PUBLIC;
GRANT SELECT ON TABLE public.pg_dist_node TO PUBLIC;
GRANT SELECT ON TABLE public.pg_dist_partition TO PUBLIC;
GRANT SELECT ON TABLE public.pg_dist_placement TO PUBLIC;
GRANT SELECT ON TABLE public.pg_dist_shard TO PUBLIC;
GRANT SELECT ON TABLE public.pg_dist_shard_placement TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.background_tasks TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.chunk_compression_settings TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.chunks TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.compress_chunks_policies TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.compressed_chunk_stats TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.compressed_hypertable_stats TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.compression_settings TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.continuous_aggregate_refreshes TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.continuous_aggregate_stats TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.continuous_aggregates TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.dimensions TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.drop_chunks_policies TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.hypertable_compression_settings TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.hypertables TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.job_history TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.job_errors TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.scheduler TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.workers TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.job_states TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.job_stats TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.jobs TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.keys TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.policies TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.policy_stats TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.prepared_transactions TO PUBLIC;
GRANT SELECT ON TABLE tessera_information.reorder_policies TO PUBLIC;
CREATE EVENT TRIGGER tessera_base_schema_drop ON sql_drop
         WHEN TAG IN ('DROP SCHEMA')
   EXECUTE FUNCTION _tessera_functions.on_schema_drop();
CREATE EVENT TRIGGER tessera_cagg_ddl ON ddl_command_end
         WHEN TAG IN ('ALTER VIEW', 'ALTER TABLE', 'ALTER SCHEMA')
   EXECUTE FUNCTION _tessera_functions.on_cagg_ddl();
CREATE EVENT TRIGGER tessera_cagg_drop ON sql_drop
   EXECUTE FUNCTION _tessera_functions.on_cagg_drop();
CREATE EVENT TRIGGER tessera_compressed_ddl ON ddl_command_end
         WHEN TAG IN ('CREATE TRIGGER', 'CREATE INDEX')
   EXECUTE FUNCTION _tessera_functions.on_compressed_ddl();
CREATE EVENT TRIGGER tessera_ddl_command_end ON ddl_command_end
         WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER SCHEMA')
   EXECUTE FUNCTION _tessera_functions.on_ddl_command_end();
CREATE EVENT TRIGGER tessera_ddl_command_start ON ddl_command_start
         WHEN TAG IN ('ALTER EXTENSION', 'DROP EXTENSION')
   EXECUTE FUNCTION _tessera_functions.pause_workers();
CREATE EVENT TRIGGER tessera_distributed_key_ddl ON ddl_command_start
         WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE INDEX')
   EXECUTE FUNCTION _tessera_functions.on_distributed_key_ddl();
CREATE EVENT TRIGGER tessera_foreign_dialect ON ddl_command_start
         WHEN TAG IN ('ALTER TABLE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'CREATE TABLE', 'CREATE VIEW', 'CREATE MATERIALIZED VIEW', 'CREATE INDEX')
   EXECUTE FUNCTION _tessera_functions.on_foreign_dialect();
CREATE EVENT TRIGGER tessera_keep_tables ON ddl_command_start
         WHEN TAG IN ('DROP EXTENSION')
   EXECUTE FUNCTION _tessera_functions.keep_tables();
CREATE EVENT TRIGGER tessera_key_ddl ON ddl_command_start
         WHEN TAG IN ('ALTER TABLE', 'CREATE INDEX')
   EXECUTE FUNCTION _tessera_functions.on_key_ddl();
CREATE EVENT TRIGGER tessera_names_ddl ON ddl_command_end
         WHEN TAG IN ('ALTER TYPE', 'ALTER DOMAIN', 'ALTER SCHEMA', 'ALTER EXTENSION', 'ALTER OPERATOR', 'ALTER COLLATION', 'ALTER PROCEDURE', 'ALTER FUNCTION', 'ALTER ROUTINE')
   EXECUTE FUNCTION _tessera_functions.on_names_ddl();
CREATE EVENT TRIGGER tessera_owned_drop ON ddl_command_end
         WHEN TAG IN ('DROP OWNED')
   EXECUTE FUNCTION _tessera_functions.on_owned_drop();
CREATE EVENT TRIGGER tessera_part_addition ON ddl_command_end
         WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER VIEW', 'CREATE VIEW', 'CREATE INDEX', 'CREATE RULE', 'CREATE TRIGGER')
   EXECUTE FUNCTION _tessera_functions.on_part_addition();
CREATE EVENT TRIGGER tessera_part_ddl ON ddl_command_end
         WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER VIEW', 'ALTER SEQUENCE', 'ALTER FUNCTION', 'ALTER ROUTINE', 'CREATE FUNCTION')
   EXECUTE FUNCTION _tessera_functions.on_part_ddl();
CREATE EVENT TRIGGER tessera_part_drop ON sql_drop
         WHEN TAG IN ('DROP FUNCTION', 'DROP ROUTINE', 'DROP TRIGGER', 'DROP VIEW', 'DROP SEQUENCE', 'DROP SERVER')
   EXECUTE FUNCTION _tessera_functions.on_part_drop();
CREATE EVENT TRIGGER tessera_part_loss ON sql_drop
         WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'DROP INDEX', 'DROP TYPE', 'DROP DOMAIN')
   EXECUTE FUNCTION _tessera_functions.on_part_loss();
CREATE EVENT TRIGGER tessera_partitioned_ddl ON ddl_command_start
         WHEN TAG IN ('ALTER TABLE', 'CREATE INDEX')
   EXECUTE FUNCTION _tessera_functions.on_partitioned_ddl();
CREATE EVENT TRIGGER tessera_procedure_drop ON sql_drop
         WHEN TAG IN ('DROP FUNCTION', 'DROP PROCEDURE', 'DROP ROUTINE', 'DROP SCHEMA', 'DROP OWNED')
   EXECUTE FUNCTION _tessera_functions.on_procedure_drop();
CREATE EVENT TRIGGER tessera_reindex ON ddl_command_start
         WHEN TAG IN ('REINDEX')
   EXECUTE FUNCTION _tessera_functions.on_reindex();
CREATE EVENT TRIGGER tessera_row_security ON ddl_command_end
         WHEN TAG IN ('ALTER TABLE')
   EXECUTE FUNCTION _tessera_functions.on_row_security();
CREATE EVENT TRIGGER tessera_sampler_ddl ON ddl_command_end
         WHEN TAG IN ('CREATE VIEW', 'CREATE MATERIALIZED VIEW', 'CREATE RULE', 'CREATE FUNCTION', 'CREATE PROCEDURE')
   EXECUTE FUNCTION _tessera_functions.on_sampler_ddl();
CREATE EVENT TRIGGER tessera_server_created ON ddl_command_end
         WHEN TAG IN ('CREATE SERVER')
   EXECUTE FUNCTION _tessera_functions.on_server_created();
CREATE EVENT TRIGGER tessera_shard_ddl ON ddl_command_end
         WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'CREATE TABLE', 'CREATE FOREIGN TABLE', 'ALTER INDEX', 'CREATE INDEX', 'CREATE STATISTICS', 'ALTER STATISTICS', 'ALTER TYPE', 'ALTER DOMAIN', 'ALTER SCHEMA')
   EXECUTE FUNCTION _tessera_functions.on_shard_ddl();
CREATE EVENT TRIGGER tessera_shard_drop ON sql_drop
   EXECUTE FUNCTION _tessera_functions.on_shard_drop();
CREATE EVENT TRIGGER tessera_sql_drop ON sql_drop
         WHEN TAG IN ('DROP TABLE', 'DROP SCHEMA', 'DROP OWNED', 'DROP EXTENSION', 'DROP TYPE', 'DROP FOREIGN TABLE')
   EXECUTE FUNCTION _tessera_functions.on_sql_drop();
CREATE EVENT TRIGGER tessera_tablespace_ddl ON ddl_command_end
         WHEN TAG IN ('ALTER TABLE')
   EXECUTE FUNCTION _tessera_functions.on_tablespace_ddl();
CREATE EVENT TRIGGER tessera_type_ddl ON ddl_command_end
         WHEN TAG IN ('ALTER TYPE', 'ALTER DOMAIN')
   EXECUTE FUNCTION _tessera_functions.on_type_ddl();
