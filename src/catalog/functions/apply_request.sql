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

create function _tessera_functions.apply_request() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  shape jsonb := _tessera_functions.request_shapes() -> new.operation;
begin
  if shape is null then
    raise exception using errcode = '22023', message = format('there is no request "%s"', new.operation);
  end if;
  perform _tessera_functions.check_payload(new.operation, 'payload', new.payload, shape);
  execute format('select _tessera_functions.%I($1, $2)', 'request_' || replace(new.operation, '.', '_'))
  into new.result using new.caller,
    -- What is absent is null.
    coalesce((select jsonb_object_agg(k, null) from jsonb_object_keys(shape) k), '{}') || new.payload;
  return new;
end
$$;
comment on function _tessera_functions.apply_request() is
  'second trigger of _tessera_catalog.request: runs as the owner of the extension and carries the request out, each of which checks the caller by itself';

create function _tessera_functions.send_request(operation text, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  noted name;
  answer jsonb;
begin
  insert into _tessera_catalog.request (operation, payload) values ($1, $2) returning caller, result into noted, answer;
  -- A view cannot have triggers that always fire.
  if noted is null then
    raise exception using
      errcode = '55000', message = 'the catalog cannot be written while triggers are off',
      detail = format('session_replication_role is "%s".', current_setting('session_replication_role')),
      hint = 'set session_replication_role = origin;';
  end if;
  return answer;
end
$$;
comment on function _tessera_functions.send_request(text, jsonb) is
  'has a request carried out by the owner of the extension; 55000 where its triggers do not fire';
