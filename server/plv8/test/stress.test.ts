/**
 * Many sessions at once, each doing all that the language offers in an order of its own, with cancels from outside. Every
 * answer is checked. TESSERA_STRESS_SECONDS makes it longer, TESSERA_STRESS_SEED repeats an order.
 */
import type pg from 'pg';
import { beforeAll, expect, test as each } from 'vitest';
import { onOwnHandler } from '../../../test/harness/engine.ts';
import { failure, useDatabase } from '../../../test/harness/database.ts';
import { backendPid } from '../../../test/harness/sessions.ts';

// What only this handler can do; behaviour.test.ts holds what plv8 does as well.
const test = onOwnHandler ? each : (each.skip as typeof each);

const db = useDatabase({ template: 'plv8' });
const SESSIONS = 10;
const seconds = Number(process.env.TESSERA_STRESS_SECONDS ?? 20);
const seed = Number(process.env.TESSERA_STRESS_SEED ?? Date.now() % 1_000_000);

/** A small generator of its own for each session, so that a seed gives each session its order again. */
const generator = (start: number): ((below: number) => number) => {
  let state = start;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
};

let roles: string[];

beforeAll(async () => {
  roles = await Promise.all(['stress_a', 'stress_b'].map((r) => db.role(r)));
  await db.query(`
    create table source as select i, 'text ' || i as t from generate_series(1, 500) i;
    create table journal (session int, i int, note text);
    create domain positive as int not null check (value > 0);
    create type pair as (a positive, b text);
    create function values_of(n int, t text, j jsonb, a int[], d timestamptz) returns jsonb language plv8 as $$
      return { n: n * 2, t: t + t.length, j: j.k.concat([n]), a: a.map((x) => x === null ? null : x + n), d: d.toISOString() } $$;
    create function caught(n int) returns text language plv8 as $$
      const seen = [];
      for (let i = 0; i < n; i++)
        try { plv8.execute('select 10 / $1::int as v', [i % 2]).forEach((r) => seen.push(r.v)) } catch (e) { seen.push(e.sqlerrcode) }
      return seen.join() $$;
    create function undone(s int, n int) returns int language plv8 as $$
      const add = (i, note) => plv8.execute('insert into journal values ($1, $2, $3)', [s, i, note]);
      for (let i = 0; i < n; i++) {
        try { plv8.subtransaction(() => { add(i, 'undone'); try { plv8.execute('select 1/0') } catch (e) {} if (i % 3 === 0) throw new Error('undo') }) }
        catch (e) { if (e.message !== 'undo') throw e }
      }
      return plv8.execute('select count(*)::int as n from journal where session = $1', [s])[0].n $$;
    create function walk(f int, step int) returns text language plv8 as $$
      globalThis.walking ??= plv8.prepare('select i, t from source where i >= $1 order by i', ['int']);
      const c = globalThis.walking.cursor([f]); const seen = [];
      for (;;) { const rows = c.fetch(step); if (rows === undefined) break; for (const r of rows) seen.push(r); }
      c.close();
      return seen.length + ' ' + (seen.at(-1)?.t ?? '') $$;
    create function many(n int) returns setof pair language plv8 as $$
      for (let i = 1; i <= n; i += 2) plv8.return_next({ a: i, b: 'odd' });
      try { plv8.return_next({ a: null, b: 'never' }) } catch (e) { if (e.sqlerrcode !== '23502') throw e }
      return Array.from({ length: n >> 1 }, (_, i) => ({ a: 2 * i + 2, b: 'even' })) $$;
    create function stamp() returns trigger language plv8 as $$
      if (NEW.i < 0) return null; if (NEW.i === 13) throw new Error('unlucky'); NEW.note = TG_OP + NEW.note; return NEW $$;
    create trigger stamp before insert on journal for each row execute function stamp();
    create function mine() returns text language plv8 as $$
      globalThis.who ??= plv8.execute('select current_user::text as u')[0].u; return globalThis.who $$;
    create function owners() returns text language plv8 security definer as $$ return plv8.find_function('mine')() $$;
    create function spin() returns int language plv8 as $$ for (;;); $$;
    create function spin_in_sql() returns int language plv8 as $$
      for (;;) try { plv8.subtransaction(() => plv8.execute('select count(*) from source')) } catch (e) {} $$;
    create function spin_in_regexp() returns int language plv8 as $$ return Number(/(a+)+b/.test('a'.repeat(60))) $$;
    create function hungry() returns int language plv8 as $$ const a = []; for (;;) a.push({ a: [a.length] }) $$;
    grant all on all tables in schema public to public;`);
});

type Step = (
  client: pg.Client,
  random: (below: number) => number,
  session: number,
  outside: pg.Client,
) => Promise<void>;

const one = async (client: pg.Client, sql: string, params: unknown[] = []): Promise<unknown> =>
  Object.values((await client.query(sql, params)).rows[0])[0];

/** What a statement leaves when it is undone: the transaction ends with a rollback. */
const undone = async (client: pg.Client, body: () => Promise<void>): Promise<void> => {
  await client.query('begin');
  await body();
  await client.query('rollback');
};

