create function @extschema@.add_compression_policy(
  hypertable regclass,
  compress_after anycompatible default null,
  if_not_exists boolean default false,
  schedule_interval interval default null,
  initial_start timestamptz default null,
  timezone text default null,
  compress_created_before interval default null
) returns integer
language sql volatile
set search_path to pg_catalog, pg_temp
set intervalstyle to 'postgres'
set datestyle to 'iso, ymd'
as $$
  select _tessera_functions.add_compression_policy(jsonb_build_object(
    'relation', $1::oid::text, 'compress_after', $2::text, 'type', pg_typeof($2)::text, 'if_not_exists', $3,
    'schedule_interval', $4::text, 'initial_start', $5::text, 'timezone', $6, 'compress_created_before', $7::text))
$$;
comment on function @extschema@.add_compression_policy(regclass, anycompatible, boolean, interval, timestamptz, text, interval) is
'Has chunks compressed by a job once all their rows are old enough, and recompressed when rows came in later; returns the id of the job, -1 when there is a policy already and if_not_exists was given.
hypertable: the hypertable, with compression enabled
compress_after: age of rows to compress: an interval, or for an integer time column an integer, counted from its integer_now function
if_not_exists: a NOTICE when there is the same policy already, a WARNING when there is another one, instead of an error
schedule_interval: how often it runs; null means every half chunk interval, twelve hours at most, a day for integers
initial_start: first run, and from then on a fixed schedule
timezone: of that schedule
compress_created_before: instead of compress_after: age of the chunks themselves, whatever their rows say
Privileges: owner of the hypertable, who must be able to log in
Errors: TS001 not a hypertable, 0A000 compression is not enabled, 22023 bad age, not exactly one age, or no integer_now function, 42710 there is one already, 28000 the owner cannot log in';

create function @extschema@.add_compress_chunks_policy(
  hypertable regclass, older_than anycompatible, if_not_exists boolean default false
) returns integer
language sql volatile
set search_path to pg_catalog, pg_temp
set intervalstyle to 'postgres'
as $$
  select _tessera_functions.add_compression_policy(jsonb_build_object(
    'relation', $1::oid::text, 'compress_after', $2::text, 'type', pg_typeof($2)::text, 'if_not_exists', $3,
    'schedule_interval', null, 'initial_start', null, 'timezone', null, 'compress_created_before', null,
    'name', 'Compress Chunks Background Job'))
$$;
comment on function @extschema@.add_compress_chunks_policy(regclass, anycompatible, boolean) is
'The older name of add_compression_policy(), with the arguments it had then.
hypertable: the hypertable
older_than: age of rows to compress
if_not_exists: a NOTICE or WARNING instead of an error when there is a policy already
Privileges: owner of the hypertable, who must be able to log in';

create procedure @extschema@.add_columnstore_policy(
  hypertable regclass,
  after anycompatible default null,
  if_not_exists boolean default false,
  schedule_interval interval default null,
  initial_start timestamptz default null,
  timezone text default null,
  created_before interval default null
)
language sql
set search_path to pg_catalog, pg_temp
set intervalstyle to 'postgres'
set datestyle to 'iso, ymd'
as $$
  select _tessera_functions.add_compression_policy(jsonb_build_object(
    'relation', $1::oid::text, 'compress_after', $2::text, 'type', pg_typeof($2)::text, 'if_not_exists', $3,
    'schedule_interval', $4::text, 'initial_start', $5::text, 'timezone', $6, 'compress_created_before', $7::text))
$$;
comment on procedure @extschema@.add_columnstore_policy(regclass, anycompatible, boolean, interval, timestamptz, text, interval) is
'The newer name of add_compression_policy(), as a procedure.
hypertable, after, if_not_exists, schedule_interval, initial_start, timezone, created_before: as there
Privileges: owner of the hypertable, who must be able to log in';

create procedure @extschema@.remove_columnstore_policy(hypertable regclass, if_exists boolean default false)
language sql
set search_path to pg_catalog, pg_temp
as $$
  select @extschema@.remove_compression_policy($1, $2)
