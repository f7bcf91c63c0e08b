-- Triggers that an earlier version did not have; their functions exist only now.
do $triggers$
begin
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_ddl_command_start') then
    create event trigger tessera_ddl_command_start on ddl_command_start
      when tag in ('ALTER EXTENSION', 'DROP EXTENSION')
      execute function _tessera_functions.pause_workers();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_type_ddl') then
    create event trigger tessera_type_ddl on ddl_command_end
      when tag in ('ALTER TYPE', 'ALTER DOMAIN')
      execute function _tessera_functions.on_type_ddl();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_key_ddl') then
    create event trigger tessera_key_ddl on ddl_command_start
      when tag in ('ALTER TABLE', 'CREATE INDEX')
      execute function _tessera_functions.on_key_ddl();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_distributed_key_ddl') then
    create event trigger tessera_distributed_key_ddl on ddl_command_start
      when tag in ('CREATE TABLE', 'ALTER TABLE', 'CREATE INDEX')
      execute function _tessera_functions.on_distributed_key_ddl();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_compressed_ddl') then
    create event trigger tessera_compressed_ddl on ddl_command_end
      when tag in ('CREATE TRIGGER', 'CREATE INDEX')
      execute function _tessera_functions.on_compressed_ddl();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_shard_ddl') then
    create event trigger tessera_shard_ddl on ddl_command_end
      when tag in ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'CREATE TABLE', 'CREATE FOREIGN TABLE', 'ALTER INDEX', 'CREATE INDEX',
        'CREATE STATISTICS', 'ALTER STATISTICS', 'ALTER TYPE', 'ALTER DOMAIN', 'ALTER SCHEMA')
      execute function _tessera_functions.on_shard_ddl();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_shard_drop') then
    create event trigger tessera_shard_drop on sql_drop
      execute function _tessera_functions.on_shard_drop();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_row_security') then
    create event trigger tessera_row_security on ddl_command_end
      when tag in ('ALTER TABLE')
      execute function _tessera_functions.on_row_security();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_sampler_ddl') then
    create event trigger tessera_sampler_ddl on ddl_command_end
      when tag in ('CREATE VIEW', 'CREATE MATERIALIZED VIEW', 'CREATE RULE', 'CREATE FUNCTION', 'CREATE PROCEDURE')
      execute function _tessera_functions.on_sampler_ddl();
  end if;
  if pg_catalog.current_setting('server_version_num')::int >= 170000
    and not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_reindex')
  then
    create event trigger tessera_reindex on ddl_command_start
      when tag in ('REINDEX')
      execute function _tessera_functions.on_reindex();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_server_created') then
    create event trigger tessera_server_created on ddl_command_end
      when tag in ('CREATE SERVER')
      execute function _tessera_functions.on_server_created();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_cagg_drop') then
    create event trigger tessera_cagg_drop on sql_drop
      execute function _tessera_functions.on_cagg_drop();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_cagg_ddl') then
    create event trigger tessera_cagg_ddl on ddl_command_end
      when tag in ('ALTER VIEW', 'ALTER TABLE', 'ALTER SCHEMA')
      execute function _tessera_functions.on_cagg_ddl();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_foreign_dialect') then
    create event trigger tessera_foreign_dialect on ddl_command_start
      when tag in ('ALTER TABLE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'CREATE TABLE', 'CREATE VIEW', 'CREATE MATERIALIZED VIEW', 'CREATE INDEX')
      execute function _tessera_functions.on_foreign_dialect();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_partitioned_ddl') then
    create event trigger tessera_partitioned_ddl on ddl_command_start
      when tag in ('ALTER TABLE', 'CREATE INDEX')
      execute function _tessera_functions.on_partitioned_ddl();
    create event trigger tessera_tablespace_ddl on ddl_command_end
      when tag in ('ALTER TABLE')
      execute function _tessera_functions.on_tablespace_ddl();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_keep_tables') then
    create event trigger tessera_keep_tables on ddl_command_start
      when tag in ('DROP EXTENSION')
      execute function _tessera_functions.keep_tables();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_part_ddl') then
    create event trigger tessera_part_ddl on ddl_command_end
      when tag in ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER VIEW', 'ALTER SEQUENCE', 'ALTER FUNCTION', 'ALTER ROUTINE', 'CREATE FUNCTION')
      execute function _tessera_functions.on_part_ddl();
    -- After tessera_ddl_command_end, by name: what was renamed is known then.
    create event trigger tessera_names_ddl on ddl_command_end
      when tag in ('ALTER TYPE', 'ALTER DOMAIN', 'ALTER SCHEMA', 'ALTER EXTENSION', 'ALTER OPERATOR', 'ALTER COLLATION',
        'ALTER PROCEDURE', 'ALTER FUNCTION', 'ALTER ROUTINE')
      execute function _tessera_functions.on_names_ddl();
    create event trigger tessera_part_addition on ddl_command_end
      when tag in ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER VIEW', 'CREATE VIEW', 'CREATE INDEX', 'CREATE RULE', 'CREATE TRIGGER')
      execute function _tessera_functions.on_part_addition();
    create event trigger tessera_part_loss on sql_drop
      when tag in ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'DROP INDEX', 'DROP TYPE', 'DROP DOMAIN')
      execute function _tessera_functions.on_part_loss();
    -- First of those that hear of it, by name: what they would do needs the schema.
    create event trigger tessera_base_schema_drop on sql_drop
      when tag in ('DROP SCHEMA')
      execute function _tessera_functions.on_schema_drop();
    create event trigger tessera_owned_drop on ddl_command_end
      when tag in ('DROP OWNED')
      execute function _tessera_functions.on_owned_drop();
    create event trigger tessera_procedure_drop on sql_drop
      when tag in ('DROP FUNCTION', 'DROP PROCEDURE', 'DROP ROUTINE', 'DROP SCHEMA', 'DROP OWNED')
      execute function _tessera_functions.on_procedure_drop();
    create event trigger tessera_part_drop on sql_drop
      when tag in ('DROP FUNCTION', 'DROP ROUTINE', 'DROP TRIGGER', 'DROP VIEW', 'DROP SEQUENCE', 'DROP SERVER')
      execute function _tessera_functions.on_part_drop();
  end if;
