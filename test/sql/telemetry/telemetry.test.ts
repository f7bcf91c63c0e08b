import { describe, expect, test } from 'vitest';
import { failure, useDatabase } from '../../harness/database.ts';

const db = useDatabase();
const reports = (): Promise<Record<string, unknown>[]> =>
  db.query(
    'select report, delivered_at is not null as delivered, delivery_error from _tessera_catalog.telemetry_report order by id',
  );

describe('the report', () => {
  test('counts and measures without a name of anything', async () => {
    await db.query(`
      create schema secret_schema;
      create table secret_schema.secret_table (secret_column timestamptz not null, note text);
      select create_hypertable('secret_schema.secret_table', 'secret_column', chunk_time_interval => interval '1 day')`);
    await db.query(`
      insert into secret_schema.secret_table values ('2024-01-01', repeat('secret_value', 100)), ('2024-01-05', null);
      create procedure secret_procedure(job_id int, config jsonb) language sql as $$ select 1 $$;
      select add_job('secret_procedure', '1 hour', '{"secret": 1}'), add_retention_policy('secret_schema.secret_table', interval '100 years')`);
    const report = await db.value('select get_telemetry_report()');
    expect(report).toMatchObject({
      telemetry_version: 2,
      num_hypertables: 1,
      num_chunks: 2,
      num_retention_policies: 1,
      num_user_defined_actions: 1,
      tessera_version: await db.value('select _tessera_functions.version()'),
      related_extensions: { plv8: true, dblink: true, postgis: false },
      relations: { hypertables: { num_relations: 1, num_children: 2 }, tables: { num_relations: 0 } },
      jobs_by_type: { policy_telemetry: 1, policy_retention: 1, user_defined_action: 1 },
      replication: { is_wal_receiver: false },
    });
    expect(report.relations.hypertables.heap_size).toBeGreaterThan(0);
    expect(report.db_uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect(JSON.stringify(report)).not.toContain('secret');
  });

  test('names of what users made do not get into it by access methods, jobs or their errors', async () => {
    await db.query(`
      create access method secret_method type table handler heap_tableam_handler;
      create table by_method (x int) using secret_method;
      insert into _tessera_catalog.bgw_job_stat_history (job_id, execution_start, succeeded, data)
      values
        (1, now(), false, '{"job": {"proc_schema": "secret", "proc_name": "secret"}, "error_data": {"sqlerrcode": "22012", "message": "secret"}}'),
        (1, now(), null, '{"job": {"proc_schema": "_tessera_functions", "proc_name": "policy_reorder"}}')`);
    const report = await db.value('select get_telemetry_report()');
    expect(JSON.stringify(report)).not.toContain('secret');
    expect(report.access_methods.other.instances).toBe(1);
    expect(report.errors_by_sqlerrcode).toEqual({ user_defined_action: { '22012': 1 }, policy_reorder: { crash: 1 } });
    await db.query('drop table by_method; delete from _tessera_catalog.bgw_job_stat_history');
  });

  test('sizes add up to what the relations take', async () => {
    await db.query(`
      create schema tessera_like;
      create table tessera_like.wide (id int primary key, note text);
      alter table tessera_like.wide alter note set storage external;
      insert into tessera_like.wide select i, repeat('x', 5000) from generate_series(1, 100) i;
      create table parted (x int) partition by range (x);
      create table parted_1 partition of parted for values from (0) to (9) partition by range (x);
      create table parted_1_1 partition of parted_1 for values from (0) to (9);
      insert into parted values (1);
      create view a_view as select 1 as x`);
    const { relations } = await db.value('select get_telemetry_report()');
    const { heap_size, toast_size, indexes_size, num_relations } = relations.tables;
    expect(num_relations).toBe(1);
    expect(BigInt(heap_size + toast_size + indexes_size)).toBe(
      await db.value(`select pg_total_relation_size('tessera_like.wide')`),
    );
    expect(relations.partitioned_tables).toMatchObject({ num_relations: 1, num_children: 2, heap_size: 8192 });
    expect(relations.views).toEqual({ num_relations: 1 });
    expect(relations.continuous_aggregates).toMatchObject({ num_relations: 0 });
  });

  test('does not wait for who holds or wants a table for himself', async () => {
    const other = await db.connect();
    await other.query('begin; lock table parted_1_1; reindex table tessera_like.wide');
    await db.query(`set statement_timeout = '10s'`);
    expect(await db.value(`select get_telemetry_report() #>> '{relations,tables,num_relations}'`)).toBe('1');
    await db.query('reset statement_timeout');
    await other.query('rollback');
  });

  test('an install time that cannot be read is left out', async () => {
    const stored = await db.value(`select value from _tessera_catalog.metadata where key = 'install_timestamp'`);
    const installed = (): Promise<string | null> => db.value(`select get_telemetry_report() ->> 'installed_time'`);
    expect(await installed()).toBe(stored);
    for (const value of ['21/11/2026 03:21:52.187077 UTC', 'nonsense', '']) {
      await db.query(`update _tessera_catalog.metadata set value = $1 where key = 'install_timestamp'`, [value]);
      expect(await installed()).toBeNull();
    }
    await db.query(`update _tessera_catalog.metadata set value = $1 where key = 'install_timestamp'`, [stored]);
  });

  test('rows of metadata that say so are in it, others are not', async () => {
    await db.query(`insert into _tessera_catalog.metadata values ('mine', 'shown', true), ('yours', 'hidden', false)`);
    expect((await db.value('select get_telemetry_report()')).db_metadata).toEqual({ mine: 'shown' });
  });

  test('is not shown when telemetry is off, unless asked for all the same', async () => {
    await db.query(`select tessera.set_setting('telemetry_level', 'off')`);
    expect((await db.notices('select get_telemetry_report()')).map((n) => n.message)).toEqual([
      'telemetry is disabled',
    ]);
    expect(await db.value('select get_telemetry_report()')).toBeNull();
    expect(await db.value('select get_telemetry_report(always_display_report => true)')).not.toBeNull();
    expect(await db.value('select get_telemetry_report(null)')).toBeNull();
    await db.query(`select tessera.set_setting('telemetry_level', null)`);
  });

  test.each(['OFF', 'false', 'nonsense'])(
    'the configuration parameter %s, which is no level, means off',
    async (level) => {
      await db.query(`select set_config('tessera.telemetry_level', $1, false)`, [level]);
      expect(await db.value('select get_telemetry_report()')).toBeNull();
      await db.query('reset tessera.telemetry_level');
    },
  );

  test('a stranger learns no more from it than he may see', async () => {
    const session = await db.as(await db.role('curious'));
    const refused = await failure(session, 'select get_telemetry_report()');
    expect(refused.code).toBe('42501');
    expect(refused.message).toBe('permission denied to see the telemetry report');
    expect((await failure(session, 'select * from _tessera_catalog.telemetry_report')).code).toBe('42501');
    expect((await session.query('select * from _tessera_functions.get_os_info()')).rows).toMatchObject([
      { sysname: 'Linux', version: null, release: null, version_pretty: null },
    ]);
    expect((await failure(session, `insert into _tessera_catalog.metadata values ('x', 'y', true)`)).code).toBe(
      '42501',
    );
    expect((await failure(session, 'call _tessera_functions.policy_telemetry(1, null)')).code).toBe('42501');
  });

  test.each([
    [
      'PostgreSQL 17.2 on x86_64-pc-linux-gnu, compiled by gcc',
      'Linux version 6.1.0-9-amd64 (x@y) (gcc (Debian) 12) #1 SMP PREEMPT_DYNAMIC Debian 6.1.27-1\n',
      'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
      ['Linux', '#1 SMP PREEMPT_DYNAMIC Debian 6.1.27-1', '6.1.0-9-amd64', 'Debian GNU/Linux 12 (bookworm)'],
    ],
    ['on x86_64-alpine-linux-musl', '', "PRETTY_NAME='Alpine'", ['Linux', null, null, 'Alpine']],
    ['on x86_64-linux', 'Linux', 'PRETTY_NAME=\nID=x', ['Linux', null, null, null]],
    ['on aarch64-apple-darwin23.6.0', null, null, ['Darwin', null, null, null]],
    ['PostgreSQL 17.2 on x86_64-windows, compiled by msvc', null, null, ['Windows', null, null, null]],
    ['on a toaster', null, null, [null, null, null, null]],
    [null, null, null, [null, null, null, null]],
  ])('the server %j is recognized', async (server, kernel, osRelease, parts) => {
    const [os] = await db.query('select * from _tessera_functions.parse_os_info($1, $2, $3)', [
      server,
      kernel,
      osRelease,
    ]);
    expect(Object.values(os ?? {})).toEqual(parts);
  });

  test('the operating system is known to who may read files of the server', async () => {
    const reader = await db.role('reader');
    await db.query(`grant pg_read_server_files to ${reader}`);
    const session = await db.as(reader);
    const info = async (run: typeof session): Promise<unknown> =>
      (await run.query('select * from _tessera_functions.get_os_info()')).rows[0];
    expect(await info(session)).toMatchObject({ sysname: 'Linux', release: null, version_pretty: null });
    await db.query(`grant execute on function pg_read_file(text, bigint, bigint, boolean) to ${reader}`);
    expect(await info(session)).toEqual(await info(db.client));
    expect(await info(db.client)).toMatchObject({ version_pretty: expect.stringMatching(/^\w[^"\n]*$/) });
    await db.query(`revoke execute on function pg_read_file(text, bigint, bigint, boolean) from ${reader}`);
  });
});

describe('the job', () => {
  test('stores a report, thirty at most, and nothing when telemetry is off', async () => {
    expect(await db.value('select application_name from tessera_information.jobs where job_id = 1')).toBe(
      'Telemetry Reporter [1]',
    );
    await db.query('call run_job(1)');
    expect(await reports()).toMatchObject([{ delivered: false, delivery_error: null }]);
    expect(await db.value(`select report ->> 'exported_db_uuid' from _tessera_catalog.telemetry_report`)).toMatch(
      /^[0-9a-f-]{36}$/,
    );
    for (let i = 0; i < 32; i++) await db.query('call run_job(1)');
    expect(await reports()).toHaveLength(30);
    await db.query(
      `delete from _tessera_catalog.telemetry_report; select tessera.set_setting('telemetry_level', 'off')`,
    );
    await db.query('call run_job(1)');
    expect(await reports()).toEqual([]);
    await db.query(`select tessera.set_setting('telemetry_level', null)`);
  });

  test('does not take its own run for a crash', async () => {
    await db.query(`
      delete from _tessera_catalog.bgw_job_stat where job_id = 1;
      insert into _tessera_catalog.bgw_job_stat (job_id) values (1);
      select _tessera_functions.mark_job_start(1, false);
      call _tessera_functions.policy_telemetry(1, null)`);
    const stored = `select report #> '{stats_by_job_type,policy_telemetry}' from _tessera_catalog.telemetry_report order by id desc limit 1`;
    expect(await db.value(stored)).toMatchObject({ total_runs: 1, total_crashes: 0, max_consecutive_crashes: 0 });
    await db.query('select _tessera_functions.mark_job_crash(1); call _tessera_functions.policy_telemetry(1, null)');
    expect(await db.value(stored)).toMatchObject({ total_runs: 1, total_crashes: 1, max_consecutive_crashes: 1 });
  });

  test.each([
    [1, '01:00:00'],
    [11, '01:00:00'],
    [12, '1 day'],
  ])('comes again after run %d in %s', async (run, wait) => {
    await db.query(`
      insert into _tessera_catalog.bgw_job_stat (job_id) values (1) on conflict do nothing;
      update _tessera_catalog.bgw_job_stat set total_runs = ${run - 1} where job_id = 1;
      select _tessera_functions.mark_job_start(1, false);
      call _tessera_functions.policy_telemetry(1, null);
      select _tessera_functions.mark_job_end(1, true)`);
    const since = run < 12 ? 'last_start' : 'last_finish';
    expect(
      await db.value(
        `select next_start - ${since} = $1::interval from _tessera_catalog.bgw_job_stat where job_id = 1`,
        [wait],
      ),
    ).toBe(true);
  });
});
