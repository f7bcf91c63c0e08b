create function _tessera_functions.request_shapes() returns jsonb
language sql immutable parallel safe
set search_path to pg_catalog, pg_temp
as $$
select '{
  "open_schema": {"relid": "oid"},
  "draw_hypertable_id": {"relid": "oid"},
  "create_hypertable": {
    "id": "int4", "relid": "oid", "associated_schema_name": "name", "associated_table_prefix": "name", "chunk_reloptions": "text[]?",
    "dimensions": [{"column_name": "name", "num_slices": "int2?", "interval_length": "int8?"}]},
  "record_parts": {"hypertable_id": "int4"},
  "draw_chunk_ids": {"hypertable_id": "int4", "count": "int4"},
  "add_chunks": {
    "hypertable_id": "int4", "chunks": "int4[]", "oids": "oid[]", "dimensions": "int4[]", "starts": "int8[]", "ends": "int8[]"},
  "add_dimension": {"hypertable_id": "int4", "column_name": "name", "num_slices": "int2"},
  "set_dimension": {
    "hypertable_id": "int4", "dimension_id": "int4", "interval_length": "int8?", "num_slices": "int2?",
    "integer_now_func_schema": "name?", "integer_now_func": "name?"},
  "set_chunk_storage": {"hypertable_id": "int4", "options": "text[]?"},
  "attach_tablespace": {"hypertable_id": "int4", "tablespace_name": "name"},
  "detach_tablespace": {"hypertable_id": "int4", "tablespace_name": "name?"},
  "replace_chunk": {"hypertable_id": "int4", "chunk_id": "int4", "relid": "oid"},
  "retire_chunks": {"hypertable_id": "int4", "chunks": "int4[]", "keep": "bool"},
  "demote_keys": {"hypertable_id": "int4"},
  "promote_keys": {"hypertable_id": "int4"},
  "enable_capture": {"hypertable_id": "int4", "step": "int8"},
  "disable_capture": {"hypertable_id": "int4"},
  "log_range": {"hypertable_id": "int4", "unit": "int8", "lowest": "int8", "highest": "int8"},

  "set_compression": {
    "hypertable_id": "int4", "segmentby": "name[]", "orderby": [{"column": "name", "descending": "bool", "nullsFirst": "bool"}, "?"]},
  "compress_chunk": {
    "hypertable_id": "int4", "chunk_id": "int4", "relid": "oid", "tail": "oid", "remote": "oid", "residue": "oid", "rows_view": "oid",
    "segments": "oid", "reader": "oid", "slice_bounds": "int8[]", "segmentby": "name[]", "orderby": [{"column": "name", "descending": "bool", "nullsFirst": "bool"}],
    "sizes": {
      "uncompressed": {"heap": "int8", "toast": "int8", "index": "int8"},
      "compressed": {"heap": "int8", "toast": "int8", "index": "int8"}, "rows": "int8", "segments": "int8"}},
  "recompress_chunk": {"hypertable_id": "int4", "chunk_id": "int4", "rows": "int8?", "segments": "int8?"},
  "decompress_chunk": {"hypertable_id": "int4", "chunk_id": "int4", "relid": "oid"},
  "rename_compressed": {"hypertable_id": "int4", "old": "name", "renamed": "name"},
  "repair_chunk": {"hypertable_id": "int4", "chunk_id": "int4", "rows_view": "oid?", "remote": "oid?", "reader": "oid?"},
  "build_read_view": {"hypertable_id": "int4"},
  "lock_read_view": {"hypertable_id": "int4"},
  "loopback": {"relid": "oid"},

  "cagg_create": {
    "cagg": "int4", "raw": "int4", "user_view": "oid", "partial_view": "oid", "direct_view": "oid", "materialized_only": "bool",
    "refresh_lag": "int8?", "max_interval_per_job": "int8?", "ignore_invalidation_older_than": "int8?",
    "bucket": {
      "bucket_width": "text", "bucket_origin": "text?", "bucket_offset": "text?", "bucket_timezone": "text?",
      "bucket_fixed_width": "bool", "bucket_period": "int8", "bucket_phase": "int8"}},
  "cagg_alter": {
    "cagg": "int4", "materialized_only": "bool?", "refresh_lag": "int8?", "max_interval_per_job": "int8?",
    "ignore_invalidation_older_than": "int8?"},
  "cagg_forget": {"cagg": "int4"},
  "cagg_threshold": {"cagg": "int4", "threshold": "int8?", "alone": "bool?"},
  "cagg_look": {"cagg": "int4", "first": "int8", "last": "int8"},
  "cagg_take": {"cagg": "int4", "first": "int8", "last": "int8", "force": "bool"},
  "cagg_put": {"cagg": "int4", "first": "int8", "last": "int8", "force": "bool", "parts": ["int8[]"], "batches": "int4?"},
  "cagg_cut": {"cagg": "int4", "first": "int8", "last": "int8"},
  "cagg_done": {"cagg": "int4", "watermark": "int8?", "unsettled": ["int8[]", "?"], "finished": "bool?"},
  "cagg_forsake": {"hypertable_id": "int4", "cagg": "int4", "gone": ["int8[]"], "stale": ["int8[]"]},

  "job.insert": {
    "name": "text", "job_type": "name?", "schedule_interval": "interval", "max_runtime": "interval?", "max_retries": "int4?",
    "retry_period": "interval?", "proc_schema": "name", "proc_name": "name", "owner": "text?", "scheduled": "bool?",
    "fixed_schedule": "bool?", "initial_start": "timestamptz?", "first_start": "timestamptz?", "hypertable_id": "int4?",
    "config": "json?", "check_schema": "name?", "check_name": "name?", "timezone": "text?"},
  "job.update": {
    "job_id": "int4", "next_start": "timestamptz?", "changes": {
      "application_name": "name?", "schedule_interval": "interval?", "max_runtime": "interval?", "max_retries": "int4?",
      "retry_period": "interval?", "scheduled": "bool?", "fixed_schedule": "bool?", "initial_start": "timestamptz?",
      "config": "json?", "check_schema": "name?", "check_name": "name?", "timezone": "text?"}},
  "job.set_next_start": {"job_id": "int4", "next_start": "timestamptz"},
  "job.delete": {"job_id": "int4"},
  "job.note_run": {"job_id": "int4", "began": "timestamptz"},
  "job.note_chunk": {"job_id": "int4", "chunk_id": "int4"},

  "task.create_job": {"job_type": "name", "description": "text"},
  "task.add_task": {
    "job_id": "int8", "command": "text", "depends_on": "int8[]", "nodes_involved": "int4[]?", "owner": "oid", "not_before": "timestamptz?"},
  "task.cancel_job": {"job_id": "int8"},

  "cluster.add_node": {"name": "text?", "port": "int4?", "group": "int4?", "role": "text?", "cluster": "name?", "active": "bool?"},
  "cluster.set_coordinator_host": {"name": "text?", "port": "int4?"},
  "cluster.update_node": {"id": "int4?", "name": "text?", "port": "int4?"},
  "cluster.activate_node": {"name": "text?", "port": "int4?"},
  "cluster.disable_node": {"name": "text?", "port": "int4?"},
  "cluster.remove_node": {"name": "text?", "port": "int4?"},
  "cluster.forget_removed_node": {"name": "text?", "port": "int4?"},
  "cluster.set_node_property": {"name": "text?", "port": "int4?", "property": "text?", "value": "bool?"},
  "cluster.set_node_auth": {"authinfo": "text?", "name": "text?", "port": "int4?"},
  "cluster.adopt_nodes": {},

  "shard.register": {
    "relid": "oid", "column": "name?", "model": "s|t", "with": "text", "shardCount": "int4?", "keys": [{
      "name": "name", "kind": "p|u|x|f|i", "definition": "text", "columns": "text[]", "referenced": "oid?", "referencedColumns": "name[]",
      "onUpdate": "a|r|c|n|d?", "onDelete": "a|r|c|n|d?", "comment": "text?"}]},
  "shard.attach": {"relid": "oid"},
  "shard.forget": {"relid": "oid"},
  "shard.maintain": {"relid": "oid", "what": "vacuum|vacuum_analyze|vacuum_full|vacuum_full_analyze|reindex|reindex_concurrently"},
  "shard.adopt": {},
  "shard.create_key": {"relid": "oid", "columns": "name[]", "kind": "p|u", "name": "name?"},
  "shard.create_foreign_key": {
    "relid": "oid", "columns": "name[]", "referenced": "oid", "referencedColumns": "name[]?", "onDelete": "text", "onUpdate": "text",
    "name": "name?", "notValid": "bool"},
  "shard.drop_key": {"relid": "oid", "name": "name"},
  "shard.move": {
    "shard": "int8?", "source": "int4?", "target": "int4?", "sourceName": "text?", "sourcePort": "int4?", "targetName": "text?",
    "targetPort": "int4?", "mode": "auto|force_logical|block_writes?"},
  "shard.copy": {
    "shard": "int8?", "source": "int4?", "target": "int4?", "sourceName": "text?", "sourcePort": "int4?", "targetName": "text?",
    "targetPort": "int4?", "mode": "auto|force_logical|block_writes?"},
  "shard.replicate_references": {},

  "rebalance.plan": {
    "relation": "oid?", "threshold": "float8?", "maxMoves": "int4?", "excluded": "int8[]?", "drainOnly": "bool?", "strategy": "name?",
    "improvement": "float8?", "mode": "auto|force_logical|block_writes?"},
  "rebalance.now": {
    "relation": "oid?", "threshold": "float8?", "maxMoves": "int4?", "excluded": "int8[]?", "drainOnly": "bool?", "strategy": "name?",
    "improvement": "float8?", "mode": "auto|force_logical|block_writes?"},
  "rebalance.drain": {"name": "text?", "port": "int4?", "mode": "auto|force_logical|block_writes?", "strategy": "name?"},
  "rebalance.start": {"strategy": "name?", "drainOnly": "bool?", "mode": "auto|force_logical|block_writes?", "references": "bool?", "colocated": "bool?"},
  "rebalance.add_strategy": {
    "name": "name?", "cost": "oid?", "capacity": "oid?", "allowed": "oid?", "threshold": "float8?", "minimum": "float8?", "improvement": "float8?"},
  "rebalance.set_default": {"name": "name?"}
}'::jsonb
$$;
comment on function _tessera_functions.request_shapes() is
  'what requests there are, the keys their payloads have and of which type: a question mark stands for null or absent, [] for an array, a bar for a choice';
