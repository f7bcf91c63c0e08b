create function _tessera_functions.storage_array(typed text, bare boolean) returns text
language sql immutable strict
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
  -- Null unless all of it can be read.
  select case when bool_and(m is not null) then quote_literal(array_agg(lower(regexp_replace(m[1], '\s', '', 'g')) ||
    case when bare then '' else '=' || coalesce(m[2], replace(m[3], '''''', ''''), 'true') end order by o)::text) end
  from (
    select o, regexp_match(part, '^\s*([A-Za-z_]+(?:\s*\.\s*[A-Za-z_]+)?)\s*(?:=\s*(?:([\w.+-]+)|''((?:[^'']|'''')*)'')\s*)?$') as m
    from regexp_split_to_table(typed, ',') with ordinality s(part, o)
  ) p
$$;
comment on function _tessera_functions.storage_array(text, boolean) is
  'storage parameters in a list as it was typed, as the literal of an array of name=value, or of names; null when there is something else in it';

create function _tessera_functions.retype_statements(relation regclass, name text, change text) returns text
language sql stable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
  with old as (
    select n.nspname as schema, c.relname as name, left(c.relname, 59) || '_new' as renamed, d.column_name, d.column_type, d.interval_length,
      (select format(', %L, %s', s.column_name, s.num_slices)
       from _tessera_catalog.dimension s where s.hypertable_id = h.id and s.num_slices is not null) as hash,
      (select case when bool_or(a.attgenerated <> '') then string_agg(quote_ident(a.attname), ', ' order by a.attnum) filter (where a.attgenerated = '') end
       from pg_attribute a where a.attrelid = relation and a.attnum > 0 and not a.attisdropped) as columns,
      exists (select from pg_attribute a where a.attrelid = relation and a.attidentity = 'a') as identity
    from _tessera_catalog.hypertable h
    join pg_class c on c.oid = h.relid join pg_namespace n on n.oid = c.relnamespace
    join _tessera_catalog.dimension d on d.hypertable_id = h.id and d.interval_length is not null
    where h.relid = relation
  )
  select format('create table %1$I.%2$I (like %1$I.%3$I including all); insert into %1$I.%2$I%4$s%8$s select %5$s from %1$I.%3$I; alter table %1$I.%2$I %6$s; '
    'select create_hypertable(%7$L, ', schema, renamed, name, ' (' || columns || ')', coalesce(columns, '*'), change, format('%I.%I', schema, renamed),
      case when identity then ' overriding system value' end)
    || format('%L%s%s, migrate_data => true); drop table %I.%I; alter table %4$I.%6$I rename to %5$I;', column_name, hash,
      case when column_type::oid = any(array['timestamptz', 'timestamp', 'date']::regtype[]) and change ~* '\mtype\s+(date|timestamp)'
        then ', chunk_time_interval => ' || interval_length end, schema, name, renamed)
  from old
$$;
comment on function _tessera_functions.retype_statements(regclass, text, text) is
  'statements that make a hypertable anew with another type of a column it is divided by';

create function _tessera_functions.refuse_partitioned(typed_in text, tag text) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  name constant text := '((?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+))?)';
  -- Without comments, and then without what only looks like a part of it.
  said constant text := regexp_replace(typed_in, $x$('(?:[^']|'')*')|--[^\n]*|/\*(?:[^*]|\*+[^*/])*\*+/$x$, '\1 ', 'g');
  sent constant text := regexp_replace(said, $x$'(?:[^']|'')*'$x$, ' ', 'g');
  head constant text := case tag when 'CREATE INDEX'
    then '^\s*create\s+(unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?(?:(?:"(?:[^"]|"")+"|[\w$]+)\s+)?on\s+(only\s+)?'
    else '^\s*alter\s+table\s+(if\s+exists\s+)?(only\s+)?' end || name;
  typed text[] := regexp_match(sent, head, 'i');
  found text[];
  root regclass;
  message text;
  detail text;
  hint text;
begin
  -- Of several statements, others may mend what this one breaks.
  if typed is null or sent ~ ';\s*\S' then
    return;
  end if;
  select h.relid into root from _tessera_catalog.hypertable h where h.relid::oid = _tessera_functions.table_called(typed[3]);
  if root is null then
    return;
  end if;
  if tag = 'CREATE INDEX' then
    message := format('cannot create an index on hypertable "%s" concurrently', root);
    detail := 'PostgreSQL does so for one chunk at a time; an index of the hypertable takes those it finds on its chunks.';
    hint := format(E'select format(%L, c) from show_chunks(%L) c join pg_class k on k.oid = c and k.relkind = ''r'' \\gexec\n%s;',
      format('create %sindex concurrently on %%s%s', lower(typed[1]), rtrim(replace(regexp_replace(said, head, '', 'i'), '%', '%%'), e'; \n\t\r')), root,
      rtrim(regexp_replace(said, '\mconcurrently\s+', '', 'i'), e'; \n\t\r'));
  else
    for found in select regexp_matches(sent, '\malter\s+(?:column\s+)?("(?:[^"]|"")+"|[\w$]+)\s+(?:set\s+data\s+)?type\M', 'ig') loop
      if exists (
        select from _tessera_catalog.hypertable h join _tessera_catalog.dimension d on d.hypertable_id = h.id
        where h.relid = root and d.column_name = (parse_ident(found[1]))[1] and (d.interval_length is not null or exists (
          select from pg_inherits i join pg_class c on c.oid = i.inhrelid and c.relkind = 'p' where i.inhparent = root)))
      then
        message := format('cannot alter the type of column %s, by which hypertable "%s" is divided', quote_ident((parse_ident(found[1]))[1]), root);
        detail := 'PostgreSQL keeps the types of a partition key. What others have said of the table, such as grants, triggers and foreign keys, is to be said again.';
        hint := _tessera_functions.retype_statements(root, typed[3], btrim(regexp_replace(said, head || '\s*\*?', '', 'i'), e'; \n\t\r'));
      end if;
    end loop;
    found := regexp_match(sent, '\m(set|reset)\s*\(', 'i');
    -- ALTER COLUMN has options of its own.
    if message is null and found is not null and sent !~* '\malter\s+(column\s+)?("(?:[^"]|"")+"|[\w$]+)\s+(set|reset)\s*\(' then
      message := format('cannot %s storage parameters of hypertable "%s" by ALTER TABLE', lower(found[1]), root);
      detail := 'PostgreSQL has none for a partitioned table; its chunks have them.';
      hint := format('select set_chunk_storage(%L, %s%s);', root, case when lower(found[1]) = 'reset' then 'reset_options => ' else '' end,
        coalesce(_tessera_functions.storage_array((regexp_match(said, '\m(?:set|reset)\s*\(([^()]*)\)', 'i'))[1], lower(found[1]) = 'reset'), '''{…}'''));
    end if;
    found := regexp_match(sent, '\mcluster\s+on\s+("(?:[^"]|"")+"|[\w$]+)|\mset\s+(without)\s+cluster\M', 'i');
    if found is not null then
      message := format('cannot mark an index of hypertable "%s" for CLUSTER', root);
      detail := 'PostgreSQL marks none of a partitioned table. A policy reorders chunks that are no longer written.';
      hint := case when found[2] is null
        then format('select add_reorder_policy(%L, %L); -- and for those that are there: select reorder_chunk(c, %2$L) from show_chunks(%1$L) c;', root, (parse_ident(found[1]))[1])
        else format('select remove_reorder_policy(%L, if_exists => true);', root) end;
    end if;
    if current_setting('server_version_num')::int < 180000 and sent ~*
      ('\mforeign\s+key\s*\([^()]*\)\s*references\s+' || name || '\s*(\([^()]*\))?[^,()]*\mnot\s+valid\M')
    then
      message := format('cannot add a foreign key NOT VALID to hypertable "%s"', root);
      detail := 'PostgreSQL can do so for a partitioned table from version 18 on. Of chunks that have the key already, rows are not read again.';
      hint := rtrim(regexp_replace(said, '\s+not\s+valid\M', '', 'i'), e'; \n\t\r') || ';';
    end if;
  end if;
  if message is not null then
    raise exception using errcode = '0A000', message = message, detail = detail, hint = hint;
  end if;
exception
  -- What cannot be read is left to PostgreSQL.
  when invalid_parameter_value or invalid_regular_expression then
    return;
end
$$;
comment on function _tessera_functions.refuse_partitioned(text, text) is
  'raises 0A000 with what to write instead when a statement is one that PostgreSQL has for tables and not for partitioned ones';

create function _tessera_functions.on_partitioned_ddl() returns event_trigger
language plpgsql
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  sent text := current_query();
  context text;
begin
  if sent is null or sent !~* '\mtype\M|\m(re)?set\s*\(|\mcluster\M|\mnot\s+valid\M|\mconcurrently\M'
    or current_setting('tessera.maintenance', true) = 'on'
  then
    return;
  end if;
  -- What a function runs is not what was sent.
  get diagnostics context = pg_context;
  if strpos(context, e'\n') > 0 then
    return;
  end if;
  perform _tessera_functions.refuse_partitioned(sent, tg_tag);
end
$$;
comment on function _tessera_functions.on_partitioned_ddl() is
  'event trigger: statements that PostgreSQL refuses for a partitioned table fail, of a hypertable, with what to write instead as the hint';
