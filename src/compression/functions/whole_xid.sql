create function _tessera_functions.whole_xid(part xid) returns xid8
language sql stable parallel safe
set search_path to pg_catalog, pg_temp
as $$
  -- 32 bits of the number of a transaction. It began before the snapshot or not long after it.
  select (case when x.near - x.next > 16777216 then x.near - 4294967296 when x.next - x.near > 4278190080 then x.near + 4294967296 else x.near end)
    ::text::xid8
  from (
    select n.next, n.next - n.next % 4294967296 + part::text::int8 as near
    from (select pg_snapshot_xmax(pg_current_snapshot())::text::int8 as next) n) x
$$;
comment on function _tessera_functions.whole_xid(xid) is 'the number of a transaction with its epoch, from what a row or a session shows of it';
