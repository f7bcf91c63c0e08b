create function _tessera_functions.move_to_tablespace(relation oid) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  maintenance constant text := current_setting('tessera.maintenance', true);
  h _tessera_catalog.hypertable;
  attached name[];
  target name;
  part record;
begin
  select * into strict h from _tessera_catalog.hypertable t where t.relid::oid = relation;
  select t.spcname into target
  from pg_class c, pg_database d, pg_tablespace t
  where c.oid = relation and d.datname = current_database() and t.oid = coalesce(nullif(c.reltablespace, 0), d.dattablespace);
  attached := array(select t.tablespace_name from _tessera_catalog.tablespace t where t.hypertable_id = h.id);
  if cardinality(attached) > 1 then
    raise exception using
      errcode = '0A000',
      message = format('cannot move hypertable "%s" to tablespace "%s"', h.relid, target),
      detail = format('Its chunks go to %s tablespaces in turn.', cardinality(attached)),
      hint = format('select detach_tablespaces(%L);', h.relid);
  end if;
  if cardinality(attached) = 1 and attached[1] <> target then
    perform _tessera_functions.send_request('detach_tablespace', jsonb_build_object('hypertable_id', h.id, 'tablespace_name', null));
    perform _tessera_functions.send_request('attach_tablespace', jsonb_build_object('hypertable_id', h.id, 'tablespace_name', target));
  end if;
  perform set_config('tessera.maintenance', 'on', true);
  for part in
    select c.oid::regclass as name
    from (
      select t.relid::oid as oid, 0 as place from pg_partition_tree(relation) t where t.relid <> relation
      union
      select x.oid, 1
      from _tessera_catalog.compressed_chunk k
      join _tessera_catalog.chunk c on c.id = k.chunk_id and c.hypertable_id = h.id
      left join _tessera_catalog.compression_settings s on s.chunk_id = k.chunk_id,
        lateral (values (k.tail::oid), (k.residue::oid), (s.compress_relid::oid)) x(oid)
    ) p
    join pg_class c on c.oid = p.oid and c.relkind in ('r', 'p')
    left join pg_tablespace t on t.oid = c.reltablespace, pg_database d join pg_tablespace own on own.oid = d.dattablespace
    where d.datname = current_database() and coalesce(t.spcname, own.spcname) <> target
    order by p.place, c.oid
  loop
    execute format('alter table %s set tablespace %I', part.name, target);
  end loop;
  perform set_config('tessera.maintenance', coalesce(maintenance, ''), true);
end
$$;
comment on function _tessera_functions.move_to_tablespace(oid) is
  'moves the parts of a hypertable that hold rows to its own tablespace, which takes the place of the one that is attached';

create function _tessera_functions.on_tablespace_ddl() returns event_trigger
language plpgsql
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  name constant text := '((?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+))?)';
  sent constant text := current_query();
  moved oid;
begin
  if sent !~* '\mset\s+tablespace\M' or current_setting('tessera.maintenance', true) = 'on' then
    return;
  end if;
  for moved in
    select distinct e.objid
    from pg_event_trigger_ddl_commands() e
    join _tessera_catalog.hypertable h on h.relid::oid = e.objid,
      regexp_matches(sent, '\malter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?' || name || '[^;]*?\mset\s+tablespace\M', 'ig') m
    where e.classid = 'pg_class'::regclass and _tessera_functions.table_called(m[1]) = e.objid
  loop
    perform _tessera_functions.move_to_tablespace(moved);
  end loop;
end
$$;
comment on function _tessera_functions.on_tablespace_ddl() is 'event trigger: chunks follow SET TABLESPACE of their hypertable, with the rights of who says it';
