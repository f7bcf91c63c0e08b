select pg_catalog.pg_extension_config_dump('_tessera_catalog.hypertable', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.hypertable_id_seq', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.dimension', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.dimension_id_seq', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.dimension_slice', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.dimension_slice_id_seq', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.chunk', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.chunk_id_seq', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.chunk_constraint', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.tablespace', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.tablespace_id_seq', '');
select pg_catalog.pg_extension_config_dump(
  '_tessera_catalog.metadata', $$where key not in ('uuid', 'install_timestamp', 'tessera_version')$$);
select pg_catalog.pg_extension_config_dump('_tessera_catalog.setting', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.bgw_job', 'where id >= 1000');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.bgw_job_id_seq', '');
