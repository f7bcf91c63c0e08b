import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { hasWorkers, useCluster } from '../../harness/cluster.ts';
import { random } from '../../harness/random.ts';
import { expectNothingLeft, expectShardsFollow } from '../../harness/shards.ts';

/** Names that are there by now, as far as it is known without asking: what hangs on something goes with it unseen. */
type Names = Record<'column' | 'index' | 'statistics' | 'check' | 'key' | 'trigger', string[]>;
const POOL: Names = {
  column: ['c1', 'c2', 'c3', 'c4'],
  index: ['i1', 'i2', 'i3'],
  statistics: ['s1', 's2'],
  check: ['k1', 'k2', 'k3'],
  key: ['u1', 'u2'],
  trigger: ['t1'],
};
const LABELS = ['low', 'bad'];

const NONE = '(nothing there)';

type Below = (n: number) => number;

/** A statement about table $t that has a fair chance to be possible; changes what is known of names. */
const draw = (below: Below, there: Names): string => {
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const old = (kind: keyof Names): string => pick(there[kind].length > 0 ? there[kind] : [NONE]);
  const fresh = (kind: keyof Names): string => {
    const free = POOL[kind].filter((n) => !there[kind].includes(n));
    return pick(free.length > 0 ? free : POOL[kind]);
  };
  const made = (kind: keyof Names): string => {
    const name = fresh(kind);
    there[kind] = [...there[kind], name];
    return name;
  };
  const gone = (kind: keyof Names): string => {
    const name = old(kind);
    there[kind] = there[kind].filter((n) => n !== name);
    return name;
  };
  const renamed = (kind: keyof Names): string => {
    const name = fresh(kind);
    const from = gone(kind);
    there[kind] = [...there[kind], name];
    return `${from} to ${name}`;
  };
  const statements: readonly (() => string)[] = [
    () =>
      `alter table $t add column ${made('column')} ${pick(['int', 'text', 'numeric(8,2)', 'int default 7', 'text default now()', 'feeling', 'int[]', 'int generated always as (k + 1) stored'])}`,
    () => `alter table $t drop column ${gone('column')}${pick(['', ' cascade'])}`,
    () => `alter table $t rename column ${renamed('column')}`,
    () => `alter table $t alter column ${old('column')} type ${pick(['bigint', 'text', 'varchar(40)', 'numeric'])}`,
    () =>
      `alter table $t alter column ${old('column')} ${pick(['set not null', 'drop not null', 'drop default', 'set statistics 40', 'set storage main', 'drop expression if exists'])}`,
    () =>
      `create index ${made('index')} on $t ${pick(['', 'using hash '])}(${pick([() => old('column'), () => '(k % 3)'])()})`,
    () => `create index ${made('index')} on $t (${old('column')}, k desc) where k > 0`,
    () => `drop index ${gone('index')}`,
    () => `alter index ${renamed('index').replace(' to ', ' rename to ')}`,
    () => `create statistics ${made('statistics')} on k, ${old('column')} from $t`,
    () => `drop statistics ${gone('statistics')}`,
    () => `alter statistics ${renamed('statistics').replace(' to ', ' rename to ')}`,
    () => `alter statistics ${old('statistics')} set statistics 30`,
    () =>
      `alter table $t add constraint ${made('check')} check (${pick([`${old('column')} is null or k > 0`, 'k > -1', 'k < 1000000'])})${pick(['', ' not valid'])}`,
    () => `alter table $t drop constraint ${gone('check')}`,
    () => `alter table $t validate constraint ${old('check')}`,
    () => `alter table $t rename constraint ${renamed('check')}`,
    () => `alter table $t replica identity ${pick(['full', 'default'])}`,
    () => `select create_distributed_key('$t', array['k', '${old('column')}'], constraint_name => '${made('key')}')`,
    () => `select drop_distributed_constraint('$t', '${gone('key')}')`,
    () => `alter type feeling rename value '${LABELS[0]}' to '${LABELS.reverse()[0]}'`,
    () => `comment on column $t.${old('column')} is 'x'`,
    () => `alter table $t set schema ${pick(['public', 'elsewhere'])}`,
    () => `create or replace trigger ${made('trigger')} before insert on $t for each row execute function keep_row()`,
    () => `drop trigger ${gone('trigger')} on $t`,
    () => `insert into $t (k) select i from generate_series(1, ${below(900)}) i on conflict do nothing`,
    () => `update $t set ${old('column')} = default where k % 3 = 0`,
    () => 'select * from $t',
  ];
  return pick(statements)();
};

