import { describe as group, expect, test as each } from 'vitest';
import { onOwnHandler } from '../../../test/harness/engine.ts';
import { failure, useDatabase } from '../../../test/harness/database.ts';

// What only this handler can do; behaviour.test.ts holds what plv8 does as well.
const test = onOwnHandler ? each : (each.skip as typeof each);
const describe = onOwnHandler ? group : (group.skip as typeof group);

const db = useDatabase({ template: 'plv8' });

const raised = async (): Promise<string[]> => {
  const seen: string[] = [];
  db.client.on('notice', (n) => seen.push(`${n.severity} ${n.message}`));
  return seen;
};

describe('an error in user code that runs for a conversion leaves nothing open', () => {
  test('in parameters of a plan, in rows, and under a cursor', async () => {
    await db.query(
      `create function positive(i int) returns bool language plpgsql as $$ begin perform 1; if i < 0 then raise exception 'negative'; end if; return true; end $$`,
    );
    await db.query('create domain strict_positive as int check (positive(value))');
    await db.query(
      `create function broken(i int) returns int language plpgsql as $$ begin perform 1; if i > 2 then raise exception 'broken'; end if; return i; end $$`,
    );
    await db.query(
      `create function plan_errors() returns int language plv8 as $$
       const p = plv8.prepare('select $1::strict_positive as v', ['strict_positive']); let n = 0;
       for (let i = 0; i < 3; i++) try { p.execute(['-1']) } catch (e) { n++ }
       try { p.cursor(['-1']) } catch (e) { n++ }
       return n + plv8.execute('select 10 as v')[0].v $$`,
    );
    await db.query(
      `create function row_errors() returns setof strict_positive language plv8 as $$
       for (let i = 0; i < 3; i++) try { plv8.return_next('-1') } catch (e) {}
       plv8.return_next(plv8.execute('select 4 as v')[0].v) $$`,
    );
    await db.query(
      `create function move_errors() returns text language plv8 as $$
       const c = plv8.prepare('select broken(g) from generate_series(1, 5) g').cursor();
       try { c.move(4) } catch (e) { return e.message + plv8.execute('select 1 as v')[0].v } $$`,
    );
    // PostgreSQL itself reports an SPI level or a snapshot that was left open as a warning at the end of the transaction.
    const notices = await raised();
    expect(await db.value('select plan_errors()')).toBe(14);
    expect(await db.column('select * from row_errors()')).toEqual([4]);
    expect(await db.value('select move_errors()')).toBe('broken1');
    expect(notices).toEqual([]);
  });
});

test('a domain that is only named like a typed array is not read as one', async () => {
  await db.query('create schema mine; create domain mine.plv8_int4array as text');
  await db.query('create domain mine.plv8_float8array as float8[] check (array_length(value, 1) < 2)');
  await db.query(
    'create function kind(a mine.plv8_int4array) returns text language plv8 as $$ return typeof a + a.length $$',
  );
  await db.query(
    'create function unchecked() returns mine.plv8_float8array language plv8 as $$ return new Float64Array(5) $$',
  );
  await db.query(`create function checked() returns mine.plv8_float8array language plv8 as $$ return '{1,2,3}' $$`);
  expect(await db.value(`select kind('not an array at all')`)).toBe('string19');
  for (const call of ['unchecked()', 'checked()'])
    expect((await db.error(`select ${call}`)).message).toContain('cannot determine element type of array');
});

describe('no memory lies outside the limits', () => {
  for (const [what, make] of [
    ['ArrayBuffer', 'new ArrayBuffer(1e6)'],
    ['SharedArrayBuffer', 'new SharedArrayBuffer(1e6)'],
    ['Float64Array', 'new Float64Array(125000)'],
    ['a copy of a part', 'new ArrayBuffer(1e6).slice(0)'],
    ['one that might grow', 'new ArrayBuffer(1e6, { maxByteLength: 1e6 })'],
    ['one that might, by another way', 'new (new Uint8Array(1).buffer.constructor)(1e6, { maxByteLength: 1e6 })'],
    ['one of a class', 'new (class extends SharedArrayBuffer {})(1e6, { maxByteLength: 1e6 })'],
    [
      'one that was handed on',
      '(new ArrayBuffer(1).transfer?.bind(new ArrayBuffer(1)) ?? ((n) => new ArrayBuffer(n)))(1e6)',
    ],
    ['bytea', `plv8.execute("select convert_to(repeat('x', 1000000), 'UTF8') as b")[0].b`],
  ] as const)
    test(what, async () => {
      const client = await db.connect();
      await client.query('set plv8.memory_limit = 64');
      expect(await failure(client, `do $$ const a = []; for (;;) a.push(${make}) $$ language plv8`)).toMatchObject({
        code: 'XX000',
        message: 'RangeError: Array buffer allocation failed',
      });
      await client.query(
        `create or replace function held() returns int language plv8 as $$ const a = []; try { for (;;) a.push(${make}) } catch (e) { return e instanceof RangeError ? a.length : -1 } $$`,
      );
      const held = (await client.query('select held()')).rows[0].held;
      expect(held).toBeGreaterThan(60);
      expect(held).toBeLessThanOrEqual(67);
    });

  test('and nothing makes any that is not counted', async () => {
    await db.query(
      `create function uncounted() returns text language plv8 as $$
       return [typeof WebAssembly, typeof ArrayBuffer.prototype.resize, typeof SharedArrayBuffer.prototype.grow].join() $$`,
    );
    expect(await db.value('select uncounted()')).toBe('undefined,undefined,undefined');
    await db.query(
      `create function kept() returns text language plv8 as $$
       const b = new ArrayBuffer(8), own = new (class Own extends ArrayBuffer {})(4);
       return [b instanceof ArrayBuffer, b.constructor === ArrayBuffer, own instanceof ArrayBuffer, own.slice(1).byteLength,
         ArrayBuffer.isView(new DataView(b)), ArrayBuffer.name, Object.prototype.toString.call(b)].join() $$`,
    );
    expect(await db.value('select kept()')).toBe('true,true,true,3,true,ArrayBuffer,[object ArrayBuffer]');
  });
});

