create function _tessera_functions.is_done_here(mark xid8) returns boolean
language plpgsql stable strict parallel safe cost 1
set search_path to pg_catalog, pg_temp
as $$
begin
  -- A mark of an own change is in a transaction of the loopback connection, and not to be seen from here.
  return pg_visible_in_snapshot(mark, pg_current_snapshot()) and coalesce(pg_xact_status(mark), 'committed') = 'committed';
end
$$;
comment on function _tessera_functions.is_done_here(xid8) is
  'whether a change of compressed rows that carries this transaction is part of what the snapshot shows';

create function _tessera_functions.changes_compressed_rows(owner oid) returns boolean
language plpgsql stable parallel safe
set search_path to pg_catalog, pg_temp
as $$
declare
  client int;
begin
  -- What was looked up before in this transaction would be shown again.
  perform pg_stat_clear_snapshot();
  select coalesce(a.leader_pid, a.pid) into client from pg_stat_get_activity(pg_backend_pid()) a;
  -- Nobody else logs in as that role.
  return exists (
    select from pg_stat_get_activity(null) a
    where a.application_name = 'tessera loopback ' || client and a.backend_xid is not null
      and a.usesysid = (select r.oid from pg_roles r where r.rolname = _tessera_functions.login_of(pg_get_userbyid(owner))));
end
$$;
comment on function _tessera_functions.changes_compressed_rows(oid) is
  'whether this transaction has changed compressed rows of that owner, over a loopback connection';

create function _tessera_functions.may_read_chunk(chunk_id integer, generation bigint, reader name) returns boolean
language plpgsql stable security definer parallel restricted
set search_path to pg_catalog, pg_temp
as $$
declare
  root pg_class;
  fresh boolean;
begin
  select r.* into root
  from _tessera_catalog.chunk c join _tessera_catalog.hypertable h on h.id = c.hypertable_id join pg_class r on r.oid = h.relid
  where c.id = may_read_chunk.chunk_id;
  if not coalesce(has_table_privilege(reader, root.oid, 'SELECT'), false) then
    raise exception using
      errcode = '42501', message = format('permission denied for table %s', coalesce(root.relname, chunk_id::text)),
      detail = 'Compressed rows can be read by whoever may read all columns of the hypertable.',
      hint = case when root.oid is not null then format('grant select on %s to %I;', root.oid::regclass, reader) end;
  end if;
  if root.relrowsecurity then
    raise exception using
      errcode = '0A000', message = format('compressed rows of "%s" cannot be read while it has row-level security', root.oid::regclass),
      hint = format('alter table %s disable row level security;', root.oid::regclass);
  end if;
  if pg_current_xact_id_if_assigned() is not null and _tessera_functions.changes_compressed_rows(root.relowner) then
    raise exception using
      errcode = '55000', message = format('this transaction has changed compressed rows of "%s", which views of tessera_read do not show yet', root.oid::regclass),
      hint = format('Commit first, or read the hypertable itself: select * from %s;', root.oid::regclass);
  end if;
  -- What TRUNCATE emptied is empty for older snapshots as well; they see the file it had before.
  select t.relfilenode = pg_relation_filenode(t.oid) and r.relfilenode = pg_relation_filenode(r.oid) into fresh
  from _tessera_catalog.compressed_chunk k join pg_class t on t.oid = k.tail join pg_class r on r.oid = k.residue
  where k.chunk_id = may_read_chunk.chunk_id and k.generation >= may_read_chunk.generation;
  if fresh is not true then
    perform _tessera_functions.snapshot_is_old(root.oid::regclass);
  end if;
  return true;
end
$$;
comment on function _tessera_functions.may_read_chunk(integer, bigint, name) is
  'condition of the view by which tessera_read reads a compressed chunk: true, or 42501, 0A000 with row-level security, 55000 after own changes of compressed rows, 40001 where the snapshot is older than the segments';

create function _tessera_functions.snapshot_is_old(hypertable regclass) returns void
language plpgsql stable parallel restricted
set search_path to pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = '40001',
    message = format('could not read "%s" because chunks of it were compressed, decompressed or altered meanwhile', hypertable),
    hint = 'Retry the transaction.';
end
$$;
comment on function _tessera_functions.snapshot_is_old(regclass) is 'raises 40001';

create function _tessera_functions.read_view_is_current(hypertable_id integer, generation bigint) returns boolean
language plpgsql stable parallel restricted
set search_path to pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from _tessera_catalog.read_view v
    where v.hypertable_id = read_view_is_current.hypertable_id and v.generation = read_view_is_current.generation)
  then
    perform _tessera_functions.snapshot_is_old(
      (select h.relid from _tessera_catalog.hypertable h where h.id = read_view_is_current.hypertable_id));
  end if;
  return true;
end
$$;
comment on function _tessera_functions.read_view_is_current(integer, bigint) is
  'condition of each view of tessera_read: true, or 40001 where the snapshot is older than what the view is made of';
