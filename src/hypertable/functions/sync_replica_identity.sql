create function _tessera_functions.sync_replica_identity(hypertable_id integer) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  part record;
begin
  for part in
    select c.oid::regclass as relation, case r.relreplident
        when 'f' then 'full' when 'n' then 'nothing' when 'd' then 'default'
        else 'using index ' || quote_ident(x.relname) end as identity
    from _tessera_catalog.hypertable h
    join pg_class r on r.oid = h.relid, pg_partition_tree(h.relid) t
    join pg_class c on c.oid = t.relid
    left join lateral (
      select i.indexrelid, ic.relname, i.indisreplident
      from pg_index ri, pg_partition_tree(ri.indexrelid) it
      join pg_index i on i.indexrelid = it.relid
      join pg_class ic on ic.oid = i.indexrelid
      where ri.indrelid = r.oid and ri.indisreplident and i.indrelid = c.oid) x on true
    where h.id = hypertable_id and t.level > 0 and c.relkind in ('r', 'p')
      and (c.relreplident <> r.relreplident or r.relreplident = 'i' and not x.indisreplident)
      and (r.relreplident <> 'i' or x.indexrelid is not null)
      -- Rows leave these by themselves, and a publication must not stop them.
      and not (c.relreplident = 'f' and (t.relid in (select k.tail from _tessera_catalog.compressed_chunk k)
        or pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'))
  loop
    execute format('alter table only %s replica identity %s', part.relation, part.identity);
  end loop;
end
$$;
comment on function _tessera_functions.sync_replica_identity(integer) is 'says of the parts of a hypertable what was said of it: REPLICA IDENTITY';

create function _tessera_functions.doctor_publications(
  out check_name text, out status text, out detail text, out hint text
) returns setof record
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  part record;
begin
  check_name := 'publications';
  for part in
    select h.relid::regclass as relation, string_agg(distinct quote_ident(p.pubname), ', ') as publications
    from _tessera_catalog.hypertable h
    join pg_class r on r.oid = h.relid
    join pg_publication p on (p.pubupdate or p.pubdelete) and exists (
      select from pg_publication_tables pt join pg_partition_tree(h.relid) t on t.relid = to_regclass(format('%I.%I', pt.schemaname, pt.tablename))
      where pt.pubname = p.pubname)
    where r.relreplident = 'n' or r.relreplident = 'd' and not exists (
      select from pg_partition_tree(h.relid) t join pg_index i on i.indrelid = t.relid where i.indisprimary)
    group by h.relid
  loop
    status := 'warning';
    detail := format('hypertable "%s" has no replica identity, so UPDATE and DELETE are refused while publication %s sends them on',
      part.relation, part.publications);
    hint := format('alter table %s replica identity full;', part.relation);
    return next;
  end loop;
  if status is null then
    status := 'ok'; detail := 'no publication is in the way';
    return next;
  end if;
end
$$;
comment on function _tessera_functions.doctor_publications() is 'what tessera.doctor() says about publications that reach hypertables';
