create function _tessera_functions.uncaptured_tables(hypertable_id integer) returns setof regclass
language sql stable
set search_path to pg_catalog, pg_temp
as $$
-- As capture-ddl.ts names them. Segments have a trigger for UPDATE only where rows are segmented by a column.
with tables(relation, key, events) as (
  select _tessera_functions.default_partition(h.relid), '0', '{insert,update,delete,truncate}'::text[]
  from _tessera_catalog.hypertable h where h.id = $1
  union all
  select coalesce(k.tail, c.relid), c.id::text, '{insert,update,delete,truncate}'
  from _tessera_catalog.chunk c left join _tessera_catalog.compressed_chunk k on k.chunk_id = c.id
  where c.hypertable_id = $1 and not c.dropped
  union all
  select k.residue, c.id || 'r', '{insert,update,delete}'
  from _tessera_catalog.chunk c join _tessera_catalog.compressed_chunk k on k.chunk_id = c.id
  where c.hypertable_id = $1
  union all
  select s.compress_relid, c.id || 's', '{delete}'
  from _tessera_catalog.chunk c join _tessera_catalog.compression_settings s on s.chunk_id = c.id
  join _tessera_catalog.compressed_chunk k on k.chunk_id = c.id
  where c.hypertable_id = $1
)
select t.relation
from tables t join pg_class c on c.oid = t.relation
where exists (
  select from unnest(t.events) event
  where not exists (
    select from pg_trigger g
    where g.tgrelid = t.relation and g.tgenabled in ('O', 'A')
      and g.tgname = format('tessera_capture_%s_%s_%s', $1, t.key, event)))
order by t.relation
$$;
comment on function _tessera_functions.uncaptured_tables(integer) is
  'tables with rows of a hypertable that lack a trigger, or have a disabled one, by which continuous aggregates learn of changes';

create function _tessera_functions.doctor_caggs(
  out check_name text, out status text, out detail text, out hint text
) returns setof record
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  cagg record;
  raw record;
  parts text[];
  found int := 0;
  bad int := 0;
begin
  check_name := 'continuous aggregates';
  for cagg in
    select format('%I.%I', a.user_view_schema, a.user_view_name) as name, v.relowner as owner, v.oid is not null and r.oid is not null as is_there,
      array(
        select format('%s "%s"', p.what, p.name)
        from (values
          ('the table with its results', m.relid::oid, format('%I.%I', m.schema_name, m.table_name)),
          ('view', a.partial_view::oid, format('%I.%I', a.partial_view_schema, a.partial_view_name)),
          ('view', a.direct_view::oid, format('%I.%I', a.direct_view_schema, a.direct_view_name))) p(what, oid, name)
        where not exists (select from pg_class c where c.oid = p.oid)) as missing,
      array(
        select format('%I.%I', n.nspname, c.relname)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.oid in (m.relid, a.partial_view, a.direct_view) and c.relowner <> v.relowner order by 1) as foreign_parts
    from _tessera_catalog.continuous_agg a
    join _tessera_catalog.hypertable m on m.id = a.mat_hypertable_id
    join _tessera_catalog.hypertable h on h.id = a.raw_hypertable_id
    left join pg_class v on v.oid = a.user_view
    left join pg_class r on r.oid = h.relid
    order by a.mat_hypertable_id
  loop
    found := found + 1;
    status := 'error';
    hint := 'select tessera.sync_catalog();';
    if not cagg.is_there then
      detail := format('the view or the hypertable of %s is gone', cagg.name);
    elsif cardinality(cagg.missing) > 0 then
      detail := format('%s cannot be refreshed: %s is gone', cagg.name, array_to_string(cagg.missing, ', '));
      hint := format(E'-- and create it again\nselect drop_continuous_aggregate(%L);', cagg.name);
    elsif cardinality(cagg.foreign_parts) > 0 then
      detail := format('%s belongs to %s, parts of it do not: %s', cagg.name, pg_get_userbyid(cagg.owner), array_to_string(cagg.foreign_parts, ', '));
    else
      continue;
    end if;
    bad := bad + 1;
    return next;
  end loop;

  for raw in
    select h.id, h.relid, t.step, format('%I.%I', h.schema_name, h.table_name) as name,
      array(
        select format('call refresh_continuous_aggregate(%L, null, null, force => true)', format('%I.%I', a.user_view_schema, a.user_view_name))
        from _tessera_catalog.continuous_agg a where a.raw_hypertable_id = h.id order by a.mat_hypertable_id) as calls
    from _tessera_catalog.continuous_aggs_invalidation_threshold t
    join _tessera_catalog.hypertable h on h.id = t.hypertable_id
    join pg_class c on c.oid = h.relid
    order by h.id
  loop
    parts := array(select p::text from _tessera_functions.uncaptured_tables(raw.id) p);
    if cardinality(parts) > 0 then
      bad := bad + 1;
      status := 'error';
      detail := format('changes of %s are lost to its continuous aggregates: triggers of %s of its tables are missing or disabled, of %s first',
        raw.name, cardinality(parts), parts[1]);
      hint := format('select _tessera_functions.enable_capture(%s, %s); %s;',
        raw.relid::oid, raw.step, array_to_string(raw.calls, '; '));
      return next;
    end if;
  end loop;

  for raw in
    select distinct on (h.id) format('%I.%I', h.schema_name, h.table_name) as name, l.pid
    from _tessera_catalog.continuous_aggs_invalidation_threshold t
    join _tessera_catalog.hypertable h on h.id = t.hypertable_id
    join pg_locks l on l.virtualtransaction = any(t.writers) and l.virtualtransaction = any(_tessera_functions.writers_of(h.id))
    where t.settled < t.watermark
    order by h.id, l.pid
  loop
    bad := bad + 1;
    status := 'warning';
    detail := format('a transaction that writes to %s has been open since before the last refresh: what is materialized meanwhile each refresh computes again', raw.name);
    hint := case when raw.pid is null then 'select * from pg_prepared_xacts;'
      else format('select * from pg_stat_activity where pid = %s;', raw.pid) end;
    return next;
  end loop;

  for raw in
    select j.id, format('%I.%I', a.user_view_schema, a.user_view_name) as name
    from _tessera_catalog.continuous_agg a
    join _tessera_catalog.bgw_job j
      on j.hypertable_id = a.mat_hypertable_id and j.proc_name = 'policy_refresh_continuous_aggregate'
    join _tessera_catalog.bgw_job_stat s on s.job_id = j.id
    where s.last_finish > '-infinity' and not s.last_run_success
    order by a.mat_hypertable_id
  loop
    bad := bad + 1;
    status := 'warning';
    detail := format('job %s, which refreshes %s, failed the last time', raw.id, raw.name);
    hint := format('select * from tessera_information.job_errors where job_id = %s;', raw.id);
    return next;
  end loop;

  if bad = 0 then
    status := 'ok'; hint := null;
    detail := case when found = 0 then 'there are none' else found || ' are whole, and learn of all changes' end;
    return next;
  end if;
end
$$;
comment on function _tessera_functions.doctor_caggs() is 'the part of tessera.doctor() about continuous aggregates';