const steps: Record<string, Step> = {
  values: async (client, random) => {
    const n = random(1000);
    expect(
      await one(client, `select values_of($1, $2, $3, $4, '2020-01-01 00:00:00+00')`, [
        n,
        'ä',
        { k: [1, null] },
        [n, null],
      ]),
    ).toEqual({ n: n * 2, t: 'ä1', j: [1, null, n], a: [2 * n, null], d: '2020-01-01T00:00:00.000Z' });
    expect(await one(client, 'select count(values_of(i, t, $1, array[i], now()))::int from source', [{ k: [] }])).toBe(
      500,
    );
  },
  caught: async (client, random) => {
    const n = random(40) + 1;
    const expected = Array.from({ length: n }, (_, i) => (i % 2 === 0 ? '22012' : '10'));
    expect(await one(client, 'select caught($1)', [n])).toBe(expected.join());
  },
  subtransactions: (client, random, session) =>
    undone(client, async () => {
      const n = random(12) + 1;
      expect(await one(client, 'select undone($1, $2)', [session, n])).toBe(n - Math.ceil(n / 3));
    }),
  cursors: async (client, random) => {
    const from = random(520) + 1;
    const rows = Math.max(0, 501 - from);
    expect(await one(client, 'select walk($1, $2)', [from, random(200) + 1])).toBe(
      `${rows} ${rows > 0 ? 'text 500' : ''}`,
    );
  },
  sets: async (client, random) => {
    const n = random(300) * 2;
    const { rows } = await client.query(`select count(*)::int as n, coalesce(sum(a), 0)::int as s from many($1)`, [n]);
    expect(rows).toEqual([{ n, s: (n * (n + 1)) / 2 }]);
  },
  triggers: (client, random, session) =>
    undone(client, async () => {
      const n = random(12) + 1;
      await client.query(`insert into journal select $1, i, 'x' from generate_series(-3, $2) i`, [session, n]);
      expect(
        await one(client, 'select count(*)::int from journal where note = $1 and session = $2', ['INSERTx', session]),
      ).toBe(n + 1);
      expect((await failure(client, `insert into journal values (0, 13, '')`)).message).toBe('unlucky');
    }),
  roles: async (client, random) => {
    const role = roles[random(roles.length)] as string;
    await client.query(`set role ${role}`);
    expect(await one(client, 'select mine()')).toBe(role);
    expect(await one(client, 'select owners()')).toBe('postgres');
    await client.query('reset role');
    expect(await one(client, 'select mine()')).toBe('postgres');
  },
  cancel: async (client, random, _, outside) => {
    const pid = await backendPid(client);
    const loop = ['spin', 'spin_in_sql', 'spin_in_regexp'][random(3)] as string;
    const ended = failure(client, `select ${loop}()`);
    await new Promise((resolve) => setTimeout(resolve, random(120)));
    // A cancel may come before the statement has begun, which is nobody's fault.
    for (let done = false; !done; ) {
      await outside.query('select pg_cancel_backend($1)', [pid]);
      done = await Promise.race([ended.then(() => true), new Promise<boolean>((r) => setTimeout(() => r(false), 500))]);
    }
    expect(await ended).toMatchObject({ code: '57014', message: 'canceling statement due to user request' });
  },
  timeout: async (client, random) => {
    // The failure undoes the setting: a statement that resets it might run out of time itself.
    await undone(client, async () => {
      await client.query(`set local statement_timeout = ${random(60) + 1}`);
      expect(await failure(client, 'select spin()')).toMatchObject({
        code: '57014',
        message: 'canceling statement due to statement timeout',
      });
    });
  },
  memory: async (client) => {
    expect((await failure(client, 'select hungry()')).message).toBe('Out of memory error');
    expect(await one(client, 'select mine()')).toBe('postgres');
  },
};

test(
  `${SESSIONS} sessions do everything at once for ${seconds} s`,
  async () => {
    const started = await db.value('select pg_postmaster_start_time()');
    const until = Date.now() + seconds * 1000;
    const done = new Map<string, number>();
    const session = async (n: number): Promise<void> => {
      const client = await db.connect();
      const outside = await db.connect();
      await client.query('set plv8.memory_limit = 16');
      const random = generator(seed + n * 7919);
      const names = Object.keys(steps);
      while (Date.now() < until) {
        // Memory that runs out takes as long as a hundred other steps.
        const name = random(60) === 0 ? 'memory' : (names[random(names.length - 1)] as string);
        await steps[name]?.(client, random, n, outside).catch((e) => {
          throw new Error(`session ${n}, step ${name}, seed ${seed}: ${e.message}`, { cause: e });
        });
        done.set(name, (done.get(name) ?? 0) + 1);
      }
      await client.end();
    };
    // All of them end before the first failure is told: one that goes on would lose its connection.
    const ended = await Promise.allSettled(Array.from({ length: SESSIONS }, (_, n) => session(n)));
    for (const end of ended) if (end.status === 'rejected') throw end.reason;
    process.stderr.write(`steps: ${[...done].map(([name, times]) => `${name} ${times}`).join(', ')}\n`);
    for (const name of Object.keys(steps)) expect(done.get(name) ?? 0, name).toBeGreaterThan(0);
    expect(await db.value('select count(*)::int from journal')).toBe(0);
    expect(await db.value('select pg_postmaster_start_time()')).toEqual(started);
  },
  seconds * 1000 + 60_000,
);
