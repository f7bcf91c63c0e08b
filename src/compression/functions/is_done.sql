create function _tessera_functions.client_xid() returns xid8
language sql stable security definer
set search_path to pg_catalog, pg_temp
as $$
  -- A 32-bit xid of a running transaction is of this epoch or the one before.
  select case when a.xid > n.low then (n.high - 1) * 4294967296 + a.xid else n.high * 4294967296 + a.xid end::text::xid8
  from (select pg_snapshot_xmax(pg_current_snapshot())::text::numeric as next) x,
    lateral (select div(x.next, 4294967296) as high, mod(x.next, 4294967296) as low) n,
    lateral (
      select s.backend_xid::text::numeric as xid
      from pg_stat_get_activity(substring(current_setting('application_name') from '^tessera loopback (\d+)$')::int) s
      where s.backend_xid is not null) a
$$;
comment on function _tessera_functions.client_xid() is
  'transaction of the session whose loopback connection this is; null when it has written nothing or this is none';

create function _tessera_functions.is_done(mark xid8) returns boolean
language plpgsql stable strict
set search_path to pg_catalog, pg_temp
as $$
begin
  -- What this transaction does itself counts for itself.
  if mark = pg_current_xact_id_if_assigned() then
    return true;
  end if;
  -- Null: the record of it is gone, as it is of what was settled long ago.
  if coalesce(pg_xact_status(mark), 'committed') = 'committed' then
    return true;
  end if;
  return coalesce(mark = _tessera_functions.client_xid(), false);
end
$$;
comment on function _tessera_functions.is_done(xid8) is
  'whether a change of compressed rows that carries this transaction counts: it committed, or it is our own';
