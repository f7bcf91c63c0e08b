import { describe, expect, test } from 'vitest';
import { fillOf, freezeClock, type Clock, type Fill } from '../../../../src/shard/definition/column-plan.ts';
import type { Column, ShardDefinition } from '../../../../src/shard/table/shard-ddl.ts';
import { planChange, renameInForeignKey } from '../../../../src/shard/definition/sync-plan.ts';
import { PLAIN } from '../plain-column.ts';

const column = (number: number, name: string, c: Partial<Column> = {}): Column => ({
  number,
  name,
  ...PLAIN,
  ...c,
});
const text = { type: 'text', storage: 'extended', usualStorage: 'extended' };
const table = (columns: Column[], rest: Partial<ShardDefinition> = {}): ShardDefinition => ({
  columns,
  checks: [],
  indexes: [],
  statistics: [],
  replicaIdentity: 'default',
  types: [],
  ...rest,
});
const expression = (text: string): Fill => ({ kind: 'expression', text });

const T = 'alter table "s"."t_1" ';
const plan = (before: ShardDefinition, after: ShardDefinition, fills: Record<string, Fill> = {}): string[] =>
  planChange(before, after, new Map(Object.entries(fills))).statements({ schema: 's', name: 't_1' }, (n) => `${n}_1`);

test('nothing is done where nothing has changed, in whatever order the catalog keeps it', () => {
  const before = table([column(1, 'k'), column(2, 'v', { options: ['n_distinct=3'] })], {
    checks: [{ name: 'c', definition: 'CHECK (true)' }],
    indexes: [{ name: 'i', definition: 'USING btree (v)' }],
    statistics: [{ name: 's', kinds: ['mcv'], columns: 'k, v', target: 5 }],
  });
  const shuffled = JSON.parse(
    JSON.stringify(before, (_, v: unknown) =>
      typeof v === 'object' && v !== null && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).reverse()) : v,
    ),
  ) as ShardDefinition;
  const change = planChange(before, shuffled, new Map());
  expect(change.statements({ schema: 's', name: 't' }, (n) => n)).toEqual([]);
  expect(change).toMatchObject({ renamed: [], retyped: [], dropped: [], added: [], rewrites: false });
});

