import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { freePort, project, stateFolder } from '../../server/cluster.ts';
import { DEFAULT_MAJOR, PACKAGES, PG_MAJOR, SUITES } from '../../server/root.ts';
import { waitUntil } from '../harness/wait-until.ts';

const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';
const dockerfile = readFileSync(join(project, 'server/docker/Dockerfile'), 'utf8');
const root = join(stateFolder, 'root');
const place = `/var/lib/tessera/container${process.pid}`;
let server: ChildProcess | undefined;

afterAll(async () => {
  if (server !== undefined) {
    const ended = new Promise((resolve) => server?.once('exit', resolve));
    server.kill('SIGINT');
    await ended;
  }
  rmSync(join(root, place), { recursive: true, force: true });
});

test('the image has the packages of the embedded root that a server needs', () => {
  const installed =
    /install -y --no-install-recommends \\\n([^&]*)/
      .exec(dockerfile)?.[1]
      ?.trim()
      .split(/[\s\\]+/)
      .filter((p) => p !== '')
      .map((p) => p.replace('${PG_MAJOR}', String(PG_MAJOR))) ?? [];
  expect(installed.length).toBeGreaterThan(4);
  for (const name of installed) expect(PACKAGES).toContain(name);
  for (const name of PACKAGES.filter((p) => p.startsWith('postgresql-') || p === 'libnode-dev'))
    expect(installed).toContain(name);
  expect(dockerfile).toContain(`ARG PG_MAJOR=${DEFAULT_MAJOR}\n`);
  expect(dockerfile).toContain(`ARG SUITE=${SUITES[DEFAULT_MAJOR]}\n`);
});

// No container engine is needed for this: the script of the image runs in the embedded root, which has the same packages.
test.runIf(embedded)('what the image runs is a server that takes the extension', async () => {
  mkdirSync(join(root, place), { recursive: true });
  cpSync(join(project, 'server/docker/start.sh'), join(root, place, 'start.sh'));
  cpSync(join(project, 'server/postgresql.conf'), join(root, place, 'tessera.conf'));
  const port = await freePort(58000 + (process.pid % 500), new Set());
  const script = `chown -R postgres ${place} && exec setpriv --reuid=postgres --regid=postgres --init-groups ${place}/start.sh -c port=${port} -c fsync=off`;
  server = spawn('chroot', [root, 'sh', '-c', script], {
    env: {
      PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
      PGDATA: `${place}/data`,
      TESSERA_CONF: `${place}/tessera.conf`,
      LC_ALL: 'C.UTF-8',
    },
    stdio: 'ignore',
  });
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
    await client.connect();
    return client;
  };
  await waitUntil('it answers', () =>
    connect().then(
      (c) => c.end().then(() => true),
      () => false,
    ),
  );
  const client = await connect();
  await client.query('create extension tessera cascade');
  const { rows } = await client.query(
    `select check_name from tessera.doctor() where status = 'error' union all select name from pg_settings where name = 'wal_level' and setting <> 'logical'`,
  );
  expect(rows).toEqual([]);
  expect((await client.query('show shared_preload_libraries')).rows).toEqual([{ shared_preload_libraries: 'pg_cron' }]);
  await client.end();
});
