create function _tessera_functions.note_caller() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  new.caller := current_user;
  return new;
end
$$;
comment on function _tessera_functions.note_caller() is
  'first trigger of _tessera_catalog.request: runs as the caller and notes who that is';

create function _tessera_functions.require_owner(caller name, relation oid) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if not coalesce((select pg_has_role(caller, c.relowner, 'USAGE') from pg_class c where c.oid = relation), false) then
    raise exception using errcode = '42501', message = format('must be owner of hypertable "%s"', relation::regclass);
  end if;
end
$$;
comment on function _tessera_functions.require_owner(name, oid) is 'raises 42501 unless the caller may act as the owner of the relation';

create function _tessera_functions.request_open_schema(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  relation oid := (payload ->> 'relid')::oid;
  owner name := (select pg_get_userbyid(relowner) from pg_class where oid = relation);
begin
  perform _tessera_functions.require_owner(caller, relation);
  if exists (select from pg_namespace n where n.nspname = '_tessera_internal'
    and has_schema_privilege(caller, n.oid, 'CREATE') and has_schema_privilege(owner, n.oid, 'CREATE')) then
    return null;
  end if;
  -- One at a time: of two that grant at once, one fails.
  perform pg_advisory_xact_lock(1414725653, 0);
  -- Made here and not by the install script, so that it is no member of the extension: DROP EXTENSION must never
  -- reach a chunk, and a dump must carry it.
  if not exists (select from pg_namespace where nspname = '_tessera_internal') then
    create schema _tessera_internal;
    comment on schema _tessera_internal is 'chunks of hypertables';
    grant usage on schema _tessera_internal to public;
  end if;
  execute format('grant create on schema _tessera_internal to %I, %I', caller, owner);
  return null;
end
$$;
comment on function _tessera_functions.request_open_schema(name, jsonb) is 'makes the schema for chunks and lets the owner of the table create in it';

create function _tessera_functions.request_create_hypertable(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  relation oid := (payload ->> 'relid')::oid;
  dimension_ids jsonb;
begin
  perform _tessera_functions.require_owner(caller, relation);
  if not exists (select from pg_class where oid = relation and relkind = 'p') then
    raise exception using errcode = '42809', message = format('"%s" is not a partitioned table', relation::regclass);
  end if;
  insert into _tessera_catalog.hypertable
    (id, schema_name, table_name, relid, associated_schema_name, associated_table_prefix, num_dimensions, chunk_reloptions)
  select (payload ->> 'id')::int, n.nspname, c.relname, c.oid, payload ->> 'associated_schema_name',
    payload ->> 'associated_table_prefix', jsonb_array_length(payload -> 'dimensions'),
    case when payload -> 'chunk_reloptions' <> 'null' then array(select jsonb_array_elements_text(payload -> 'chunk_reloptions')) end
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.oid = relation;
  with added as (
    insert into _tessera_catalog.dimension (hypertable_id, column_name, column_type, aligned, num_slices, interval_length)
    select (payload ->> 'id')::int, d ->> 'column_name', (d ->> 'column_type')::regtype, (d ->> 'aligned')::boolean,
      (d ->> 'num_slices')::smallint, (d ->> 'interval_length')::bigint
    from jsonb_array_elements(payload -> 'dimensions') with ordinality x(d, o)
    order by o
    returning id
  )
  select jsonb_agg(id order by id) into dimension_ids from added;
  return jsonb_build_object('dimension_ids', dimension_ids);
end
$$;
comment on function _tessera_functions.request_create_hypertable(name, jsonb) is 'records a hypertable and its dimensions';

create function _tessera_functions.hypertable_of_request(caller name, payload jsonb) returns _tessera_catalog.hypertable
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  found _tessera_catalog.hypertable;
begin
  select * into found from _tessera_catalog.hypertable where id = (payload ->> 'hypertable_id')::int;
  if found.id is null then
    raise exception using errcode = 'TS001', message = format('there is no hypertable with id %s', payload ->> 'hypertable_id');
  end if;
  perform _tessera_functions.require_owner(caller, found.relid);
  return found;
end
$$;
comment on function _tessera_functions.hypertable_of_request(name, jsonb) is 'the hypertable a request is about, after its owner was checked';

create function _tessera_functions.request_add_chunks(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  entry jsonb;
  bound jsonb;
  relation oid;
  slice_id int;
begin
  for entry in select jsonb_array_elements(payload -> 'chunks') loop
    relation := (entry ->> 'oid')::oid;
    if pg_partition_root(relation) is distinct from parent.relid then
      raise exception using
        errcode = '42809', message = format('"%s" is not a partition of "%s"', relation::regclass, parent.relid);
    end if;
    insert into _tessera_catalog.chunk (id, hypertable_id, schema_name, table_name, relid)
    select (entry ->> 'id')::int, parent.id, n.nspname, c.relname, c.oid
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.oid = relation
    -- A chunk that was dropped while aggregates of its rows live on comes back.
    on conflict (id) do update
    set schema_name = excluded.schema_name, table_name = excluded.table_name, relid = excluded.relid, dropped = false,
      creation_time = now()
    where chunk.dropped and chunk.hypertable_id = excluded.hypertable_id;
    if not found then
      raise exception using errcode = '23505', message = format('there is a chunk with id %s already', entry ->> 'id');
    end if;
    for bound in select jsonb_array_elements(entry -> 'slices') loop
      if not exists (
        select from _tessera_catalog.dimension where id = (bound ->> 'dimension_id')::int and hypertable_id = parent.id
      ) then
        raise exception using errcode = 'TS002', message = 'dimension does not belong to the hypertable';
      end if;
      insert into _tessera_catalog.dimension_slice (dimension_id, range_start, range_end)
      values ((bound ->> 'dimension_id')::int, (bound ->> 'start')::bigint, (bound ->> 'end')::bigint)
      on conflict do nothing;
      select id into strict slice_id from _tessera_catalog.dimension_slice
      where dimension_id = (bound ->> 'dimension_id')::int and range_start = (bound ->> 'start')::bigint
        and range_end = (bound ->> 'end')::bigint;
      insert into _tessera_catalog.chunk_constraint (chunk_id, dimension_slice_id, constraint_name)
      values ((entry ->> 'id')::int, slice_id, 'constraint_' || slice_id)
      on conflict do nothing;
    end loop;
  end loop;
  return null;
end
$$;
comment on function _tessera_functions.request_add_chunks(name, jsonb) is 'records chunks that were attached, with their slices; one that was dropped and has come back keeps its id and slices';

create function _tessera_functions.request_add_dimension(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  new_id int;
  whole_id int;
begin
  insert into _tessera_catalog.dimension (hypertable_id, column_name, column_type, aligned, num_slices)
  values (parent.id, payload ->> 'column_name', (payload ->> 'column_type')::regtype, false, (payload ->> 'num_slices')::smallint)
  returning id into new_id;
  update _tessera_catalog.hypertable set num_dimensions = num_dimensions + 1 where id = parent.id;
  -- A chunk that is not divided holds every value of the new dimension.
  if exists (select from _tessera_catalog.chunk where hypertable_id = parent.id) then
    insert into _tessera_catalog.dimension_slice (dimension_id, range_start, range_end)
    values (new_id, -9223372036854775808, 9223372036854775807)
    returning id into whole_id;
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
begin
  update _tessera_catalog.dimension d
  set interval_length = coalesce((payload ->> 'interval_length')::bigint, d.interval_length),
    num_slices = coalesce((payload ->> 'num_slices')::smallint, d.num_slices),
    integer_now_func_schema = coalesce(payload ->> 'integer_now_func_schema', d.integer_now_func_schema),
    integer_now_func = coalesce(payload ->> 'integer_now_func', d.integer_now_func)
  where d.id = (payload ->> 'dimension_id')::int and d.hypertable_id = parent.id;
  if not found then
    raise exception using errcode = 'TS002', message = 'dimension does not belong to the hypertable';
  end if;
  return null;
end
$$;
comment on function _tessera_functions.request_set_dimension(name, jsonb) is 'changes how chunks of a dimension will be cut';

create function _tessera_functions.request_attach_tablespace(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
begin
  insert into _tessera_catalog.tablespace (hypertable_id, tablespace_name)
  values (parent.id, payload ->> 'tablespace_name')
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

create function _tessera_functions.request_replace_chunk(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  relation oid := (payload ->> 'relid')::oid;
begin
  if pg_partition_root(relation) is distinct from parent.relid then
    raise exception using
      errcode = '42809', message = format('"%s" is not a partition of "%s"', relation::regclass, parent.relid);
  end if;
  update _tessera_catalog.chunk c set relid = relation, schema_name = n.nspname, table_name = r.relname
  from pg_class r join pg_namespace n on n.oid = r.relnamespace
  where r.oid = relation and c.id = (payload ->> 'chunk_id')::int and c.hypertable_id = parent.id;
  return null;
end
$$;
comment on function _tessera_functions.request_replace_chunk(name, jsonb) is 'records the table that took the place of a chunk';

create function _tessera_functions.apply_request() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  carrier name := 'request_' || replace(new.operation, '.', '_');
begin
  -- Whatever is named request_* and takes (name, jsonb) checks the caller by itself.
  if to_regprocedure(format('_tessera_functions.%I(name, jsonb)', carrier)) is null then
    raise exception using errcode = '22023', message = format('there is no request "%s"', new.operation);
  end if;
  execute format('select _tessera_functions.%I($1, $2)', carrier) into new.result using new.caller, new.payload;
  return new;
end
$$;
comment on function _tessera_functions.apply_request() is
  'second trigger of _tessera_catalog.request: runs as the owner of the extension and carries the request out';
