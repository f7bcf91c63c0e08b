create function _tessera_functions.on_foreign_dialect() returns event_trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  sent text := current_query();
  context text;
  hint text;
begin
  if sent is null
    or strpos(sent, 'timescaledb') = 0 and strpos(sent, 'tsdb') = 0 and strpos(sent, 'TIMESCALEDB') = 0 and strpos(sent, 'TSDB') = 0
  then
    return;
  end if;
  -- What a function runs is not what was sent.
  get diagnostics context = pg_context;
  if strpos(context, e'\n') > 0 or exists (select from pg_extension where extname = 'timescaledb') then
    return;
  end if;
  begin
    hint := _tessera_functions.dialect_hint(sent, tg_tag);
  exception
    -- No statement may fail for what it could have been told.
    when others then
      return;
  end;
  if hint is not null then
    raise exception using
      errcode = '0A000',
      message = format('options of TimescaleDB cannot be given to %s', tg_tag),
      detail = 'PostgreSQL knows no options of the namespaces "timescaledb" and "tsdb".',
      hint = hint;
  end if;
end
$$;
comment on function _tessera_functions.on_foreign_dialect() is
  'event trigger: a statement with options of TimescaleDB fails with what to write instead as its hint';