exception
  when insufficient_privilege then
    raise warning 'event triggers could not be created: %', sqlerrm
      using hint = 'Call stop_background_workers() before you update or drop the extension.';
end
$triggers$;

do $announce$
begin
  if not exists (
    select from pg_catalog.pg_trigger
    where tgname = 'announce' and tgrelid = '_tessera_catalog.scheduler_state'::pg_catalog.regclass
  ) then
    create constraint trigger announce after insert on _tessera_catalog.scheduler_state
      deferrable initially deferred
      for each row execute function _tessera_functions.announce();
  end if;
  if not exists (
    select from pg_catalog.pg_trigger
    where tgname = 'prepare_remotely' and tgrelid = '_tessera_catalog.remote_command'::pg_catalog.regclass
  ) then
    create constraint trigger prepare_remotely after insert on _tessera_catalog.remote_command
      deferrable initially deferred
      for each row execute function _tessera_functions.on_remote_command();
  end if;
end
$announce$;
create or replace trigger check_strategy before insert or update on _tessera_catalog.pg_dist_rebalance_strategy
  for each row execute function _tessera_functions.check_strategy();
create or replace trigger merge_metadata before insert on _tessera_catalog.metadata
  for each row execute function _tessera_functions.merge_metadata();
select _tessera_functions.complete_parts();
select _tessera_functions.guard_own();
delete from _tessera_catalog.scheduler_state;
insert into _tessera_catalog.scheduler_state default values;
-- A database that had the extension before it kept these.
insert into _tessera_catalog.metadata (key, value, include_in_telemetry)
select v.key, v.value, true
from (values
  ('uuid', pg_catalog.gen_random_uuid()::text),
  ('install_timestamp', '1970-01-01T00:00:00+00:00')) v(key, value)
where not exists (select from _tessera_catalog.metadata m where m.key = v.key);

insert into _tessera_catalog.metadata (key, value, include_in_telemetry)
values ('tessera_version', _tessera_functions.version(), true);

-- What is made while the extension is updated would be a member of it.
do $read_views$
declare
  part record;
begin
  for part in
    select distinct h.relid from _tessera_catalog.hypertable h join _tessera_catalog.chunk c on c.hypertable_id operator(pg_catalog.=) h.id
    join _tessera_catalog.compressed_chunk k on k.chunk_id operator(pg_catalog.=) c.id and k.reader is null
  loop
    raise notice 'compressed chunks of "%" can be read without the loopback connection', part.relid
      using hint = pg_catalog.format('select create_read_view(%L);', part.relid::pg_catalog.text);
  end loop;
end
$read_views$;
