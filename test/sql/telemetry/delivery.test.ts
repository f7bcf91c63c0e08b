import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deliverTelemetry } from '../../../src/cli/deliver-telemetry.ts';
import { useDatabase } from '../../harness/database.ts';

const db = useDatabase();
const reports = (): Promise<Record<string, unknown>[]> =>
  db.query(
    'select report, delivered_at is not null as delivered, delivery_error from _tessera_catalog.telemetry_report order by id',
  );

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

  test('an answer without a body is fine', async () => {
    expect(await deliver((_, r) => r.writeHead(204).end())).toMatchObject({ delivered: 2, said: [] });
  });

  test('nobody listening is recorded as an error', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    await db.query(`select tessera.set_setting('telemetry_endpoint', $1)`, [`http://127.0.0.1:${port}/`]);
    const result = await deliver((_, r) => r.end('{}'));
    await db.query(`select tessera.set_setting('telemetry_endpoint', $1)`, [address()]);
    expect(result).toMatchObject({ delivered: 0, problem: expect.stringContaining('ECONNREFUSED') });
    expect(received).toEqual([]);
    expect((await reports())[0]?.delivery_error).toContain('ECONNREFUSED');
  });

  test('an error is forgotten when the report is delivered later', async () => {
    await deliver((_, r) => r.writeHead(503).end());
    listener = (_, r) => r.end('{}');
    expect(await deliverTelemetry({ client: db.client })).toEqual({ delivered: 2 });
    expect(await reports()).toMatchObject([
      { delivered: true, delivery_error: null },
      { delivered: true, delivery_error: null },
    ]);
  });

  test('one session at a time delivers', async () => {
    const said: string[] = [];
    const second = await db.connect();
    let result: Promise<unknown> | undefined;
    await deliver((_, r) => {
      result ??= deliverTelemetry({ client: second, log: (line) => void said.push(line) });
      void result.finally(() => r.end('{}'));
    });
    expect(await result).toEqual({ delivered: 0 });
    expect(said).toEqual(['another session is delivering already']);
    expect(received).toHaveLength(2);
    expect(
      await db.value(
        `select count(*)::int from pg_locks where locktype = 'advisory' and classid = 29753 and database = (select oid from pg_database where datname = current_database())`,
      ),
    ).toBe(0);
  });

  test('who may not read the reports sends nothing', async () => {
    await deliver((_, r) => r.writeHead(500).end());
    received = [];
    const stranger = await db.as(await db.role('messenger'));
    await expect(deliverTelemetry({ client: stranger })).rejects.toMatchObject({ code: '42501' });
    expect(received).toEqual([]);
  });

  test('an endpoint that is no web address is refused', async () => {
    await db.query(`select tessera.set_setting('telemetry_endpoint', 'file:///etc/passwd')`);
    await expect(deliver((_, r) => r.end('{}'))).rejects.toThrow('http or https');
    await db.query(`select tessera.set_setting('telemetry_endpoint', null)`);
  });
});
