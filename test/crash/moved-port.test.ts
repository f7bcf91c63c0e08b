import { createServer } from 'node:net';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { project, stateFolder } from '../../server/cluster.ts';

const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';
const copy = mkdtempSync(join(tmpdir(), 'tessera-checkout-'));

/** A command of a checkout of its own, with servers of its own. */
const server = (...args: string[]): string =>
  execFileSync(join(project, 'node_modules/.bin/tsx'), ['server/main.ts', ...args], {
    cwd: copy,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
const environment = (): Record<string, string> =>
  Object.fromEntries(
    readFileSync(join(copy, relative(project, stateFolder), 'env'), 'utf8')
      .trim()
      .split('\n')
      .map((l) => l.split('=') as [string, string]),
  );

afterAll(() => {
  if (existsSync(join(copy, '.pg'))) server('down');
  rmSync(copy, { recursive: true, force: true });
});

const asking = async (port: number): Promise<unknown> => {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
  await client.connect();
  const { rows } = await client.query(
    'select (select count(*) from kept)::int as kept, pg_is_in_recovery() as standby',
  );
  await client.end();
  return rows[0];
};

// Starts servers of a checkout of its own in the embedded root.
test.runIf(embedded)(
  'a server whose port was taken meanwhile comes back on another one, with its data and standby',
  async () => {
    for (const name of ['server', 'dist', 'package.json', 'tsconfig.json'])
      cpSync(join(project, name), join(copy, name), { recursive: true });
    server('up', '--standbys=1');
    const before = environment();
    const client = new pg.Client({
      host: '127.0.0.1',
      port: Number(before.PGPORT),
      user: 'postgres',
      database: 'postgres',
    });
    await client.connect();
    await client.query('create table kept as select 1 as a');
    await client.end();
    server('down');
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(Number(before.PGPORT), '127.0.0.1', resolve));
    server('up', '--standbys=1');
    const after = environment();
    expect(after.PGPORT).not.toBe(before.PGPORT);
    expect(await asking(Number(after.PGPORT))).toEqual({ kept: 1, standby: false });
    expect(await asking(Number(after.TESSERA_STANDBY_PORTS))).toEqual({ kept: 1, standby: true });
    // Once up, it stays where it is.
    server('up', '--standbys=1');
    expect(environment()).toEqual(after);
    await new Promise((resolve) => squatter.close(resolve));
  },
  240_000, // it builds the language handler, too
);
