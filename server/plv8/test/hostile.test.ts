import { describe as group, expect, test as each } from 'vitest';
import { onOwnHandler } from '../../../test/harness/engine.ts';
import { failure, useDatabase } from '../../../test/harness/database.ts';

// What only this handler can do; behaviour.test.ts holds what plv8 does as well.
const test = onOwnHandler ? each : (each.skip as typeof each);
const describe = onOwnHandler ? group : (group.skip as typeof group);

const db = useDatabase({ template: 'plv8' });

const started = (): Promise<Date> => db.value('select pg_postmaster_start_time()');
/** Crashes of a backend restart all others, so the first session of the file would be gone, too. */
const sameServer = async (pid: number): Promise<void> => expect(await db.value('select pg_backend_pid()')).toBe(pid);

describe('a user of the language cannot bring the server down', () => {
  for (const [what, body, expected] of [
    ['by free() of what is no plan', `plv8.prepare('select 1').free.call({})`, 'not a prepared plan'],
    ['by execute() of what is no plan', `plv8.prepare('select 1').execute.call(new Uint8Array(4))`, 'freed'],
    [
      'by a getter among the types of a plan',
      `plv8.prepare('select 1', Object.defineProperty([0], '0', { get() { throw new Error('got') } }))`,
      'got',
    ],
    [
      'by a setter that an error of SQL would meet',
      `Object.defineProperty(Object.prototype, 'sqlerrcode', { set() { throw new Error('set') } }); plv8.execute('select 1/0')`,
      'division by zero',
    ],
    [
      'by free() of a plan that is given its parameters',
      `const p = plv8.prepare('select $1::text, $2::text', ['text', 'text']); p.execute([{ toString() { p.free(); return 'x' } }, 'y'])`,
      'the plan is running',
    ],
    ['by a zero character in an error', `throw new Error('a\\u0000b')`, 'a'],
    ['by an exception without a text', 'throw Object.create(null)', 'unknown JavaScript exception'],
    [
      'by a column bigger than the memory',
      `plv8.execute("select convert_to(repeat('x', 300000000), 'UTF8') as b")`,
      'Array buffer allocation failed',
    ],
    [
      'by an array of parameters that has no end',
      `plv8.execute('select $1', new Array(2 ** 32 - 1))`,
      'too many parameters',
    ],
    [
      'by an array of types that has no end',
      `plv8.prepare('select $1', new Array(2 ** 32 - 1))`,
      'too many parameters',
    ],
    [
      'by an array of an int[] that has no end',
      `plv8.execute('select $1::int[]', [new Array(2 ** 32 - 1)])`,
      'invalid memory alloc request size',
    ],
    ['by an allocation that V8 gives up on', 'new Array(2 ** 30).fill(0)', 'JavaScript ran out of memory'],
  ] as const)
    test(what, async () => {
      const pid = await db.value('select pg_backend_pid()');
      const client = await db.connect();
      expect((await failure(client, `do $$ ${body} $$ language plv8`)).message).toContain(expected);
      await sameServer(pid);
    }, 240_000); // V8 13.6 tries long before it gives up

  test('by a setter that the name of a cursor would meet', async () => {
    const client = await db.connect();
    await client.query(
      `do $$ Object.defineProperty(Object.prototype, 'name', { set() { throw new Error('set') } });
       if (plv8.prepare('select 7 as n').cursor().fetch().n !== 7) throw new Error('wrong row') $$ language plv8`,
    );
  });

  test('by types that are none', async () => {
    expect(
      (await db.error('create function takes_any("any") returns text language plv8 as $$ return typeof $1 $$')).code,
    ).toBe('0A000');
    await db.query('create function only_trigger() returns trigger language plv8 as $$ return { a: 1 } $$');
    expect((await db.error('select only_trigger()')).code).toBe('0A000');
  });

  test('by domains of his own under the names of typed arrays', async () => {
    await db.query('create schema own; create domain own.plv8_float8array as bool[]');
    await db.query('create domain own.plv8_int8array as text[]; create domain own.plv8_int4array as int');
    const seen = async (sql: string): Promise<unknown> => {
      await db.query(
        `create or replace function seen() returns text language plv8 as $$ return String(plv8.execute(${JSON.stringify(sql)})[0].v) $$`,
      );
      return db.value('select seen()');
    };
    expect(
      (await db.error(`do $$ plv8.execute('select array[true]::own.plv8_float8array as v') $$ language plv8`)).message,
    ).toContain('cannot determine element type of array');
    expect(await seen('select 5::own.plv8_int4array as v')).toBe('5');
    await db.query(
      'create function forged() returns own.plv8_int8array language plv8 as $$ return new BigInt64Array([0x7fffffff7ffffffcn]) $$',
    );
    expect((await db.error('select forged()')).code).toBe('XX000');
  });
});

describe('a timeout ends', () => {
  for (const [what, body] of [
    ['a microtask', 'Promise.resolve().then(() => { for (;;); })'],
    ['a regular expression', `/(a+)+b/.test('a'.repeat(40))`],
    ['a regular expression in replace()', `'a'.repeat(1e5).replace(/(a*)*b/g, '')`],
    ['a regular expression in match()', `'x'.repeat(1e6).match(/x*y/g)`],
    ['a sort with a function', 'Array.from({ length: 5e6 }, (_, i) => (i * 7919) % 2000003).sort((a, b) => a - b)'],
    ['JSON.stringify() of much', `const a = Array(5e6).fill({ a: 'x'.repeat(20) }); for (;;) JSON.stringify(a)`],
    ['Atomics.wait()', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)'],
    ['toString() of the exception', 'throw { toString() { for (;;); } }'],
    ['a getter of the exception', 'throw { get detail() { for (;;); } }'],
    ['toString() of a parameter', `plv8.execute('select $1::text', [{ toString() { for (;;); } }])`],
    ['toJSON() of a parameter', `plv8.execute('select $1::json', [{ toJSON() { for (;;); } }])`],
    ['a getter of a parameter', `plv8.execute('select $1::jsonb', [{ get a() { for (;;); } }])`],
    ['SQL whose error is caught', `try { plv8.execute('select pg_sleep(9)') } catch (e) {}`],
    ['the conversion of a long array', `plv8.execute('select $1::int[]', [new Array(1e8)])`],
    ['what asks to be compiled as asm.js', `(function () { 'use asm'; function g() { while (1) {} } return g })()()`],
    ['a body that closes its own function', '}), (function () { for (;;); })(), (function () {'],
  ] as const)
    test(what, async () => {
      const client = await db.connect();
      await client.query('set statement_timeout = 300');
      const before = await started();
      const began = Date.now();
      expect((await failure(client, `do $$ ${body} $$ language plv8`)).code).toBe('57014');
      expect(Date.now() - began).toBeLessThan(3000);
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      expect(await started()).toEqual(before);
    }, 10_000);
});

test('a timeout ends the rows that an endless array gives', async () => {
  const client = await db.connect();
  await client.query(
    'create function endless() returns setof int language plv8 as $$ return new Array(2 ** 32 - 1) $$',
  );
  await client.query('set statement_timeout = 300');
  expect((await failure(client, 'select count(*) from endless()')).code).toBe('57014');
}, 10_000);
