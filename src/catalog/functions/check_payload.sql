create function _tessera_functions.check_scalar(operation text, path text, value jsonb, kind text) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  given constant text := value #>> '{}';
  form constant text := jsonb_typeof(value);
  fits boolean;
begin
  case kind
    when 'int2', 'int4', 'int8', 'oid' then
      fits := form in ('number', 'string') and given ~ '^-?\d{1,19}$' and given::numeric between
        case kind when 'int2' then -32768 when 'int4' then -2147483648 when 'int8' then -9223372036854775808 else 0 end
        and case kind when 'int2' then 32767 when 'int4' then 2147483647 when 'int8' then 9223372036854775807 else 4294967295 end;
    when 'float8' then
      fits := form = 'number' and abs(given::numeric) < 1e300;
    when 'bool' then
      fits := form = 'boolean';
    when 'name' then
      fits := form = 'string' and octet_length(given) between 1 and 63;
    when 'text' then
      fits := form = 'string';
    when 'interval' then
      fits := form = 'string' and given::interval is not null;
    when 'timestamptz' then
      fits := form = 'string' and given::timestamptz is not null;
    when 'object' then
      fits := form = 'object';
    when 'json' then
      fits := form is not null;
    else
      fits := form = 'string' and given = any(string_to_array(kind, '|'));
  end case;
  if fits is not true then
    raise exception using
      errcode = '22023', message = format('request "%s": "%s" must be of type %s', operation, path, kind),
      detail = format('It is %s.', left(coalesce(value::text, 'null'), 100));
  end if;
end
$$;
comment on function _tessera_functions.check_scalar(text, text, jsonb, text) is 'raises 22023 unless a value of a request is of that kind';

create function _tessera_functions.all_integers(elements jsonb, kind text) returns boolean
language sql immutable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
  select coalesce(bool_and(
    case when jsonb_typeof(e) in ('number', 'string') and e #>> '{}' ~ '^-?\d{1,19}$' then (e #>> '{}')::numeric between l.low and l.high else false end), true)
  from jsonb_array_elements(elements) e, (values
    ('int2', -32768, 32767), ('int4', -2147483648, 2147483647), ('int8', -9223372036854775808, 9223372036854775807),
    ('oid', 0, 4294967295)) l(kind, low, high)
  where l.kind = $2
$$;
comment on function _tessera_functions.all_integers(jsonb, text) is 'whether all elements of an array are integers of a type';

create function _tessera_functions.check_payload(operation text, path text, value jsonb, shape jsonb) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  kind text;
  part record;
begin
  case jsonb_typeof(shape)
    when 'object' then
      perform _tessera_functions.check_scalar(operation, path, value, 'object');
      for part in select k from jsonb_object_keys(value) k where not shape ? k limit 1 loop
        raise exception using
          errcode = '22023', message = format('request "%s" has no key "%s"', operation, concat_ws('.', nullif(path, 'payload'), part.k));
      end loop;
      for part in select e.key, e.value as wanted from jsonb_each(shape) e loop
        continue when coalesce(value -> part.key, 'null') = 'null'
          and case jsonb_typeof(part.wanted) when 'string' then right(part.wanted #>> '{}', 1) = '?' when 'array' then part.wanted ->> 1 = '?' end;
        perform _tessera_functions.check_payload(
          operation, concat_ws('.', nullif(path, 'payload'), part.key), value -> part.key, part.wanted);
      end loop;
    when 'array' then
      if jsonb_typeof(value) is distinct from 'array' then
        raise exception using errcode = '22023', message = format('request "%s": "%s" must be an array', operation, path);
      end if;
      for part in select e.value, e.ordinality as number from jsonb_array_elements(value) with ordinality e loop
        perform _tessera_functions.check_payload(operation, format('%s[%s]', path, part.number), part.value, shape -> 0);
      end loop;
    else
      kind := rtrim(shape #>> '{}', '?');
      -- Thousands of numbers at once; where one does not fit, the next branch says which.
      if kind ~ '^(int[248]|oid)\[\]$' and jsonb_typeof(value) = 'array' and _tessera_functions.all_integers(value, left(kind, -2)) then
        null;
      elsif kind like '%[]' then
        perform _tessera_functions.check_payload(operation, path, value, jsonb_build_array(left(kind, -2)));
      else
        perform _tessera_functions.check_scalar(operation, path, value, kind);
      end if;
  end case;
end
$$;
comment on function _tessera_functions.check_payload(text, text, jsonb, jsonb) is
  'raises 22023 where a request lacks something, has something nobody asks for, or something of another type';
