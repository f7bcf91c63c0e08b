create function _tessera_functions.gapfill_width(bucket_width anyelement)
returns void
language plpgsql immutable
as $$
begin
  if bucket_width is null then
    raise exception 'bucket width of gapfill cannot be null' using errcode = 'invalid_parameter_value';
  end if;
end
$$;
comment on function _tessera_functions.gapfill_width(anyelement) is
  'raises 22023 for a NULL width; time_bucket refuses the other unusable ones';