$$;
comment on procedure @extschema@.remove_columnstore_policy(regclass, boolean) is
'The newer name of remove_compression_policy(), as a procedure.
hypertable, if_exists: as there
Privileges: owner of the hypertable';

create procedure @extschema@.convert_to_columnstore(
  chunk regclass, if_not_columnstore boolean default true, recompress boolean default false
)
language sql
set search_path to pg_catalog, pg_temp
as $$
  select @extschema@.compress_chunk($1, $2, $3)
$$;
comment on procedure @extschema@.convert_to_columnstore(regclass, boolean, boolean) is
'The newer name of compress_chunk(), as a procedure.
chunk, if_not_columnstore, recompress: as there
Privileges: owner of the hypertable';

create procedure @extschema@.convert_to_rowstore(chunk regclass, if_columnstore boolean default true)
language sql
set search_path to pg_catalog, pg_temp
as $$
  select @extschema@.decompress_chunk($1, $2)
$$;
comment on procedure @extschema@.convert_to_rowstore(regclass, boolean) is
'The newer name of decompress_chunk(), as a procedure.
chunk, if_columnstore: as there
Privileges: owner of the hypertable';

create procedure @extschema@.recompress_chunk(chunk regclass, if_not_compressed boolean default true)
language sql
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.recompress_chunk($1::oid::int8, $2)
$$;
comment on procedure @extschema@.recompress_chunk(regclass, boolean) is
'Merges what was written into a compressed chunk since into its segments, or compresses it where it is not.
chunk: the chunk
if_not_compressed: a NOTICE instead of an error where there is nothing to merge
Privileges: owner of the hypertable
Errors: as compress_chunk()';

create procedure _tessera_functions.policy_compression(job_id int, config jsonb)
language plpgsql
as $$
declare
  c pg_catalog.record;
  remote pg_catalog.regclass;
  done boolean;
  tried int := 0;
  failed int := 0;
begin
  for c in select t.chunk, t.name, t.action from _tessera_functions.chunks_to_compress(config) t loop
    tried := tried operator(pg_catalog.+) 1;
    begin
      perform _tessera_functions.change_compression(c.chunk, c.action);
      if coalesce((config operator(pg_catalog.->>) 'verbose_log')::boolean, false) then
        raise log 'job %: %ed chunk "%"', job_id, c.action, c.name;
      end if;
      done := true;
    exception when others then
      done := false;
      failed := failed operator(pg_catalog.+) 1;
      raise warning 'chunk "%" could not be %ed: %', c.name, c.action, sqlerrm;
    end;
    -- Readers and writers of the hypertable are kept for one chunk at a time.
    commit;
    continue when not done;
    -- The planner knows nothing of a foreign table that was not analyzed; it takes it for a few rows.
    begin
      remote := (
        select k.remote from _tessera_catalog.compressed_chunk k
        join _tessera_catalog.chunk h on h.id operator(pg_catalog.=) k.chunk_id
        where h.relid operator(pg_catalog.=) pg_catalog.to_regclass(c.name));
      -- Dropped or decompressed since the commit; ANALYZE without a name would take the whole database.
      if remote is not null then
        execute pg_catalog.format('analyze %s', remote);
      end if;
    exception when others then
      raise log 'compressed rows of chunk "%" could not be analyzed: %', c.name, sqlerrm;
    end;
    commit;
  end loop;
  if failed operator(pg_catalog.>) 0 and failed operator(pg_catalog.=) tried then
    raise exception using
      message = pg_catalog.format('none of %s chunks could be compressed', failed),
      hint = 'The warnings before this in the log of the server say why.';
  end if;
end
$$;
comment on procedure _tessera_functions.policy_compression(int, jsonb) is
'What the job of a compression policy runs: compresses chunks that are old enough and recompresses those that were written to, one transaction each.
config: hypertable_id, compress_after or compress_created_before, maxchunks_to_compress (all), recompress (true), verbose_log (false)';
