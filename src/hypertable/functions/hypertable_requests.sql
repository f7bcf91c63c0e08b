create function _tessera_functions.request_open_schema(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  relation oid := (payload ->> 'relid')::oid;
  owner name := (select pg_get_userbyid(relowner) from pg_class where oid = relation);
  keeper oid;
begin
  perform _tessera_functions.require_owner(caller, relation);
  -- One at a time: of two that grant at once, one fails.
  perform pg_advisory_xact_lock(1414725653, 0);
  select n.nspowner into keeper from pg_namespace n where n.nspname = '_tessera_internal';
  -- The owner of a schema may drop whatever is in it.
  if keeper is not null and not exists (
    select from pg_roles r
    where r.oid = keeper and (r.rolsuper or r.rolname = current_user
      or r.oid = (select d.datdba from pg_database d where d.datname = current_database())))
  then
    raise exception using
      errcode = '42501',
      message = 'schema "_tessera_internal" does not belong to the owner of the extension',
      detail = format('It belongs to "%s", who could drop everybody''s chunks.', pg_get_userbyid(keeper)),
      hint = format('alter schema _tessera_internal owner to %I;', current_user);
  end if;
  -- Made here and not by the install script, so that it is no member of the extension: DROP EXTENSION must never
  -- reach a chunk, and a dump must carry it.
  if keeper is null then
    create schema _tessera_internal;
    comment on schema _tessera_internal is 'chunks of hypertables';
    grant usage on schema _tessera_internal to public;
  end if;
  if not has_schema_privilege(caller, '_tessera_internal', 'CREATE') or not has_schema_privilege(owner, '_tessera_internal', 'CREATE') then
    execute format('grant create on schema _tessera_internal to %I, %I', caller, owner);
  end if;
  return null;
end
$$;
comment on function _tessera_functions.request_open_schema(name, jsonb) is 'makes the schema for chunks and lets the owner of the table create in it';

create function _tessera_functions.request_draw_hypertable_id(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_owner(caller, (payload ->> 'relid')::oid);
  return to_jsonb(_tessera_functions.draw_id('hypertable'));
end
$$;
comment on function _tessera_functions.request_draw_hypertable_id(name, jsonb) is 'an id for a hypertable that this transaction makes';

create function _tessera_functions.check_association(caller name, relation oid, id int, schema name, prefix name) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  owner oid := (select c.relowner from pg_class c where c.oid = relation);
begin
  if not exists (select from pg_namespace n where n.nspname = schema
    and (has_schema_privilege(caller, n.oid, 'CREATE') or has_schema_privilege(owner, n.oid, 'CREATE')))
  then
    raise exception using errcode = '42501', message = format('permission denied for schema %s', schema);
  end if;
  -- What others get when they name none.
  if prefix ~ '^_hyper_\d+$' and prefix <> '_hyper_' || id then
    raise exception using errcode = '42501', message = format('associated_table_prefix "%s" is that of another hypertable', prefix);
  end if;
  if octet_length(prefix) > 63 - octet_length('_2147483647_chunk') then
    raise exception using errcode = '42622', message = format('associated_table_prefix "%s" is too long', prefix);
  end if;
end
$$;
comment on function _tessera_functions.check_association(name, oid, int, name, name) is
  'raises 42501 unless the owner of a table may create in the schema for its chunks under that prefix';

create function _tessera_functions.insert_dimension(hypertable_id int, relation oid, given jsonb, range boolean) returns int
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  field pg_attribute;
  made int;
  fits boolean;
begin
  select a.* into field from pg_attribute a
  where a.attrelid = relation and a.attname = given ->> 'column_name' and a.attnum > 0 and not a.attisdropped;
  if range then
    fits := field.attnum = (select p.partattrs[0] from pg_partitioned_table p where p.partrelid = relation)
      and field.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype, 'int2'::regtype, 'int4'::regtype, 'int8'::regtype)
      and (given ->> 'interval_length')::int8 > 0 and given ->> 'num_slices' is null;
  else
    fits := field.attnum is not null and (given ->> 'num_slices')::int > 0 and given ->> 'interval_length' is null
      and not exists (select from _tessera_catalog.dimension d where d.hypertable_id = $1 and d.num_slices is not null);
  end if;
  if fits is not true then
    raise exception using
      errcode = '22023', message = format('"%s" of "%s" cannot be a dimension', given ->> 'column_name', relation::regclass),
      detail = case when range then 'It must be the column the table is partitioned by, of a type of time, with an interval.'
        else 'It must be a column of the table, with a number of slices, and the only hash dimension.' end;
  end if;
  made := _tessera_functions.draw_id('dimension');
  insert into _tessera_catalog.dimension (id, hypertable_id, column_name, column_type, aligned, num_slices, interval_length)
  values (made, $1, field.attname, field.atttypid, range, (given ->> 'num_slices')::smallint, (given ->> 'interval_length')::bigint);
  return made;
end
$$;
comment on function _tessera_functions.insert_dimension(int, oid, jsonb, boolean) is 'records a dimension as the table has it, after it was checked';

create function _tessera_functions.require_storage_options(options text[]) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
begin
  if exists (select from unnest(options) o where o !~ '^[a-z_]+(\.[a-z_]+)?=') then
    raise exception using errcode = '22023', message = 'chunk_reloptions must be storage parameters';
  end if;
end
$$;
comment on function _tessera_functions.require_storage_options(text[]) is 'raises 22023 where something is no storage parameter with its value';

create function _tessera_functions.request_create_hypertable(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  relation oid := (payload ->> 'relid')::oid;
  new_id int := (payload ->> 'id')::int;
  options text[] := array(select jsonb_array_elements_text(nullif(payload -> 'chunk_reloptions', 'null')));
  given jsonb;
  dimension_ids int[] := '{}';
begin
  perform _tessera_functions.require_owner(caller, relation);
  if not exists (select from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
    where c.oid = relation and p.partstrat = 'r' and p.partnatts = 1 and p.partattrs[0] > 0
      and not c.relispartition and c.relpersistence <> 't')
  then
    raise exception using
      errcode = '42809', message = format('"%s" is not a partitioned table', relation::regclass),
      detail = 'A hypertable is a table of its own, partitioned by range of one column.';
  end if;
  perform _tessera_functions.check_association(
    caller, relation, new_id, payload ->> 'associated_schema_name', payload ->> 'associated_table_prefix');
  perform _tessera_functions.claim_id('hypertable', new_id);
  if jsonb_array_length(payload -> 'dimensions') not between 1 and 2 then
    raise exception using errcode = '22023', message = 'a hypertable has a range dimension and at most one hash dimension';
  end if;
  perform _tessera_functions.require_storage_options(options);
  -- Where there are no event triggers, others may bear a name they no longer have.
  update _tessera_catalog.hypertable h set schema_name = coalesce(n.nspname, ''), table_name = coalesce(c.relname, h.id::text)
  from _tessera_catalog.hypertable o left join pg_class c on c.oid = o.relid left join pg_namespace n on n.oid = c.relnamespace,
    pg_class t join pg_namespace tn on tn.oid = t.relnamespace
  where o.id = h.id and t.oid = relation and h.schema_name = tn.nspname and h.table_name = t.relname and h.relid <> relation;
  insert into _tessera_catalog.hypertable
    (id, schema_name, table_name, relid, associated_schema_name, associated_table_prefix, num_dimensions, chunk_reloptions)
  select new_id, n.nspname, c.relname, c.oid, payload ->> 'associated_schema_name',
    payload ->> 'associated_table_prefix', jsonb_array_length(payload -> 'dimensions'),
    case when payload -> 'chunk_reloptions' <> 'null' then options end
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.oid = relation;
  for given in select d from jsonb_array_elements(payload -> 'dimensions') d loop
    dimension_ids := dimension_ids || _tessera_functions.insert_dimension(new_id, relation, given, cardinality(dimension_ids) = 0);
  end loop;
  return jsonb_build_object('dimension_ids', dimension_ids);
end
$$;
comment on function _tessera_functions.request_create_hypertable(name, jsonb) is 'records a hypertable and its dimensions';

create function _tessera_functions.request_add_dimension(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  new_id int := _tessera_functions.insert_dimension(parent.id, parent.relid, payload, false);
  whole_id int;
begin
  update _tessera_catalog.hypertable set num_dimensions = num_dimensions + 1 where id = parent.id;
  -- A chunk that is not divided holds every value of the new dimension.
  if exists (select from _tessera_catalog.chunk where hypertable_id = parent.id) then
    whole_id := _tessera_functions.draw_id('dimension_slice');
    insert into _tessera_catalog.dimension_slice (id, dimension_id, range_start, range_end)
    values (whole_id, new_id, -9223372036854775808, 9223372036854775807);
    insert into _tessera_catalog.chunk_constraint (chunk_id, dimension_slice_id, constraint_name)
    select id, whole_id, 'constraint_' || whole_id from _tessera_catalog.chunk where hypertable_id = parent.id;
  end if;
  return jsonb_build_object('dimension_id', new_id);
end
$$;
comment on function _tessera_functions.request_add_dimension(name, jsonb) is 'records a hash dimension';

create function _tessera_functions.request_set_dimension(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  known _tessera_catalog.dimension;
  clock oid;
begin
  select * into known from _tessera_catalog.dimension d
  where d.id = (payload ->> 'dimension_id')::int and d.hypertable_id = parent.id;
  if known.id is null then
    raise exception using errcode = 'TS002', message = 'dimension does not belong to the hypertable';
  end if;
  select p.oid into clock from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname = payload ->> 'integer_now_func_schema' and p.proname = payload ->> 'integer_now_func' and p.pronargs = 0
    and p.prokind = 'f' and p.provolatile <> 'v' and p.prorettype = known.column_type and has_function_privilege(caller, p.oid, 'execute');
  if (payload ->> 'interval_length')::int8 < 1 or payload ->> 'interval_length' is not null and known.interval_length is null
    or (payload ->> 'num_slices')::int < 1 or payload ->> 'num_slices' is not null and known.num_slices is null
    or clock is null and coalesce(payload ->> 'integer_now_func', payload ->> 'integer_now_func_schema') is not null
    or clock is not null and (known.interval_length is null or known.column_type not in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype))
  then
    raise exception using errcode = '22023', message = format('dimension "%s" cannot be set so', known.column_name);
  end if;
  update _tessera_catalog.dimension d
  set interval_length = coalesce((payload ->> 'interval_length')::bigint, d.interval_length),
    num_slices = coalesce((payload ->> 'num_slices')::smallint, d.num_slices),
    integer_now_func_schema = coalesce(payload ->> 'integer_now_func_schema', d.integer_now_func_schema),
    integer_now_func = coalesce(payload ->> 'integer_now_func', d.integer_now_func)
  where d.id = known.id;
  return null;
end
$$;
comment on function _tessera_functions.request_set_dimension(name, jsonb) is 'changes how chunks of a dimension will be cut';

create function _tessera_functions.request_set_chunk_storage(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  options text[] := array(select jsonb_array_elements_text(nullif(payload -> 'options', 'null')));
begin
  perform _tessera_functions.require_storage_options(options);
  update _tessera_catalog.hypertable h set chunk_reloptions = nullif(options, '{}') where h.id = parent.id;
  return null;
end
$$;
comment on function _tessera_functions.request_set_chunk_storage(name, jsonb) is 'records with which storage parameters chunks will be made';

create function _tessera_functions.request_attach_tablespace(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
begin
  if not exists (
    select from pg_tablespace t join pg_class c on c.oid = parent.relid
    where t.spcname = payload ->> 'tablespace_name' and (has_tablespace_privilege(c.relowner, t.oid, 'create')
      or t.oid = (select d.dattablespace from pg_database d where d.datname = current_database())))
  then
    raise exception using errcode = '42501', message = format('permission denied for tablespace %s', payload ->> 'tablespace_name');
  end if;
  insert into _tessera_catalog.tablespace (id, hypertable_id, tablespace_name)
  values (_tessera_functions.draw_id('tablespace'), parent.id, payload ->> 'tablespace_name')
  on conflict do nothing;
  return null;
end
$$;
comment on function _tessera_functions.request_attach_tablespace(name, jsonb) is 'records that chunks may go to a tablespace';

create function _tessera_functions.request_detach_tablespace(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  removed int;
begin
  delete from _tessera_catalog.tablespace
  where hypertable_id = parent.id
    and (payload ->> 'tablespace_name' is null or tablespace_name = payload ->> 'tablespace_name');
  get diagnostics removed = row_count;
  return jsonb_build_object('removed', removed);
end
$$;
comment on function _tessera_functions.request_detach_tablespace(name, jsonb) is 'records that new chunks go elsewhere';
