create function _tessera_functions.upsert_key(hypertable regclass, conflict_columns name[]) returns name[]
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  keys jsonb;
  id int := (select h.id from _tessera_catalog.hypertable h where h.relid = hypertable);
begin
  if id is null then
    raise exception using errcode = 'TS001', message = format('table "%s" is not a hypertable', hypertable);
  end if;
  -- Those the chunks have for themselves, or those of the hypertable as long as compression is not enabled.
  select jsonb_agg(k) into keys
  from (
    select to_jsonb(c.columns) from _tessera_catalog.chunk_key c where c.hypertable_id = id and c.kind in ('p', 'u', 'i')
    union all
    select jsonb_agg(a.attname order by u.o)
    from pg_index i, unnest(i.indkey::int2[]) with ordinality u(n, o), pg_attribute a
    where i.indrelid = hypertable and i.indisunique and i.indpred is null and i.indexprs is null
      and u.o <= i.indnkeyatts and a.attrelid = i.indrelid and a.attnum = u.n
    group by i.indexrelid) x(k);
  if conflict_columns is null then
    if jsonb_array_length(keys) = 1 then
      return array(select jsonb_array_elements_text(keys -> 0));
    end if;
    raise exception using
      errcode = '42P10',
      message = format('hypertable "%s" has %s unique keys', hypertable, coalesce(jsonb_array_length(keys), 0)),
      hint = 'Name the columns of one in conflict_columns.';
  end if;
  if not exists (
    select from jsonb_array_elements(keys) k
    where array(select jsonb_array_elements_text(k) order by 1) = array(select unnest(conflict_columns)::text order by 1))
  then
    raise exception using
      errcode = '42P10',
      message = 'there is no unique key on the columns given',
      detail = format('They are: %s.', array_to_string(conflict_columns, ', '));
  end if;
  return conflict_columns;
end
$$;
comment on function _tessera_functions.upsert_key(regclass, name[]) is 'the columns by which upsert() tells rows apart; 42P10 when they are no unique key';

create function _tessera_functions.upsert_condition(hypertable regclass, key name[], "left" text, "right" text) returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- As the index of the key compares: by the operators of its operator classes, and in its collations.
  select string_agg(
    format(case when i.nulls_equal then '(%1$s.%2$I::%6$s%3$s %4$s %5$s.%2$I::%6$s or %1$s.%2$I is null and %5$s.%2$I is null)'
        else '%1$s.%2$I::%6$s%3$s %4$s %5$s.%2$I::%6$s' end,
      "left", a.attname,
      _tessera_functions.key_collation(u.coll, a.attcollation), _tessera_functions.class_operator(u.class, 3),
      "right", format_type(a.atttypid, null)),
    ' and ' order by u.o)
  from (
    select x.*, coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::bool, false) as nulls_equal
    from pg_index x
    where x.indrelid in (select hypertable::oid union all select t.relid from pg_partition_tree(hypertable) t)
      and x.indisunique and x.indpred is null and x.indexprs is null
      and array(select b.attname from pg_attribute b where b.attrelid = x.indrelid
          and b.attnum = any((x.indkey::int2[])[0:x.indnkeyatts - 1]) order by b.attname)
        = array(select k from unnest(key) k order by k)
    order by x.indexrelid
    limit 1
  ) i, unnest((i.indkey::int2[])[0:i.indnkeyatts - 1], i.indclass::oid[], i.indcollation::oid[])
    with ordinality u(number, class, coll, o), pg_attribute a
  where a.attrelid = i.indrelid and a.attnum = u.number
$$;
comment on function _tessera_functions.upsert_condition(regclass, name[], text, text) is
  'condition that a row of the hypertable and one of a source have the same key, by the aliases of both';