describe('memory that V8 cannot have ends the statement or the session, never the server', () => {
  for (const [what, body, ends] of [
    ['a Map', 'const m = new Map(); for (let i = 0; ; i++) m.set(i, i)', 'statement'],
    ['an object', "const o = {}; for (let i = 0; ; i++) o['k' + i] = i", 'statement'],
    ['an array of long strings', "const a = []; for (;;) a.push(JSON.stringify('x'.repeat(1e6)))", 'statement'],
    ['an array that doubles', 'let a = [1]; for (;;) a = a.concat(a)', 'statement'],
    ['the rows of a query', `plv8.execute("select repeat('x', 1000) from generate_series(1, 1000000)")`, 'statement'],
    ['an array of a fixed great length', 'new Array(2 ** 27).fill(0)', 'session'],
    ['a split string', "'x'.repeat(2 ** 29 - 30).split('')", 'session'],
  ] as const)
    test(what, async () => {
      const started = await db.value('select pg_postmaster_start_time()');
      const pid = await db.value('select pg_backend_pid()');
      const client = await db.connect();
      await client.query('set plv8.memory_limit = 64');
      expect(await failure(client, `do $js$ ${body} $js$ language plv8`)).toMatchObject({
        code: ends === 'session' ? '53200' : 'XX000',
        severity: ends === 'session' ? 'FATAL' : 'ERROR',
      });
      if (ends === 'statement') await client.query(`do $$ plv8.execute('select 1') $$ language plv8`);
      // A backend that died of a signal would have taken this other session with it.
      expect(await db.value('select pg_backend_pid()')).toBe(pid);
      expect(await db.value('select pg_postmaster_start_time()')).toEqual(started);
    });
});

test('plv8.start_proc runs once for each role, and again after it failed', async () => {
  const client = await db.connect();
  await client.query(
    'create function setup() returns void language plv8 as $$ globalThis.runs = (globalThis.runs ?? 0) + 1 $$',
  );
  await client.query('create function runs() returns int language plv8 as $$ return globalThis.runs $$');
  const fresh = await db.connect();
  await fresh.query(`set plv8.start_proc = 'missing'`);
  expect((await failure(fresh, 'select runs()')).code).toBe('42883');
  await fresh.query(`set plv8.start_proc = 'setup'`);
  expect((await fresh.query('select runs(), runs() as again')).rows).toEqual([{ runs: 1, again: 1 }]);
  const role = await db.role('starter');
  const unprivileged = await db.as(role);
  // Before the library is loaded PostgreSQL takes any setting; loading it throws away those that are not allowed.
  await unprivileged.query(`set plv8.start_proc = 'setup'`);
  expect((await unprivileged.query('select runs()')).rows).toEqual([{ runs: null }]);
  expect((await failure(unprivileged, `set plv8.start_proc = 'setup'`)).code).toBe('42501');
});

test('transaction_timeout ends a tight loop', async (context) => {
  if (Number(await db.value(`select current_setting('server_version_num')`)) < 170000) return context.skip();
  const client = await db.connect();
  await client.query('set transaction_timeout = 300');
  const began = Date.now();
  expect((await failure(client, 'do $$ for (;;); $$ language plv8')).code).toBe('25P04');
  expect(Date.now() - began).toBeLessThan(3000);
});

test('text is converted where the database is not in UTF-8', async () => {
  const name = `${db.name}_latin1`;
  await db.query(`create database ${name} encoding latin1 lc_collate 'C' lc_ctype 'C' template template0`);
  const { default: pg } = await import('pg');
  const { serverAddress } = await import('../../../test/harness/server.ts');
  const { bin: _, ...address } = serverAddress();
  const client = new pg.Client({ ...address, database: name });
  await client.connect();
  try {
    await client.query('create extension plv8');
    await client.query(
      `create function up(t text) returns text language plv8 as $$ return t.toUpperCase() + 'é' + t.length $$`,
    );
    expect((await client.query(`select up('äö') as v`)).rows).toEqual([{ v: 'ÄÖé2' }]);
    await client.query(
      `create function keys() returns text language plv8 as $$ return Object.keys(plv8.execute('select 1 as "ü"')[0])[0] $$`,
    );
    expect((await client.query('select keys() as v')).rows).toEqual([{ v: 'ü' }]);
    await client.query(
      `create function euro() returns text language plv8 as $$ try { plv8.execute('select $1::text', ['\\u20ac']) } catch (e) { return e.sqlerrcode } $$`,
    );
    expect((await client.query('select euro() as v')).rows).toEqual([{ v: '22P05' }]);
  } finally {
    await client.end();
    await db.query(`drop database ${name} with (force)`);
  }
});
