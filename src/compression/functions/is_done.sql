create function _tessera_functions.client_xid() returns xid8
language sql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
  -- What was looked up before in this transaction would be shown again, from before the client had a number.
  select pg_stat_clear_snapshot();
  select _tessera_functions.whole_xid(s.backend_xid)
  from pg_stat_get_activity(_tessera_functions.loopback_client()) s
  where s.backend_xid is not null and _tessera_functions.loopback_client() is not null
$$;
comment on function _tessera_functions.client_xid() is
  'transaction of the session whose loopback connection this is; null when it has written nothing or this is none';

create function _tessera_functions.is_done(mark xid8) returns boolean
language plpgsql stable strict
set search_path to pg_catalog, pg_temp
as $$
begin
  -- What this transaction does itself counts for itself; over a loopback connection it is the client's.
  if mark::text = current_setting('tessera.writer', true) or mark = pg_current_xact_id_if_assigned() then
    return true;
  end if;
  -- Null: the record of it is gone, as it is of what was settled long ago.
  return coalesce(pg_xact_status(mark), 'committed') = 'committed';
end
$$;
comment on function _tessera_functions.is_done(xid8) is
  'whether a change of compressed rows that carries this transaction counts: it committed, or it is our own';