create function _tessera_functions.upsert_rows(
  hypertable regclass, key name[], update_columns name[], out inserted bigint, out updated bigint
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  all_columns name[] := array(
    select attname from pg_attribute
    where attrelid = 'pg_temp.tessera_upsert'::regclass and attnum > 0 and not attisdropped order by attnum);
  changed name[] := coalesce(update_columns, array(select c from unnest(all_columns) c where c <> all(key)));
  same text := _tessera_functions.upsert_condition(hypertable, key, 't', 's');
  twice text := _tessera_functions.upsert_condition(hypertable, key, 's', 'o');
  no_key text := (select string_agg(format('s.%I is null', c), ' or ') from unnest(key) c);
  keys text := (select string_agg(quote_ident(c), ', ') from unnest(key) c);
  listed text := (select string_agg(quote_ident(c), ', ') from unnest(all_columns) c);
  assignments text := (select string_agg(format('%I = s.%1$I', c), ', ') from unnest(changed) c);
  missing name;
  n bigint;
begin
  inserted := 0;
  updated := 0;
  select c into missing from unnest(key || changed) c where c <> all(all_columns) limit 1;
  if missing is not null then
    raise exception using errcode = '42703', message = format('the source has no column "%s"', missing);
  end if;
  execute format('select count(*) from (select from pg_temp.tessera_upsert s group by %s having count(*) > 1 and not bool_or(%s)) d',
    (select string_agg(format('s.%I', c), ', ') from unnest(key) c), no_key) into n;
  if n = 0 then
    -- Equal to the index and yet not the same.
    execute format('select count(*) from pg_temp.tessera_upsert s, pg_temp.tessera_upsert o where s.ctid < o.ctid and %s', twice) into n;
  end if;
  if n > 0 then
    raise exception using
      errcode = '21000',
      message = 'the source has several rows with the same key',
      hint = 'Ensure that no rows of the source have duplicate values in the columns of the key.';
  end if;
  if strpos(same, ' is null and ') = 0 then
    -- Nulls are in conflict with nothing.
    execute format('insert into %s (%s) select %2$s from pg_temp.tessera_upsert s where %s', hypertable, listed, no_key);
    get diagnostics inserted = row_count;
    execute format('delete from pg_temp.tessera_upsert s where %s', no_key);
  end if;
  -- A row that somebody else inserts between the two steps is updated in the next round.
  for round in 1 .. 10 loop
    if cardinality(changed) > 0 then
      execute format('update %s t set %s from pg_temp.tessera_upsert s where %s', hypertable, assignments, same);
      get diagnostics n = row_count;
      updated := updated + n;
    end if;
    execute format('delete from pg_temp.tessera_upsert s using %s t where %s', hypertable, same);
    execute format(
      'with t as (insert into %s (%s) select %2$s from pg_temp.tessera_upsert on conflict do nothing returning %s)
       delete from pg_temp.tessera_upsert s using t where %s', hypertable, listed, keys, same);
    get diagnostics n = row_count;
    inserted := inserted + n;
    execute 'select count(*) from pg_temp.tessera_upsert' into n;
    if n = 0 then
      return;
    end if;
  end loop;
  -- What another key refuses is refused by its name.
  execute format('insert into %s (%s) select %2$s from pg_temp.tessera_upsert', hypertable, listed);
  raise exception using
    errcode = '40001',
    message = 'could not serialize access due to concurrent insert',
    hint = 'Retry the transaction.';
end
$$;
comment on function _tessera_functions.upsert_rows(regclass, name[], name[]) is 'the work behind upsert(): merges pg_temp.tessera_upsert into the hypertable';

create function @extschema@.upsert(
  hypertable regclass,
  source text,
  conflict_columns name[] default null,
  update_columns name[] default null,
  out inserted bigint,
  out updated bigint
)
language plpgsql volatile
as $$
begin
  if source is null then
    raise exception using errcode = '22023', message = '"source" must not be null';
  end if;
  execute 'create temporary table tessera_upsert on commit drop as ' || source;
  select u.inserted, u.updated into inserted, updated
  from _tessera_functions.upsert_rows(hypertable, _tessera_functions.upsert_key(hypertable, conflict_columns), update_columns) u;
  drop table pg_temp.tessera_upsert;
end
$$;
comment on function @extschema@.upsert(regclass, text, name[], name[]) is
'INSERT ... ON CONFLICT (key) DO UPDATE for a hypertable whose keys its chunks have for themselves since compression was enabled: updates the rows whose key is there and inserts the others, and says how many.
hypertable: the hypertable
source: a query, with columns named like those of the hypertable
conflict_columns: a unique key of the hypertable; null takes its only one
update_columns: columns to set; null takes all of the source but the key, an empty array none, as DO NOTHING would
Privileges: SELECT, INSERT and UPDATE on the hypertable; TEMPORARY on the database
Errors: TS001 not a hypertable, 42P10 no such unique key, 21000 several rows of the source have one key, 42703 the source lacks a column';
