create function _tessera_functions.own_shards(relation oid) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  part record;
  maintenance constant text := current_setting('tessera.maintenance', true);
begin
  perform set_config('tessera.maintenance', 'on', true);
  -- REASSIGN OWNED, of which no event trigger hears, gives foreign tables away; ALTER TABLE OWNER takes back the table alone.
  for part in
    select c.oid::regclass as name, r.relowner::regrole as owner
    from _tessera_catalog.pg_dist_partition p
    join pg_class r on r.oid = p.logicalrelid and r.relowner = p.owner
    join _tessera_catalog.pg_dist_shard s on s.logicalrelid = p.logicalrelid
    join pg_class c on c.oid = s.local_relid
    where p.logicalrelid = relation and c.relowner <> r.relowner
  loop
    execute format('alter foreign table %s owner to %s', part.name, part.owner);
  end loop;
  perform set_config('tessera.maintenance', coalesce(maintenance, ''), true);
end
$$;
comment on function _tessera_functions.own_shards(oid) is 'gives the foreign tables of a distributed table the owner that its shards were made for, once the table has him again';
