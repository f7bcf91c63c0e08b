create function _tessera_functions.segment_holders(segments oid) returns setof regtype
language sql stable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
  select e.oid::regtype
  from pg_class s
  join pg_attribute a on a.attrelid = s.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  join pg_type e on e.oid = t.typelem and e.typtype = 'c'
  join pg_class c on c.oid = e.typrelid and c.relkind = 'c'
  where s.oid = segments and e.typnamespace = s.relnamespace and e.typowner = s.relowner
    and e.typname ~ ('^' || regexp_replace(s.relname, '(\W)', '\\\1', 'g') || '_\d+$')
$$;
comment on function _tessera_functions.segment_holders(oid) is 'types that were made for columns of these segments, to keep arrays in';
