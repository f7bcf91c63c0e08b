create function @extschema@.interpolate(value anyelement, prev record default null, next record default null)
returns anyelement
language plpgsql immutable parallel safe
as $$
begin
  raise exception 'interpolate cannot be called within a query'
    using errcode = 'feature_not_supported',
      detail = 'The rows between which to interpolate are not visible to a function.',
      hint = 'Name the column in gapfill(query, ..., interpolate => ''{column}'').';
end
$$;
comment on function @extschema@.interpolate(anyelement, record, record) is
  'always raises 0A000: name the column in the argument interpolate of gapfill instead';
