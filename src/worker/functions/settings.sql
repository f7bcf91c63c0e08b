create function _tessera_functions.setting_list(
  out name text, out default_value text, out kind text, out unit text, out description text
) returns setof record
language sql immutable parallel safe
set search_path to pg_catalog, pg_temp
as $$
  values
    ('background_workers', 'on', 'boolean', null, 'whether this database has a scheduler and workers'),
    ('worker_slots', '4', 'integer', 'sessions', 'most sessions that run jobs and tasks of this database at the same time'),
    ('poll_interval', '150', 'integer', 'ms', 'how often an idle worker looks for work'),
    ('launcher_interval', '30', 'integer', 's', 'how often the launcher looks for databases that gained or lost the extension'),
    ('run_log_retention', '7 days', 'interval', null, 'how long pg_cron''s log of our sessions is kept'),
    ('enable_job_execution_logging', 'off', 'boolean', null, 'whether successful runs are written to the job history'),
    ('cancel_grace', '5', 'integer', 's', 'how long a run may go on after it was cancelled before its session is ended'),
    ('crash_restart_wait', '300', 'integer', 's', 'shortest time between a crash of a job and its next start'),
    ('max_background_task_executors', '4', 'integer', 'sessions', 'most background tasks that run at the same time'),
    ('max_background_task_executors_per_node', '4', 'integer', 'sessions', 'most running background tasks that involve the same node'),
    ('logical_replication_timeout', '7200', 'integer', 's', 'how long a move of shards waits for replication that makes no progress'),
    ('node_timeout', '30', 'integer', 's', 'how long a node may leave a new connection without an answer'),
    ('shard_count', '32', 'integer', 'shards', 'number of shards of a distributed table unless it is given'),
    ('background_task_queue_interval', '500', 'integer', 'ms', 'how often the scheduler looks after the task queue, -1 never'),
    ('telemetry_level', 'basic', 'enum off basic', null, 'whether the telemetry job stores a report in this database; nothing is sent'),
    ('telemetry_endpoint', '', 'text', null, 'where the command tessera deliver-telemetry sends stored reports; empty means nowhere')
$$;
comment on function _tessera_functions.setting_list() is 'the settings of tessera with their defaults';

create function _tessera_functions.configured(name text) returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select coalesce(
    nullif(current_setting('tessera.' || $1, true), ''),
    case
      when $1 in ('shard_count', 'max_background_task_executors', 'max_background_task_executors_per_node', 'background_task_queue_interval')
        then nullif(current_setting('citus.' || $1, true), '')
      when $1 in ('telemetry_level', 'enable_job_execution_logging')
        then case current_setting('timescaledb.' || $1, true) when '' then null when 'no_functions' then 'basic' else current_setting('timescaledb.' || $1, true) end
    end)
$$;
comment on function _tessera_functions.configured(text) is 'value of the configuration parameter of a setting: tessera.<name>, else the one it has in Citus or TimescaleDB';

create function _tessera_functions.setting(name text) returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select coalesce(
    -- What somebody says in a session is meant for what he does next.
    case when $1 = 'shard_count' then _tessera_functions.configured($1) end,
    (select s.value from _tessera_catalog.setting s where s.name = $1::name),
    _tessera_functions.configured($1),
    (select l.default_value from _tessera_functions.setting_list() l where l.name = $1))
$$;
comment on function _tessera_functions.setting(text) is
'A setting of tessera, live: the value given with tessera.set_setting(), else the configuration parameter tessera.<name> (or that of Citus or TimescaleDB), else the default. For shard_count the configuration parameter comes first.
name: one of tessera.settings()
Privileges: anybody';

create function tessera.settings(
  out name text, out value text, out unit text, out source text, out description text
) returns setof record
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select l.name, _tessera_functions.setting(l.name), l.unit,
    case
      when l.name = 'shard_count' and _tessera_functions.configured(l.name) is not null then 'configuration'
      when exists (select from _tessera_catalog.setting s where s.name = l.name::name) then 'database'
      when _tessera_functions.configured(l.name) is not null then 'configuration'
      else 'default'
    end,
    l.description
  from _tessera_functions.setting_list() l
  order by 1
$$;
comment on function tessera.settings() is
'Settings of tessera in this database and where their values come from.
Privileges: anybody';

create function tessera.set_setting(setting_name text, new_value text) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  known record;
begin
  select * into known from _tessera_functions.setting_list() l where l.name = setting_name;
  if known.name is null then
    raise exception using
      errcode = '42704', message = format('there is no setting "%s"', setting_name),
      hint = 'select * from tessera.settings() lists them.';
  end if;
  perform _tessera_functions.require_extension_owner(format('change setting "%s"', setting_name));
  if new_value is null then
    delete from _tessera_catalog.setting s where s.name = setting_name::name;
    return;
  end if;
  begin
    case split_part(known.kind, ' ', 1)
      when 'boolean' then new_value := case when new_value::boolean then 'on' else 'off' end;
      when 'integer' then
        if new_value::int not between -1 and 1000000 or (new_value::int < 1 and setting_name <> 'background_task_queue_interval'
            and setting_name not in ('cancel_grace', 'crash_restart_wait')) or new_value::int < -1 then
          raise exception using errcode = '22023';
        end if;
      when 'interval' then
        if new_value::interval < interval '0' then
          raise exception using errcode = '22023';
        end if;
      when 'enum' then
        if not new_value = any (string_to_array(known.kind, ' ')) or new_value = 'enum' then
          raise exception using errcode = '22023';
        end if;
      else null;
    end case;
  exception when data_exception then
    raise exception using
      errcode = '22023', message = format('invalid value for setting "%s": "%s"', setting_name, new_value),
      detail = format('It takes a value of kind %s%s.', known.kind, coalesce(', in ' || known.unit, ''));
  end;
  insert into _tessera_catalog.setting (name, value)
  values (setting_name, new_value)
  on conflict on constraint setting_pkey do update set value = excluded.value;
end
$$;
comment on function tessera.set_setting(text, text) is
'Changes a setting of tessera for this database; it takes effect at once, without a restart.
setting_name: one of tessera.settings()
new_value: the value as text; null goes back to the configuration parameter tessera.<name> or the default
Privileges: members of the role that owns the extension
Errors: 42704 no such setting, 22023 a value it does not take, 42501';
