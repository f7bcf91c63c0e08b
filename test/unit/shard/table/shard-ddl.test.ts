import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  columnList,
  foreignKeyDdl,
  foreignTableDdl,
  hashBounds,
  indexDdl,
  keyDdl,
  shardName,
  statisticsDdl,
  tableDdl,
  type Column,
  type ShardDefinition,
} from '../../../../src/shard/table/shard-ddl.ts';
import { PLAIN } from '../plain-column.ts';

const digest = (text: string): string => createHash('md5').update(text).digest('hex');
const name = (table: string, id = 102_008n): string => shardName(table, id, digest, Buffer.byteLength(table));

const column = (c: Partial<Column> & { name: string }): Column => ({
  number: 1,
  ...PLAIN,
  ...c,
});
const definition = (columns: Column[], rest: Partial<ShardDefinition> = {}): ShardDefinition => ({
  columns,
  checks: [],
  indexes: [],
  statistics: [],
  replicaIdentity: 'default',
  types: [],
  ...rest,
});
const shard = { schema: 's 1', name: 't_102008' };
const nameOf = (n: string): string => `${n}_102008`;

describe('the name of a shard', () => {
  test('is that of the table and its number', () => {
    expect(name('t')).toBe('t_102008');
    expect(name('My "table"')).toBe('My "table"_102008');
    expect(name('x'.repeat(56))).toBe(`${'x'.repeat(56)}_102008`);
  });

  test('is at most 63 bytes long, and different for tables that begin alike', () => {
    for (const long of ['x'.repeat(57), 'x'.repeat(63), 'ö'.repeat(31), '€'.repeat(21), '😀'.repeat(15)])
      for (const id of [1n, 102_008n, 9_223_372_036_854_775_807n]) {
        const found = name(long, id);
        expect(Buffer.byteLength(found)).toBeLessThanOrEqual(63);
        expect(found.endsWith(`_${id}`)).toBe(true);
        expect(found).not.toContain('\ufffd');
        expect(found[0]).toBe(long[0]);
      }
    expect(name(`${'x'.repeat(60)}a`)).not.toBe(name(`${'x'.repeat(60)}b`));
    expect(name('x'.repeat(60))).toBe(name('x'.repeat(60)));
  });
});

test('a bare table has columns, checks, and the check that rows belong to it', () => {
  const d = definition(
    [
      column({ name: 'K"', notNull: true }),
      column({ name: 'g', number: 2, generated: '("K""" * 2)' }),
      column({
        name: 't',
        number: 4,
        type: 'text',
        collation: 'pg_catalog."C"',
        storage: 'external',
        usualStorage: 'extended',
      }),
    ],
    { checks: [{ name: 'c 1', definition: 'CHECK (("K""" > 0))' }], replicaIdentity: 'full' },
  );
  expect(
    tableDdl(shard, d, { hash: { schema: 'tessera_shards', name: "h'1" }, column: 'K"', modulus: 4, remainder: 3 }),
  ).toEqual([
    `create table "s 1"."t_102008" ("K""" integer not null, "g" integer generated always as (("K""" * 2)) stored, "t" text collate pg_catalog."C", ` +
      `constraint "c 1" CHECK (("K""" > 0)), constraint tessera_row_belongs_to_shard check (pg_catalog.satisfies_hash_partition('"tessera_shards"."h''1"'::pg_catalog.regclass, 4, 3, "K""")))`,
    'alter table "s 1"."t_102008" alter column "t" set storage external',
    'alter table "s 1"."t_102008" replica identity full',
  ]);
  expect(tableDdl(shard, definition([]), undefined)).toEqual(['create table "s 1"."t_102008" ()']);
});

test('settings of columns are said only where they are not the usual ones', () => {
  const d = definition([
    column({
      name: 'a',
      type: 'text',
      storage: 'main',
      usualStorage: 'extended',
      compression: 'l',
      target: 0,
      options: ['n_distinct=5', 'n_distinct_inherited=-0.5'],
    }),
    column({ name: 'b', number: 2, type: 'text', storage: 'extended', usualStorage: 'extended', compression: 'p' }),
    column({ name: 'c', number: 3 }),
  ]);
  expect(tableDdl(shard, d, undefined).slice(1)).toEqual([
    'alter table "s 1"."t_102008" alter column "a" set storage main, alter column "a" set compression lz4, alter column "a" set statistics 0, ' +
      'alter column "a" set (n_distinct=5, n_distinct_inherited=-0.5)',
    'alter table "s 1"."t_102008" alter column "b" set compression pglz',
  ]);
});

test('keys, indexes and statistics are named after the shard', () => {
  expect(keyDdl(shard, { name: 't_pkey', kind: 'p', definition: 'PRIMARY KEY (k)', referenced: null }, nameOf)).toBe(
    'alter table "s 1"."t_102008" add constraint "t_pkey_102008" PRIMARY KEY (k)',
  );
  expect(
    keyDdl(shard, { name: 'u', kind: 'i', definition: 'USING btree (k) WHERE (v > 1)', referenced: null }, nameOf),
  ).toBe('create unique index "u_102008" on "s 1"."t_102008" USING btree (k) WHERE (v > 1)');
  expect(indexDdl(shard, { name: 'i', definition: 'USING gin (j)' }, nameOf)).toBe(
    'create index "i_102008" on "s 1"."t_102008" USING gin (j)',
  );
  expect(statisticsDdl(shard, { name: 's', kinds: ['mcv'], columns: 'a, b', target: null }, nameOf)).toBe(
    'create statistics "s 1"."s_102008" (mcv) on a, b from "s 1"."t_102008"',
  );
  expect(statisticsDdl(shard, { name: 's', kinds: [], columns: '(a + 1)', target: 50 }, nameOf)).toBe(
    'create statistics "s 1"."s_102008" on (a + 1) from "s 1"."t_102008";\nalter statistics "s 1"."s_102008" set statistics 50',
  );
});

test('a foreign key names the other shard, whatever is in the names', () => {
  const key = {
    name: 'f',
    kind: 'f',
    definition: 'FOREIGN KEY ("$&") REFERENCES %s("$1") ON DELETE CASCADE',
    referenced: 1n,
  };
  expect(foreignKeyDdl(shard, key, { schema: 'o', name: 'p$&_7' }, true)).toBe(
    'alter table "s 1"."t_102008" add constraint "f" FOREIGN KEY ("$&") REFERENCES "o"."p$&_7"("$1") ON DELETE CASCADE',
  );
  expect(foreignKeyDdl(shard, key, { schema: 'o', name: 'p' }, false)).toMatch(/ NOT VALID$/);
  expect(
    foreignKeyDdl(shard, { ...key, definition: `${key.definition} NOT VALID` }, { schema: 'o', name: 'p' }, false),
  ).not.toMatch(/NOT VALID NOT VALID/);
});

test('a foreign table leads to its shard by name', () => {
  expect(
    foreignTableDdl({ schema: 'i', name: 't_1' }, { schema: 'p', name: 't' }, hashBounds(4, 1), 'node', {
      schema: "s'",
      name: 't_1',
    }),
  ).toBe(
    `create foreign table "i"."t_1" partition of "p"."t" for values with (modulus 4, remainder 1) server "node"\n   options (schema_name 's''', table_name 't_1')`,
  );
});

test('columns that are written are all but generated ones', () => {
  expect(
    columnList(definition([column({ name: 'a' }), column({ name: 'b', generated: '(a)' }), column({ name: 'order' })])),
  ).toBe('"a", "order"');
});
