create function _tessera_functions.distributed_by_name(typed text) returns oid
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select t.logicalrelid::oid from _tessera_catalog.pg_dist_partition t
  where t.logicalrelid::oid = _tessera_functions.table_called(typed) and t.repmodel = 's'
$$;
comment on function _tessera_functions.distributed_by_name(text) is 'OID of the distributed table that a statement calls so, null when there is none or it may be another';

create function _tessera_functions.typed_columns(typed text) returns text
language sql immutable strict
set search_path to pg_catalog, pg_temp
as $$
  select format('array[%s]', string_agg(quote_literal((parse_ident(trim(both e' \n\t\r' from c)))[1]), ', ' order by o))
  from regexp_split_to_table(typed, ',') with ordinality s(c, o)
$$;
comment on function _tessera_functions.typed_columns(text) is 'an SQL array of the column names in a list as it was typed; raises 22023 when there is something else in it';

create function _tessera_functions.refuse_distributed_key(typed_in text, tag text) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  name constant text := '((?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+))?)';
  -- Without what only looks like a part of it.
  sent constant text := regexp_replace(typed_in, $x$'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/$x$, ' ', 'g');
  named constant text := '(?:constraint\s+(?:"(?:[^"]|"")+"|[\w$]+)\s+)?';
  target oid := _tessera_functions.distributed_by_name((regexp_match(sent, case tag
    when 'CREATE INDEX' then '^\s*create\s+(?:unique\s+)?index\M[^(]*\mon\s+(?:only\s+)?'
    else '^\s*alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?' end || name, 'i'))[1]);
  typed text[];
  other oid;
  hint text;
  message text;
begin
  if target is not null and tag = 'CREATE INDEX' then
    typed := regexp_match(sent, '^\s*create\s+unique\s+index\M[^(]*\mon\M[^(]*\(([^()]*)\)\s*;?\s*$', 'i');
    if typed is not null then
      message := format('cannot create a unique index on distributed table "%s"', target::regclass);
      hint := format('select create_distributed_key(%L, %s);', target::regclass::text, _tessera_functions.typed_columns(typed[1]));
    elsif sent ~* '^\s*create\s+(unique\s+)?index\s+concurrently\M' then
      message := format('cannot create an index on distributed table "%s" concurrently', target::regclass);
      hint := regexp_replace(typed_in, '^(\s*create\s+(?:unique\s+)?index\s+)concurrently\s+', '\1', 'i');
    end if;
  elsif target is not null then
    for typed in select regexp_matches(sent, '\mdrop\s+constraint\s+(?:if\s+exists\s+)?' || name, 'ig') loop
      if exists (select from _tessera_catalog.pg_dist_key k where k.logicalrelid::oid = target and k.name = (parse_ident(typed[1]))[1])
        and not exists (select from pg_constraint c where c.conrelid = target and c.conname = (parse_ident(typed[1]))[1])
      then
        message := format('constraint %s of distributed table "%s" is kept by its shards', typed[1], target::regclass);
        hint := format('select drop_distributed_constraint(%L, %L);', target::regclass::text, (parse_ident(typed[1]))[1]);
      end if;
    end loop;
    typed := regexp_match(sent, '\madd\s+' || named || '(unique|primary\s+key)\s*\(([^()]*)\)', 'i');
    if typed is not null then
      message := format('cannot add a key to distributed table "%s" by ALTER TABLE', target::regclass);
      hint := format('select create_distributed_key(%L, %s%s);', target::regclass::text, _tessera_functions.typed_columns(typed[2]),
        case when typed[1] ~* 'primary' then ', ''primary key''' else '' end);
    end if;
    if message is null and sent ~* ('\madd\s+' || named || 'exclude\M') then
      message := format('cannot add an exclusion constraint to distributed table "%s"', target::regclass);
      hint := format(E'-- add it between these:\nselect undistribute_table(%L); select create_distributed_table(%1$L, %s);', target::regclass::text,
        (select coalesce(quote_literal(d.partkey), 'null') from _tessera_catalog.pg_dist_partition d where d.logicalrelid::oid = target));
    end if;
    typed := regexp_match(sent, '\madd\s+' || named || 'foreign\s+key\s*\(([^()]*)\)\s*references\s+' || name || '(?:\s*\(([^()]*)\))?', 'i');
    if typed is not null then
      message := format('cannot add a foreign key to distributed table "%s" by ALTER TABLE', target::regclass);
      hint := format('select create_distributed_foreign_key(%L, %s, %L%s);', target::regclass::text, _tessera_functions.typed_columns(typed[1]),
        typed[2], ', ' || _tessera_functions.typed_columns(typed[3]));
    end if;
  end if;
  if message is null then
    for typed in select regexp_matches(sent, '\mreferences\s+' || name, 'ig') loop
      other := _tessera_functions.distributed_by_name(typed[1]);
      if other is not null then
        message := format('cannot make a foreign key to distributed table "%s" by %s', other::regclass, tag);
        hint := format(
          E'-- without the foreign key, then with its columns:\nselect create_distributed_table(''…'', ''…'', colocate_with => %L); select create_distributed_foreign_key(''…'', array[''…''], %1$L);',
          other::regclass::text);
      end if;
    end loop;
  end if;
  if message is not null then
    raise exception using
      errcode = '0A000', message = message,
      detail = 'PostgreSQL allows no unique constraint on a table with foreign partitions; each shard has the keys for itself.', hint = hint;
  end if;
exception
  -- What cannot be read is left to PostgreSQL.
  when invalid_parameter_value or invalid_regular_expression then
    return;
end
$$;
comment on function _tessera_functions.refuse_distributed_key(text, text) is 'raises 0A000 with the function to call when a statement is about a key that shards keep';

create function _tessera_functions.on_distributed_key_ddl() returns event_trigger
language plpgsql
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  sent text := current_query();
  context text;
begin
  if sent is null or sent !~* '\m(unique|primary|foreign|exclude|references|constraint|concurrently)\M'
    or not exists (select from _tessera_catalog.pg_dist_partition)
  then
    return;
  end if;
  -- What a function runs is not what was sent.
  get diagnostics context = pg_context;
  if strpos(context, e'\n') > 0 then
    return;
  end if;
  perform _tessera_functions.refuse_distributed_key(sent, tg_tag);
end
$$;
comment on function _tessera_functions.on_distributed_key_ddl() is
  'event trigger: statements about keys that only shards can have fail with what to write instead as the hint';
