import { readFileSync } from 'node:fs';
import { describe as group, expect, test as each } from 'vitest';
import { onOwnHandler } from '../../../test/harness/engine.ts';
import { failure, useDatabase } from '../../../test/harness/database.ts';
import { backendPid } from '../../../test/harness/sessions.ts';
import { serverAddress } from '../../../test/harness/server.ts';

// What only this handler can do; behaviour.test.ts holds what plv8 does as well.
const test = onOwnHandler ? each : (each.skip as typeof each);
const describe = onOwnHandler ? group : (group.skip as typeof group);

const db = useDatabase({ template: 'plv8' });
const local = serverAddress().host === '127.0.0.1' && process.env.TESSERA_TEST_DSN === undefined;

describe('functions', () => {
  test('take defaults, variadic, polymorphic and unnamed arguments', async () => {
    await db.query(
      `create function f(a int, b text default 'q', variadic c int[] default '{}') returns text language plv8 as $$ return [a, b, c.length].join() $$`,
    );
    await db.query('create function same(anyelement) returns anyelement language plv8 as $$ return $1 $$');
    expect(await db.value(`select f(1)`)).toBe('1,q,0');
    expect(await db.value(`select f(1, 'x', 5, 6)`)).toBe('1,x,2');
    expect(
      await db.value(`select same('x'::text) || same(array[1, 2])::text || coalesce(same(null::date)::text, '-')`),
    ).toBe('x{1,2}-');
  });

  test('return sets by array and by return_next', async () => {
    await db.query(
      `create function rows() returns table (x int, y text) language plv8 as $$ plv8.return_next({ x: 1, y: 'a' }); return [{ x: 2, y: null }] $$`,
    );
    await db.query(
      'create function ints() returns setof int language plv8 as $$ plv8.return_next(1); return [null, 3] $$',
    );
    expect(await db.query('select * from rows()')).toEqual([
      { x: 1, y: 'a' },
      { x: 2, y: null },
    ]);
    expect(await db.column('select * from ints()')).toEqual([1, null, 3]);
    await db.query('create function lacking() returns table (x int, y int) language plv8 as $$ return [{ x: 1 }] $$');
    expect((await db.error('select * from lacking()')).message).toContain('mismatch');
  });

  test('are compiled when created and again when replaced', async () => {
    expect((await db.error('create function bad() returns int language plv8 as $$ return (1; $$')).message).toContain(
      'SyntaxError',
    );
    await db.query('create function v() returns int language plv8 as $$ return 1 $$');
    expect(await db.value('select v()')).toBe(1);
    await db.query('create or replace function v() returns int language plv8 as $$ return 2 $$');
    expect(await db.value('select v()')).toBe(2);
    expect(await db.value(`select 1 from pg_language where lanname = 'plv8' and lanpltrusted`)).toBe(1);
  });

  test('find each other, as far as privileges go', async () => {
    const stranger = await db.role('stranger');
    await db.query(
      'create function secret() returns int language plv8 as $$ return 7 $$; revoke all on function secret() from public',
    );
    await db.query(`create function ask() returns int language plv8 as $$ return plv8.find_function('secret')() $$`);
    expect(await db.value('select ask()')).toBe(7);
    expect((await failure(await db.as(stranger), 'select ask()')).code).toBe('42501');
    expect((await db.error(`do $$ plv8.find_function('pg_catalog.now()') $$ language plv8`)).message).toContain(
      'not found',
    );
  });

  test('serve as triggers', async () => {
    await db.query('create table t (a int, b text)');
    await db.query(
      `create function trg() returns trigger language plv8 as $$
       if (TG_OP === 'DELETE') return null; if (NEW.a < 0) return null; NEW.b = [TG_WHEN, TG_LEVEL, TG_TABLE_NAME, TG_ARGV].join(); return NEW $$`,
    );
    await db.query(`create trigger trg before insert or delete on t for each row execute function trg('p', 'q')`);
    await db.query('insert into t values (1), (-1)');
    await db.query('delete from t');
    expect(await db.query('select * from t')).toEqual([{ a: 1, b: 'BEFORE,ROW,t,p,q' }]);
  });

  test('keep globals by role, through errors and rollbacks', async () => {
    const other = await db.role('other');
    await db.query(
      'create function counter() returns int language plv8 as $$ return globalThis.n = (globalThis.n ?? 0) + 1 $$',
    );
    await db.query(
      'create function counter_of_owner() returns int language plv8 security definer as $$ return globalThis.n $$',
    );
    await db.query('select counter()');
    await db.query('begin');
    await db.query('select counter()');
    await db.error(`do $$ throw new Error('x') $$ language plv8`);
    await db.query('rollback');
    expect(await db.value('select counter()')).toBe(3);
    await db.query(`set role ${other}`);
    expect(await db.value('select counter()')).toBe(1);
    expect(await db.value('select counter_of_owner()')).toBe(3);
    await db.query('reset role');
  });

  test('keep them until plv8_reset(), and show in plv8_info() who keeps any', async () => {
    const client = await db.connect();
    await client.query('do $$ globalThis.kept = 1 $$ language plv8');
    const info = (await client.query('select plv8_info() as info')).rows[0].info;
    expect(info).toEqual([
      {
        user: (await client.query('select current_user as u')).rows[0].u,
        total_heap_size: expect.any(Number),
        used_heap_size: expect.any(Number),
        external_memory: expect.any(Number),
      },
    ]);
    await client.query('select plv8_reset()');
    expect((await client.query('select plv8_info() as info')).rows[0].info).toEqual([]);
    await client.query(`do $$ if (globalThis.kept !== undefined) throw new Error('kept') $$ language plv8`);
    expect((await failure(client, `do $$ plv8.execute('select plv8_reset()') $$ language plv8`)).code).toBe('55006');
    const stranger = await db.role('curious');
    expect((await failure(await db.as(stranger), 'select plv8_info()')).code).toBe('42501');
  });

  test('commit in procedures, and nowhere else', async () => {
    await db.query('create table log (i int)');
    await db.query(
      `create procedure p() language plv8 as $$ for (let i = 0; i < 4; i++) { plv8.execute('insert into log values ($1)', [i]); i % 2 ? plv8.rollback() : plv8.commit() } $$`,
    );
    await db.query('call p()');
    expect(await db.column('select i from log order by 1')).toEqual([0, 2]);
    await db.query('begin');
    expect((await db.error('call p()')).code).toBe('2D000');
    await db.query('rollback');
    expect((await db.error('do $$ plv8.commit() $$ language plv8')).code).toBe('2D000');
    expect((await db.error(`do $$ plv8.execute('commit') $$ language plv8`)).message).toContain(
      'transaction is aborted',
    );
  });
});

