create function _tessera_functions.dblink_schema() returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'dblink'$$;
comment on function _tessera_functions.dblink_schema() is 'the schema dblink was installed in, quoted';

create function _tessera_functions.await_node(
  connection text,
  silence float8,
  until timestamptz,
  probe text
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  dblink constant text := _tessera_functions.dblink_schema();
  busy constant text := format('select %s.dblink_is_busy(%L) = 1', dblink, connection);
  ask_again timestamptz := clock_timestamp() + make_interval(secs => silence);
  pause float8 := 0.001;
  waits bool;
begin
  loop
    execute busy into waits;
    exit when not waits;
    perform pg_sleep(pause);
    pause := least(pause * 1.2, 0.05);
    if clock_timestamp() > until then
      raise exception using errcode = '57014', message = 'canceling statement due to statement timeout';
    elsif clock_timestamp() > ask_again then
      -- It may have much to do. Whether it is alive, another connection tells.
      perform _tessera_functions.require_answer(silence, until, probe);
      ask_again := clock_timestamp() + make_interval(secs => silence);
    end if;
  end loop;
end
$$;
comment on function _tessera_functions.await_node(text, float8, timestamptz, text) is
  'waits until a node has answered on a connection of dblink, for as long as it answers others';

create function _tessera_functions.answers_probe(server text, probe text, until timestamptz) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  dblink constant text := _tessera_functions.dblink_schema();
  waits bool := true;
begin
  execute format('select %s.dblink_connect(%L, %L)', dblink, 'tessera_probe', server);
  execute format('select %s.dblink_send_query(%L, %L)', dblink, 'tessera_probe', probe);
  while waits and clock_timestamp() < until loop
    perform pg_sleep(0.01);
    execute format('select %s.dblink_is_busy(%L) = 1', dblink, 'tessera_probe') into waits;
  end loop;
  return not waits;
end
$$;
comment on function _tessera_functions.answers_probe(text, text, timestamptz) is
  'whether a query is answered until then, on a connection of dblink that stays open';

create function _tessera_functions.require_answer(silence float8, until timestamptz, probe text) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  answered constant bool := _tessera_functions.answers_probe(
    _tessera_functions.loopback_of(current_user), probe, least(until, clock_timestamp() + make_interval(secs => silence)));
begin
  -- What is still open there ends with its client.
  execute format('select %s.dblink_disconnect(%L)', _tessera_functions.dblink_schema(), 'tessera_probe');
  if not answered then
    raise exception using errcode = '08006', message = format('it has not answered for %s s', round(silence::numeric, 3)::float8);
  end if;
end
$$;
comment on function _tessera_functions.require_answer(float8, timestamptz, text) is
  'raises 08006 when a node does not answer a session that asks it for nothing';

create function _tessera_functions.open_node(server text, silence float8, is_due bool) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  execute format('select %s.dblink_connect(%L, %L)', _tessera_functions.dblink_schema(), 'tessera_node', server);
exception
  -- libpq minds connect_timeout only where it waits by itself, which since PostgreSQL 16 it does not.
  when query_canceled then
    if is_due then
      raise;
    end if;
    raise exception using errcode = '08006', message = format('it has not answered for %s s', silence);
end
$$;
comment on function _tessera_functions.open_node(text, float8, bool) is
  'connects to a node; statement_timeout ends it where the node does not answer';

create function _tessera_functions.ask_node(
  prelude text,
  statement text,
  in_transaction bool,
  silence float8,
  patience float8,
  probe text,
  client int,
  client_transaction text
) returns setof text
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  dblink constant text := _tessera_functions.dblink_schema();
  result constant text := format('select array_agg(r) from %s.dblink_get_result(%L) t(r text)', dblink, 'tessera_node');
  until constant timestamptz := coalesce(clock_timestamp() + make_interval(secs => patience), 'infinity');
  message text;
  got text[];
  answer text[];
  empty int;
begin
  foreach message in array
    case when in_transaction then array['begin; ' || prelude || statement, 'commit']
    else array[prelude, statement] end
  loop
    continue when message = '';
    -- What is given up here must not be done when the node wakes up: it gets no commit then.
    exit when message = 'commit' and not exists (
      select from pg_locks l
      where l.locktype = 'virtualxid' and l.pid = client and l.virtualxid = client_transaction and l.granted);
    execute format('select %s.dblink_send_query(%L, %L)', dblink, 'tessera_node', message);
    if message <> 'commit' then
      answer := null;
    end if;
    empty := 0;
    -- No result at all cannot be told from one without rows, and a string can hold several statements.
    while empty < 3 loop
      perform _tessera_functions.await_node('tessera_node', silence, until, probe);
      execute result into got;
      empty := case when got is null then empty + 1 else 0 end;
      if message <> 'commit' then
        answer := coalesce(got, answer);
      end if;
    end loop;
  end loop;
  return query select unnest(answer);
end
$$;
comment on function _tessera_functions.ask_node(text, text, bool, float8, float8, text, int, text) is
  'has a node carry out statements on the connection that is open, and returns the last result; commits them by a message of its own';

create function _tessera_functions.probe_node(server text) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.answers_probe(server, 'select 1', 'infinity');
end
$$;
comment on function _tessera_functions.probe_node(text) is 'returns when a node has answered; a session that has nothing else to do';

create function _tessera_functions.open_node_aside(server text, silence float8, is_due bool) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_own_login();
  perform _tessera_functions.open_node($1, $2, $3);
end
$$;
comment on function _tessera_functions.open_node_aside(text, float8, bool) is
'open_node() for the login of the loopback server, where it is not a member of the owner of the extension.
Privileges: the login of his loopback server';

create function _tessera_functions.ask_node_aside(
  prelude text,
  statement text,
  in_transaction bool,
  silence float8,
  patience float8,
  probe text,
  client int,
  client_transaction text
) returns setof text
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_own_login();
  return query select * from _tessera_functions.ask_node($1, $2, $3, $4, $5, $6, $7, $8);
end
$$;
comment on function _tessera_functions.ask_node_aside(text, text, bool, float8, float8, text, int, text) is
'ask_node() for the login of the loopback server, where it is not a member of the owner of the extension.
Privileges: the login of his loopback server';

create function _tessera_functions.probe_node_aside(server text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_own_login();
  perform _tessera_functions.probe_node($1);
end
$$;
comment on function _tessera_functions.probe_node_aside(text) is
'probe_node() for the login of the loopback server, where it is not a member of the owner of the extension.
Privileges: the login of his loopback server';
