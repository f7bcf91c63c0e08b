create function _tessera_functions.key_set_aside() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  key constant jsonb := tg_argv[0]::jsonb;
begin
  raise exception using
    errcode = '55000',
    message = format('cannot write to table "%s" while its foreign key "%s" is set aside', tg_table_name, key ->> 'name'),
    detail = format('It refers to %s, which is distributed; it is made anew when this table is distributed as well.', key ->> 'target'),
    hint = format('Run: %s or, to do without the key: drop trigger %I on %I.%I;', key ->> 'next', tg_name, tg_table_schema, tg_table_name);
end
$$;
comment on function _tessera_functions.key_set_aside() is
  'trigger of a plain table whose foreign key to a distributed table is kept in its argument until both are distributed';