describe('errors', () => {
  test('of SQL reach JavaScript with everything, and PostgreSQL again unchanged', async () => {
    await db.query(
      `create function raise_x() returns void language plpgsql as $$ begin raise exception 'boom' using errcode = '22012', detail = 'd', hint = 'h'; end $$`,
    );
    await db.query(
      `create function caught() returns text language plv8 as $$
       try { plv8.execute('select raise_x()') } catch (e) { return [e instanceof Error, e.message, e.sqlerrcode, e.detail, e.hint].join() } $$`,
    );
    expect(await db.value('select caught()')).toBe('true,boom,22012,d,h');
    expect(await db.error(`do $$ plv8.execute('select raise_x()') $$ language plv8`)).toMatchObject({
      code: '22012',
      message: 'boom',
      detail: 'd',
      hint: 'h',
    });
    expect(
      await db.error(
        `create table u (a int unique); insert into u values (1); do $$ plv8.execute('insert into u values (1)') $$ language plv8`,
      ),
    ).toMatchObject({ code: '23505', constraint: undefined, table: undefined });
  });

  test('of JavaScript carry SQLSTATE, detail and hint, and are caught by PL/pgSQL', async () => {
    const pack = [...'22023'].reduceRight((c, ch) => (c << 6) | ((ch.charCodeAt(0) - 48) & 63), 0);
    await db.query(
      `create function fail() returns void language plv8 as $$ const e = new Error('m'); e.code = ${pack}; e.detail = 'D'; e.hint = 'H'; throw e $$`,
    );
    expect(await db.error('select fail()')).toMatchObject({ code: '22023', message: 'm', detail: 'D', hint: 'H' });
    expect((await db.error(`do $$ throw new RangeError('far') $$ language plv8`)).message).toBe('RangeError: far');
    expect(await db.error('do $$ null.x $$ language plv8')).toMatchObject({ code: 'XX000' });
    expect(await db.error(`do $$ throw 'just text' $$ language plv8`)).toMatchObject({ message: 'just text' });
    await db.query(
      `create function wrap() returns text language plpgsql as $$ begin perform fail(); exception when invalid_parameter_value then return sqlerrm; end $$`,
    );
    expect(await db.value('select wrap()')).toBe('m');
  });

  test('that are caught leave earlier work, also through five levels of nesting', async () => {
    await db.query('create table kept (i int)');
    await db.query(
      `create function nest(n int) returns text language plv8 as $$
       plv8.execute('insert into kept values ($1)', [n]);
       if (n === 0) plv8.execute('select 1/0');
       try { plv8.execute('select nest($1)', [n - 1]) } catch (e) { if (n < 3) throw e; return e.sqlerrcode } return 'ok' $$`,
    );
    expect(await db.value('select nest(5)')).toBe('ok');
    expect(await db.column('select i from kept order by 1')).toEqual([3, 4, 5]);
  });

  test('undo a subtransaction and nothing else', async () => {
    await db.query('create table sub (i int)');
    await db.query(
      `do $$ const add = (i) => plv8.execute('insert into sub values ($1)', [i]);
       plv8.subtransaction(() => { add(1); try { plv8.subtransaction(() => { add(2); throw new Error('x') }) } catch (e) {} add(3) }) $$ language plv8`,
    );
    expect(await db.column('select i from sub order by 1')).toEqual([1, 3]);
  });
});

