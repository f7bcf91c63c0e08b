create trigger a_note_caller
  instead of insert on _tessera_catalog.request
  for each row execute function _tessera_functions.note_caller();
create trigger b_apply_request
  instead of insert on _tessera_catalog.request
  for each row execute function _tessera_functions.apply_request();

-- Superusers and the administrators of managed servers may make event triggers. Elsewhere the catalog is brought up
-- to date by tessera.sync_catalog().
do $event_triggers$
begin
  create event trigger tessera_sql_drop on sql_drop
    when tag in ('DROP TABLE', 'DROP SCHEMA', 'DROP OWNED', 'DROP EXTENSION', 'DROP TYPE', 'DROP FOREIGN TABLE')
    execute function _tessera_functions.on_sql_drop();
  create event trigger tessera_ddl_command_end on ddl_command_end
    when tag in ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER SCHEMA')
    execute function _tessera_functions.on_ddl_command_end();
  create event trigger tessera_ddl_command_start on ddl_command_start
    when tag in ('ALTER EXTENSION', 'DROP EXTENSION')
    execute function _tessera_functions.pause_workers();
  create event trigger tessera_type_ddl on ddl_command_end
    when tag in ('ALTER TYPE', 'ALTER DOMAIN')
    execute function _tessera_functions.on_type_ddl();
  create event trigger tessera_key_ddl on ddl_command_start
    when tag in ('ALTER TABLE', 'CREATE INDEX')
    execute function _tessera_functions.on_key_ddl();
  create event trigger tessera_distributed_key_ddl on ddl_command_start
    when tag in ('CREATE TABLE', 'ALTER TABLE', 'CREATE INDEX')
    execute function _tessera_functions.on_distributed_key_ddl();
  create event trigger tessera_compressed_ddl on ddl_command_end
    when tag in ('CREATE TRIGGER', 'CREATE INDEX')
    execute function _tessera_functions.on_compressed_ddl();
  create event trigger tessera_shard_ddl on ddl_command_end
    when tag in ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'CREATE TABLE', 'CREATE FOREIGN TABLE', 'ALTER INDEX', 'CREATE INDEX',
      'CREATE STATISTICS', 'ALTER STATISTICS', 'ALTER TYPE', 'ALTER DOMAIN', 'ALTER SCHEMA')
    execute function _tessera_functions.on_shard_ddl();
  create event trigger tessera_shard_drop on sql_drop
    execute function _tessera_functions.on_shard_drop();
  create event trigger tessera_row_security on ddl_command_end
    when tag in ('ALTER TABLE')
    execute function _tessera_functions.on_row_security();
  create event trigger tessera_sampler_ddl on ddl_command_end
    when tag in ('CREATE VIEW', 'CREATE MATERIALIZED VIEW', 'CREATE RULE', 'CREATE FUNCTION', 'CREATE PROCEDURE')
    execute function _tessera_functions.on_sampler_ddl();
  if pg_catalog.current_setting('server_version_num')::int >= 170000 then
    create event trigger tessera_reindex on ddl_command_start
      when tag in ('REINDEX')
      execute function _tessera_functions.on_reindex();
  end if;
  create event trigger tessera_server_created on ddl_command_end
    when tag in ('CREATE SERVER')
    execute function _tessera_functions.on_server_created();
  create event trigger tessera_part_ddl on ddl_command_end
    when tag in ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER VIEW', 'ALTER SEQUENCE', 'ALTER FUNCTION', 'ALTER ROUTINE', 'CREATE FUNCTION')
    execute function _tessera_functions.on_part_ddl();
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
  -- After tessera_ddl_command_end, by name: what was renamed is known then.
  create event trigger tessera_names_ddl on ddl_command_end
    when tag in ('ALTER TYPE', 'ALTER DOMAIN', 'ALTER SCHEMA', 'ALTER EXTENSION', 'ALTER OPERATOR', 'ALTER COLLATION',
      'ALTER PROCEDURE', 'ALTER FUNCTION', 'ALTER ROUTINE')
    execute function _tessera_functions.on_names_ddl();
  -- Before tessera_sql_drop, by name: a continuous aggregate goes before its hypertables do.
  create event trigger tessera_cagg_drop on sql_drop
    execute function _tessera_functions.on_cagg_drop();
  create event trigger tessera_cagg_ddl on ddl_command_end
    when tag in ('ALTER VIEW', 'ALTER TABLE', 'ALTER SCHEMA')
    execute function _tessera_functions.on_cagg_ddl();
  create event trigger tessera_foreign_dialect on ddl_command_start
    when tag in ('ALTER TABLE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'CREATE TABLE', 'CREATE VIEW', 'CREATE MATERIALIZED VIEW', 'CREATE INDEX')
    execute function _tessera_functions.on_foreign_dialect();
  create event trigger tessera_partitioned_ddl on ddl_command_start
    when tag in ('ALTER TABLE', 'CREATE INDEX')
    execute function _tessera_functions.on_partitioned_ddl();
  create event trigger tessera_tablespace_ddl on ddl_command_end
    when tag in ('ALTER TABLE')
    execute function _tessera_functions.on_tablespace_ddl();
  create event trigger tessera_keep_tables on ddl_command_start
    when tag in ('DROP EXTENSION')
    execute function _tessera_functions.keep_tables();
exception
  when insufficient_privilege then
    raise warning 'event triggers could not be created: %', sqlerrm
      using hint = 'Call tessera.sync_catalog() after you rename, move or drop hypertables or chunks.';
end
$event_triggers$;

create constraint trigger announce after insert on _tessera_catalog.scheduler_state
  deferrable initially deferred
  for each row execute function _tessera_functions.announce();
insert into _tessera_catalog.scheduler_state default values;

create trigger merge_metadata before insert on _tessera_catalog.metadata
  for each row execute function _tessera_functions.merge_metadata();

create constraint trigger prepare_remotely after insert on _tessera_catalog.remote_command
  deferrable initially deferred
  for each row execute function _tessera_functions.on_remote_command();
create trigger check_strategy before insert or update on _tessera_catalog.pg_dist_rebalance_strategy
  for each row execute function _tessera_functions.check_strategy();