describe('columns', () => {
  const k = column(1, 'k');

  test('are added with a default that fills the rows there are', () => {
    expect(plan(table([k]), table([k, column(2, 'a b')]))).toEqual([`${T}add column "a b" integer`]);
    expect(plan(table([k]), table([k, column(2, 'v', { notNull: true })]), { v: expression('7') })).toEqual([
      `${T}add column "v" integer default 7 not null`,
      `${T}alter column "v" drop default`,
    ]);
    expect(plan(table([k]), table([k, column(2, 'g', { generated: '(k + 1)' })]))).toEqual([
      `${T}add column "g" integer generated always as ((k + 1)) stored`,
    ]);
    expect(
      plan(
        table([k]),
        table([k, column(2, 't', { ...text, collation: 'pg_catalog."C"', storage: 'main', compression: 'l' })]),
      ),
    ).toEqual([
      `${T}add column "t" text collate pg_catalog."C"`,
      `${T}alter column "t" set storage main, alter column "t" set compression lz4`,
    ]);
  });

  test('whose values only the coordinator knows are added to empty shards only', () => {
    const [guard, add, ...rest] = plan(table([k]), table([k, column(2, "i'", { notNull: true })]), {
      "i'": { kind: 'coordinator' },
    });
    expect(guard).toMatch(/^do 'begin\n {2}if exists \(select from "s"."t_1"\)/);
    expect(guard).toContain(`''column "i''''" cannot be added`);
    expect(add).toBe(`${T}add column "i'" integer not null`);
    expect(rest).toEqual([]);
  });

  test('are known by number: a renamed one is no other one', () => {
    const before = table([k, column(2, 'a')], {
      checks: [{ name: 'c', definition: 'CHECK ((a > 0))' }],
      indexes: [{ name: 'i', definition: 'USING btree (a)' }],
      statistics: [{ name: 's', kinds: [], columns: 'k, a', target: null }],
    });
    const after = table([k, column(2, 'b')], {
      checks: [{ name: 'c', definition: 'CHECK ((b > 0))' }],
      indexes: [{ name: 'i', definition: 'USING btree (b)' }],
      statistics: [{ name: 's', kinds: [], columns: 'k, b', target: null }],
    });
    expect(plan(before, after)).toEqual([`${T}rename column "a" to "b"`]);
    const change = planChange(before, after, new Map());
    expect([change.renamed, change.rewrites]).toEqual([[{ from: 'a', to: 'b' }], false]);
  });

  test('that are generated from a renamed one are left alone', () => {
    const before = table([k, column(2, 'g', { generated: '(k + 1)' })]);
    const after = table([column(1, 'key'), column(2, 'g', { generated: '(key + 1)' })]);
    expect(plan(before, after)).toEqual([`${T}rename column "k" to "key"`]);
  });

  test('of the same name but another number are dropped and added', () => {
    expect(plan(table([k, column(2, 'a')]), table([k, column(3, 'a', text)]))).toEqual([
      `${T}drop column "a", add column "a" text`,
    ]);
  });

  test('are dropped after those that are generated from them', () => {
    const before = table([k, column(2, 'a'), column(3, 'g', { generated: '(a + 1)' })], {
      indexes: [{ name: 'i', definition: 'USING btree (a, k)' }],
    });
    expect(plan(before, table([k]))).toEqual([
      'drop index if exists "s"."i_1"',
      `${T}drop column "g", drop column "a"`,
    ]);
    expect(planChange(before, table([k]), new Map()).dropped).toEqual(['g', 'a']);
  });

  test('change in all their properties at once', () => {
    const before = column(2, 'v', {
      type: 'character varying(10)',
      storage: 'extended',
      usualStorage: 'extended',
      target: 5,
      options: ['n_distinct=3', 'n_distinct_inherited=1'],
    });
    const after = column(2, 'v', {
      ...text,
      collation: 'pg_catalog."C"',
      notNull: true,
      storage: 'external',
      compression: 'p',
      options: ['n_distinct_inherited=2'],
    });
    expect(plan(table([before]), table([after]))).toEqual([
      `${T}alter column "v" type text collate pg_catalog."C", alter column "v" set not null, alter column "v" set storage external, ` +
        'alter column "v" set compression pglz, alter column "v" set statistics -1, alter column "v" reset (n_distinct), alter column "v" set (n_distinct_inherited=2)',
    ]);
    expect(plan(table([after]), table([{ ...after, notNull: false, storage: 'extended', compression: null }]))).toEqual(
      [
        `${T}alter column "v" drop not null, alter column "v" set storage extended, alter column "v" set compression default`,
      ],
    );
  });

  test('of a new type have its storage without being told', () => {
    const change = planChange(table([column(2, 'v')]), table([column(2, 'v', text)]), new Map());
    expect(change.statements({ schema: 's', name: 't_1' }, (n) => n)).toEqual([`${T}alter column "v" type text`]);
    expect([change.retyped, change.rewrites]).toEqual([[{ name: 'v', from: 'integer', to: 'text' }], true]);
  });

  test('lose or change their expression', () => {
    const g = (generated: string | null): Column => column(2, 'g', { generated });
    expect(plan(table([k, g('(k)')]), table([k, g(null)]))).toEqual([`${T}alter column "g" drop expression`]);
    expect(plan(table([k, g('(k)')]), table([k, g('(k * 2)')]))).toEqual([
      `${T}alter column "g" set expression as ((k * 2))`,
    ]);
    expect(planChange(table([k, g('(k)')]), table([k, g(null)]), new Map()).rewrites).toBe(false);
    expect(planChange(table([k, g('(k)')]), table([k, g('(k * 2)')]), new Map()).rewrites).toBe(true);
    expect(planChange(table([k]), table([k, g('(k)')]), new Map()).rewrites).toBe(true);
  });
});

describe('checks', () => {
  const with_ = (...checks: [string, string][]): ShardDefinition =>
    table([column(1, 'k')], { checks: checks.map(([name, definition]) => ({ name, definition })) });

  test('come, go, and are made anew when they are changed', () => {
    expect(plan(with_(['a', 'CHECK (1)'], ['b', 'CHECK (2)']), with_(['b', 'CHECK (3)'], ['c', 'CHECK (4)']))).toEqual([
      `${T}drop constraint if exists "a", drop constraint if exists "b", add constraint "b" CHECK (3), add constraint "c" CHECK (4)`,
    ]);
  });

  test('are renamed and validated without being made anew', () => {
    expect(plan(with_(['a', 'CHECK (1)']), with_(['b "x"', 'CHECK (1)']))).toEqual([
      `${T}rename constraint "a" to "b ""x"""`,
    ]);
    expect(plan(with_(['a', 'CHECK (1) NOT VALID']), with_(['a', 'CHECK (1)']))).toEqual([
      `${T}validate constraint "a"`,
    ]);
  });
});

describe('indexes and statistics', () => {
  const k = column(1, 'k');
  const indexes = (...all: [string, string][]): ShardDefinition =>
    table([k], { indexes: all.map(([name, definition]) => ({ name, definition })) });
  const statistics = (...all: [string, string, number | null][]): ShardDefinition =>
    table([k], { statistics: all.map(([name, columns, target]) => ({ name, kinds: ['mcv'], columns, target })) });

  test('are renamed, dropped and made', () => {
    expect(
      plan(
        indexes(['a', 'USING btree (k)'], ['b', 'USING hash (k)']),
        indexes(['c', 'USING btree (k)'], ['d', 'USING gin (k)']),
      ),
    ).toEqual([
      'drop index if exists "s"."b_1"',
      'alter index "s"."a_1" rename to "c_1"',
      'create index "d_1" on "s"."t_1" USING gin (k)',
    ]);
    expect(plan(statistics(['a', 'k', null], ['b', 'k, v', 9]), statistics(['c', 'k', null], ['b', 'v', 9]))).toEqual([
      'drop statistics if exists "s"."b_1"',
      'alter statistics "s"."a_1" rename to "c_1"',
      'create statistics "s"."b_1" (mcv) on v from "s"."t_1";\nalter statistics "s"."b_1" set statistics 9',
    ]);
  });

  test('of which one gets the name of another are not taken for each other', () => {
    expect(plan(indexes(['a', 'USING btree (k)'], ['b', 'USING hash (k)']), indexes(['a', 'USING hash (k)']))).toEqual([
      'drop index if exists "s"."a_1"',
      'drop index if exists "s"."b_1"',
      'create index "a_1" on "s"."t_1" USING hash (k)',
    ]);
  });

  test('get another target, also while they are renamed', () => {
    expect(plan(statistics(['a', 'k', null]), statistics(['a', 'k', 7]))).toEqual([
      'alter statistics "s"."a_1" set statistics 7',
    ]);
    expect(plan(statistics(['a', 'k', 7]), statistics(['b', 'k', null]))).toEqual([
      'alter statistics "s"."a_1" rename to "b_1"',
      'alter statistics "s"."b_1" set statistics -1',
    ]);
  });
});

test('the replica identity follows', () => {
  expect(plan(table([column(1, 'k')]), table([column(1, 'k')], { replicaIdentity: 'full' }))).toEqual([
    `${T}replica identity full`,
  ]);
});

describe('a column of a foreign key is renamed', () => {
  test('where it is named, and nowhere else', () => {
    expect(renameInForeignKey('FOREIGN KEY (a, "b c")', 'a', 'z')).toBe('FOREIGN KEY ("z", "b c")');
    expect(renameInForeignKey('FOREIGN KEY (a, "b c")', 'b c', 'x"y')).toBe('FOREIGN KEY (a, "x""y")');
    expect(renameInForeignKey('FOREIGN KEY (ab, b)', 'a', 'z')).toBe('FOREIGN KEY (ab, b)');
    expect(renameInForeignKey('FOREIGN KEY ("KEY", key)', 'KEY', 'z')).toBe('FOREIGN KEY ("z", key)');
    expect(renameInForeignKey('FOREIGN KEY ("KEY", key)', 'key', 'z')).toBe('FOREIGN KEY ("KEY", "z")');
    expect(renameInForeignKey(' ON DELETE SET NULL (a)', 'a', 'SET')).toBe(' ON DELETE SET NULL ("SET")');
    expect(renameInForeignKey('FOREIGN KEY ("a""b", straße)', 'straße', 'weg')).toBe('FOREIGN KEY ("a""b", "weg")');
  });
});

describe('what fills a new column', () => {
  const clock: Clock = {
    timestamptz: '2024-01-02 03:04:05+00',
    timestamp: '2024-01-02 03:04:05',
    date: '2024-01-02',
    time: '03:04:05',
    timetz: '03:04:05+00',
    user: "o'hara",
  };

  test('has the moment of the coordinator in it', () => {
    expect(freezeClock('now()', clock)).toBe(`'2024-01-02 03:04:05+00'::pg_catalog.timestamptz`);
    expect(freezeClock(`(CURRENT_TIMESTAMP(3) + '1 day'::interval)`, clock)).toBe(
      `('2024-01-02 03:04:05+00'::pg_catalog.timestamptz(3) + '1 day'::interval)`,
    );
    expect(freezeClock('COALESCE(CURRENT_DATE, LOCALTIMESTAMP, LOCALTIME, CURRENT_TIME)', clock)).toBe(
      `COALESCE('2024-01-02'::pg_catalog.date, '2024-01-02 03:04:05'::pg_catalog.timestamp, '03:04:05'::pg_catalog.time, '03:04:05+00'::pg_catalog.timetz)`,
    );
    expect(freezeClock('CURRENT_USER', clock)).toBe(`'o''hara'::pg_catalog.name`);
  });

  test('keeps strings and names that look like it, and what is another value for each row', () => {
    for (const same of [
      `'now()'::text`,
      `"now"()`,
      'public.now_then()',
      'clock_timestamp()',
      'random()',
      `'it''s CURRENT_DATE'::text`,
    ])
      expect(freezeClock(same, clock)).toBe(same);
  });

  test('is the business of the coordinator where it counts', () => {
    expect(fillOf(`nextval('s'::regclass)`, false, clock)).toEqual({ kind: 'coordinator' });
    expect(fillOf(`(pg_catalog.nextval('s'::regclass) * 2)`, false, clock)).toEqual({ kind: 'coordinator' });
    expect(fillOf(null, true, clock)).toEqual({ kind: 'coordinator' });
    expect(fillOf('my_nextval(1)', false, clock)).toEqual(expression('my_nextval(1)'));
    expect(fillOf('5', false, clock)).toEqual(expression('5'));
  });
});