describe('plans', () => {
  test('are kept over calls, survive DDL on what they read, and move cursors', async () => {
    await db.query('create table src as select i from generate_series(1, 10) i');
    await db.query(
      `create function kept_plan(n int) returns text language plv8 as $$
       globalThis.plan ??= plv8.prepare('select count(*)::int as n from src where i > $1', ['int']);
       return String(globalThis.plan.execute([n])[0].n) $$`,
    );
    expect(await db.value('select kept_plan(3)')).toBe('7');
    await db.query('alter table src add column j int; create index on src (i); analyze src');
    expect(await db.value('select kept_plan(8)')).toBe('2');
    await db.query(
      `create function walk() returns text language plv8 as $$
       const p = plv8.prepare('select i from src where i > $1 order by i'); const c = p.cursor([2]);
       const seen = [c.fetch().i, ...c.fetch(2).map((r) => r.i)]; c.move(1); seen.push(c.fetch().i); c.close(); p.free();
       try { p.execute([1]); seen.push('used') } catch (e) { seen.push('freed') } return seen.join() $$`,
    );
    expect(await db.value('select walk()')).toBe('3,4,5,7,freed');
  });
});

describe('interrupts', () => {
  for (const [what, body] of [
    ['a tight loop', 'for (;;);'],
    ['a loop in try and finally', 'try { for (;;); } catch (e) { for (;;); } finally { for (;;); }'],
    ['a caught SQL statement', `try { plv8.execute('select pg_sleep(30)') } catch (e) {} for (;;);`],
    ['a loop of SQL statements', `for (;;) try { plv8.execute('select 1') } catch (e) {}`],
  ] as const)
    test(`statement_timeout ends ${what}`, async () => {
      const client = await db.connect();
      await client.query('set statement_timeout = 300');
      const began = Date.now();
      expect(await failure(client, `do $$ ${body} $$ language plv8`)).toMatchObject({
        code: '57014',
        message: 'canceling statement due to statement timeout',
      });
      expect(Date.now() - began).toBeLessThan(3000);
      expect((await failure(client, 'select pg_sleep(5)')).code).toBe('57014');
      await client.query('set statement_timeout = 0');
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    });

  test('pg_cancel_backend and pg_terminate_backend end a loop', async () => {
    for (const [f, code] of [
      ['pg_cancel_backend', '57014'],
      ['pg_terminate_backend', '57P01'],
    ] as const) {
      const client = await db.connect();
      const pid = await backendPid(client);
      const work = failure(client, 'do $$ for (;;); $$ language plv8');
      await new Promise((resolve) => setTimeout(resolve, 200));
      await db.query(`select ${f}($1)`, [pid]);
      expect((await work).code).toBe(code);
    }
  });

  test('a lock timeout is an ordinary error that JavaScript may catch', async () => {
    await db.query('create table locked (i int)');
    const holder = await db.connect();
    await holder.query('begin; lock table locked');
    await db.query(
      `create function try_lock() returns text language plv8 as $$
       plv8.execute('set local lock_timeout = 50'); try { plv8.execute('lock table locked') } catch (e) { return e.sqlerrcode } return 'locked' $$`,
    );
    expect(await db.value('select try_lock()')).toBe('55P03');
    await holder.query('rollback');
  });
});

