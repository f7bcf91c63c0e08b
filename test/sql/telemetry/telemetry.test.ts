import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deliverTelemetry } from '../../../src/cli/deliver-telemetry.ts';
import { failure, useDatabase } from '../../harness/database.ts';
import { dump, psql } from '../../harness/psql.ts';

const db = useDatabase();
const restored = useDatabase({ template: 'empty' });
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
      relations: { hypertables: { num_relations: 1 }, chunks: { num_relations: 4 } },
      replication: { is_wal_receiver: false },
    });
    expect(report.relations.chunks.heap_size).toBeGreaterThan(0);
    expect(report.db_uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect(JSON.stringify(report)).not.toContain('secret');
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
    await db.query(`select tessera.set_setting('telemetry_level', null)`);
  });

  test('a stranger learns no more from it than he may see', async () => {
    const session = await db.as(await db.role('curious'));
    expect((await failure(session, 'select get_telemetry_report()')).code).toBe('42501');
    expect((await session.query('select * from _tessera_functions.get_os_info()')).rows).toMatchObject([
      { sysname: 'Linux', version: null, release: null, version_pretty: null },
    ]);
    expect((await failure(session, `insert into _tessera_catalog.metadata values ('x', 'y', true)`)).code).toBe(
      '42501',
    );
    expect((await failure(session, 'call _tessera_functions.policy_telemetry(1, null)')).code).toBe('42501');
  });

  test('the operating system is known to who may read files of the server', async () => {
    const [os] = await db.query('select * from _tessera_functions.get_os_info()');
    expect(os?.sysname).toBe('Linux');
    expect(os?.version_pretty).toMatch(/\w/);
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

  test('the identity is not dumped, what was exported and what the user added is', async () => {
    psql(restored.name, dump(db.name));
    const value = (of: typeof db, key: string): Promise<string> =>
      of.value('select value from _tessera_catalog.metadata where key = $1', [key]);
    expect(await value(restored, 'uuid')).not.toBe(await value(db, 'uuid'));
    expect(await value(restored, 'exported_uuid')).toBe(await value(db, 'exported_uuid'));
    expect(await value(restored, 'mine')).toBe('shown');
    // The same dump once more: keys that are there are changed.
    await restored.query(`insert into _tessera_catalog.metadata values ('mine', 'again', true)`);
    expect(await value(restored, 'mine')).toBe('again');
  });
});

describe('delivery', () => {
  let server: Server;
  let listener: RequestListener = (_, response) => response.end('{}');
  let received: string[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => {
        received.push(body);
        listener(request, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const address = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const store = (): Promise<unknown> =>
    db.query(
      `delete from _tessera_catalog.telemetry_report; insert into _tessera_catalog.telemetry_report (report) values ('{"n": 1}'), ('{"n": 2}')`,
    );
  const deliver = async (answer: RequestListener): Promise<{ delivered: number; problem?: string; said: string[] }> => {
    listener = answer;
    received = [];
    await store();
    const said: string[] = [];
    const result = await deliverTelemetry({ client: db.client, timeoutMs: 300, log: (line) => void said.push(line) });
    return { ...result, said };
  };

  test('nothing is sent as long as no endpoint is set', async () => {
    const result = await deliver((_, response) => response.end('{}'));
    expect(result).toMatchObject({ delivered: 0, said: ['telemetry_endpoint is not set; nothing is sent'] });
    expect(received).toEqual([]);
    await db.query(`select tessera.set_setting('telemetry_endpoint', $1)`, [address()]);
  });

  test('reports that were not sent yet are, once', async () => {
    expect(await deliver((_, response) => response.end('{"is_up_to_date": true}'))).toMatchObject({
      delivered: 2,
      said: [],
    });
    expect(received.map((r) => JSON.parse(r))).toEqual([{ n: 1 }, { n: 2 }]);
    expect((await reports()).map((r) => r.delivered)).toEqual([true, true]);
    expect((await deliverTelemetry({ client: db.client })).delivered).toBe(0);
  });

  test('an answer that there is a newer version is told', async () => {
    const { said } = await deliver((_, response) =>
      response.end('{"is_up_to_date": false, "current_tessera_version": "9.9.9"}'),
    );
    expect(said[0]).toMatch(/is not up to date, 9\.9\.9 is there$/);
  });

  test.each<[string, RequestListener, RegExp]>([
    ['no JSON', (_, r) => r.end('<html>'), /not JSON/],
    ['a version that is none', (_, r) => r.end('{"current_tessera_version": "$(rm)"}'), /no usable version/],
    ['an error of the server', (_, r) => r.writeHead(500).end('{}'), /answered 500/],
    ['a redirection', (_, r) => r.writeHead(307, { location: 'http://127.0.0.1:9/' }).end(), /redirect|fetch failed/],
    ['no answer in time', () => undefined, /did not answer in time/],
    ['an endless answer', (_, r) => r.end(`"${'x'.repeat(200_000)}"`), /too long/],
    ['a closed connection', (q) => q.socket.destroy(), /fetch failed/],
  ])('%s is recorded as an error, and the report stays to be sent', async (_, answer, problem) => {
    const result = await deliver(answer);
    expect(result.delivered).toBe(0);
    expect(result.problem).toMatch(problem);
    const [first, second] = await reports();
    expect(first).toMatchObject({ delivered: false });
    expect(first?.delivery_error).toMatch(problem);
    expect(second).toMatchObject({ delivered: false, delivery_error: null });
  });

  test('an endpoint that is no web address is refused', async () => {
    await db.query(`select tessera.set_setting('telemetry_endpoint', 'file:///etc/passwd')`);
    await expect(deliver((_, r) => r.end('{}'))).rejects.toThrow('http or https');
    await db.query(`select tessera.set_setting('telemetry_endpoint', null)`);
  });
});