interface Drawn {
  readonly statement: string;
  readonly there: Names;
  /** What it has made or renamed, for the next statement to be about. */
  readonly made: string | undefined;
}

/** One that is possible as far as is known, and most of the time about what was made last. */
const drawNext = (below: Below, before: Names, about: string | undefined, ddlOnly: boolean): Drawn => {
  for (let tries = 0; ; tries++) {
    const there = structuredClone(before);
    const statement = draw(below, there);
    if (statement.includes(NONE) || (ddlOnly && /^(insert|update|select \*)/.test(statement))) continue;
    if (about !== undefined && tries < 20 && !new RegExp(`\\b${about}\\b`).test(statement)) continue;
    const made = (Object.keys(there) as (keyof Names)[]).flatMap((k) => there[k].filter((n) => !before[k].includes(n)));
    return { statement, there, made: made[0] };
  }
};

/** What a statement may be refused with that is not possible after all, or not in a transaction that has used the table. */
const REFUSED = /^(42|0A|22|23|2B|25001)/;

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('DDL at random, without a pause, leaves shards as their table', () => {
  const cluster = useCluster({ nodes: 2 });
  const { db } = cluster;

  for (const [seed, late] of [
    [1, false],
    [2, true],
    [3, true],
  ] as const)
    test(`seed ${seed}${late ? ', and nobody finishes it but the next statement' : ''}`, {
      timeout: 180_000,
    }, async () => {
      const next = random(seed * 7919);
      const below: Below = (n) => next() % n;
      const table = `f${seed}`;
      await db.query(`create schema if not exists elsewhere;
        create or replace function keep_row() returns trigger language plpgsql as 'begin return new; end';
        drop type if exists feeling cascade; create type feeling as enum ('${LABELS[0]}', 'mid');
        create table ${table} (k int primary key, c1 int, c2 text)`);
      await db.query(`select create_distributed_table('${table}', 'k', shard_count => 3)`);
      const finisher = `tessera_loopback_${await db.value('select oid from pg_database where datname = current_database()')}_0`;
      await db.query(`alter role ${finisher} ${late ? 'nologin' : 'login'}`);
      const sessions: readonly pg.Client[] = [db.client, await db.connect()];
      for (const s of sessions) await s.query('set search_path to public, elsewhere');
      let there: Names = { column: ['c1', 'c2'], index: [], statistics: [], check: [], key: [], trigger: [] };
      const told: string[] = [];
      const say = async (session: pg.Client, statement: string): Promise<boolean> => {
        told.push(statement);
        try {
          await session.query(statement);
          return true;
        } catch (e) {
          const { code, message } = e as { code: string; message: string };
          if (!REFUSED.test(code)) throw new Error(`${told.join(';\n')}\n${code} ${message}`, { cause: e });
          told.push(`-- ${code}`);
          return false;
        }
      };
      let about: string | undefined;
      /** One statement, or a few in a transaction; what is known of names goes back with them. */
      const step = async (session: pg.Client, count: number): Promise<void> => {
        const before = there;
        if (count > 1) await say(session, 'begin');
        let fine = true;
        for (let i = 0; i < count && fine; i++) {
          const drawn = drawNext(below, there, about, late);
          fine = await say(session, drawn.statement.replaceAll('$t', table));
          there = drawn.there;
          about = fine ? drawn.made : undefined;
        }
        if (count > 1) await say(session, fine ? 'commit' : 'rollback');
        if (!fine) there = before;
      };
      for (let round = 0; round < 4; round++) {
        for (let i = 0; i < 15; i++) await step(sessions[below(3) === 0 ? 1 : 0] as pg.Client, below(5) === 0 ? 3 : 1);
        await db.query('select tessera.heal_nodes()');
        await expectShardsFollow(cluster, table).catch((e: unknown) => {
          throw new Error(`after\n${told.join(';\n')}\n${(e as Error).message}`, { cause: e });
        });
      }
      // Each row is on the shard that is looked into for it, and read in the shape of today.
      expect(
        await db.value(
          `select sum(result::int)::int from run_command_on_shards('${table}', 'select count(*) from %s')`,
        ),
      ).toBe(await db.value(`select count(*)::int from ${table} where k is not null`));
      await db.query(`alter role ${finisher} login; drop table ${table}; reset search_path`);
    });

  test('and nothing but them', async () => {
    await expectNothingLeft(cluster);
  });
});