test('the library is that of V8 10.2, whichever V8 runs', async () => {
  await db.query(
    `create function younger() returns text language plv8 as $$
     const of = (o, names) => names.filter((n) => n in o);
     return [...of(Array.prototype, ['toSorted', 'toReversed', 'toSpliced', 'with']), ...of(Int8Array.prototype, ['toSorted', 'with']),
       ...of(Object, ['groupBy']), ...of(Map, ['groupBy']), ...of(Array, ['fromAsync']), ...of(Promise, ['withResolvers', 'try']),
       ...of(String.prototype, ['isWellFormed']), ...of(Set.prototype, ['union']), ...of(RegExp, ['escape']),
       ...of([].values(), ['map', 'toArray']), ...of(ArrayBuffer.prototype, ['transfer', 'resize']),
       ...of(globalThis, ['Iterator', 'Float16Array', 'DisposableStack'])].join() $$`,
  );
  expect(await db.value('select younger()')).toBe('');
});

describe('limits', () => {
  test('memory ends in a clean error, and the session goes on', async () => {
    const client = await db.connect();
    await client.query('set plv8.memory_limit = 64');
    expect(await failure(client, 'do $$ const a = []; for (;;) a.push({ a: 1 }) $$ language plv8')).toMatchObject({
      code: 'XX000',
      message: 'Out of memory error',
      detail: 'The limit is 64 MB.',
    });
    expect((await failure(client, 'do $$ new ArrayBuffer(100 * 1024 * 1024) $$ language plv8')).message).toBe(
      'RangeError: Array buffer allocation failed',
    );
    await client.query(`do $$ plv8.execute('select 1') $$ language plv8`);
  });

  test('endless recursion is a RangeError, in JavaScript and through SQL', async () => {
    expect((await db.error('do $$ const f = () => f(); f() $$ language plv8')).message).toContain('RangeError');
    await db.query(
      `create function deep(n int) returns int language plv8 as $$ return plv8.execute('select deep($1) as d', [n + 1])[0].d $$`,
    );
    const error = await db.error('select deep(1)');
    expect(['54001', 'XX000']).toContain(error.code);
    expect(await db.value('select 1')).toBe(1);
  });
});

// Reads /proc of the backend, so it needs the server on this machine.
test.runIf(local)(
  'calls, caught errors, subtransactions and plans do not leak',
  async () => {
    const client = await db.connect();
    const pid = await backendPid(client);
    const resident = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
    await client.query(`create function inc(a int, t text) returns text language plv8 as $$ return t + a $$`);
    const rounds = [
      `select count(inc(i, 'some text')) from generate_series(1, 200000) i`,
      `do $$ for (let i = 0; i < 20000; i++) try { plv8.execute('select 1/0') } catch (e) {} $$ language plv8`,
      `do $$ for (let i = 0; i < 20000; i++) plv8.subtransaction(() => plv8.execute('select 1')) $$ language plv8`,
      `do $$ for (let i = 0; i < 2000; i++) { const p = plv8.prepare('select $1::int', ['int']); p.execute([i]); p.free() } $$ language plv8`,
      `do $$ for (let i = 0; i < 20000; i++) plv8.execute('select $1::text as t', ['x'.repeat(1000)]) $$ language plv8`,
    ];
    for (const sql of rounds) await client.query(sql);
    const before = resident();
    for (let i = 0; i < 5; i++) for (const sql of rounds) await client.query(sql);
    expect(resident() - before).toBeLessThan(30);
  },
  120_000,
);

test('eight sessions at once, with errors and cancels, bring nothing down', async () => {
  const started = await db.value('select pg_postmaster_start_time()');
  await db.query(
    `create function work(i int) returns int language plv8 as $$
     try { plv8.execute('select 1 / $1::int', [i % 3]) } catch (e) { if (e.sqlerrcode !== '22012') throw e }
     plv8.subtransaction(() => plv8.execute('select count(*) from generate_series(1, 100)'));
     return JSON.parse(JSON.stringify({ a: Array(50).fill(i) })).a.length $$`,
  );
  const until = Date.now() + 6000;
  const session = async (n: number): Promise<number> => {
    const client = await db.connect();
    await client.query('set statement_timeout = 200');
    let done = 0;
    while (Date.now() < until) {
      await client
        .query(`select sum(work(i)) from generate_series(1, 50) i`)
        .catch((e) => expect(e.code).toBe('57014'));
      if (++done % 10 === n) expect((await failure(client, 'do $$ for (;;); $$ language plv8')).code).toBe('57014');
    }
    return done;
  };
  const done = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(session));
  expect(Math.min(...done)).toBeGreaterThan(0);
  expect(await db.value('select pg_postmaster_start_time()')).toEqual(started);
}, 60_000);
