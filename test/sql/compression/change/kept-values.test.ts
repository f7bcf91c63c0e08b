import { describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';
import { expectSame } from '../../../harness/twin.ts';

const db = useDatabase();
let n = 0;

/** A compressed hypertable of one column beside its key, and a plain twin of it. */
const compressed = async (type: string, values: readonly string[], options = ''): Promise<string> => {
  const table = `k${++n}`;
  await db.query(`create table ${table} (time timestamptz not null, id int, x ${type})`);
  await db.query(`select create_hypertable('${table}', 'time')`);
  const rows = values.map((v, i) => `('2024-01-01'::timestamptz + interval '${i} min', ${i % 2}, ${v})`);
  await db.query(`insert into ${table} values ${rows.join(', ')}`);
  await db.query(`create table ${table}_twin as select * from ${table}`);
  await db.query(`select set_compression('${table}', ${options === '' ? `compress_segmentby => 'id'` : options})`);
  await db.query(`select compress_chunk(c) from show_chunks('${table}') c`);
  return table;
};

const decompress = (table: string): Promise<unknown> =>
  db.query(`select decompress_chunk(c) from show_chunks('${table}') c`);

/** Reading, changing, recompressing and decompressing all go on, with the values a plain table has. */
const goesOn = async (table: string): Promise<void> => {
  await expectSame(db, table, `${table}_twin`);
  for (const t of [table, `${table}_twin`]) await db.query(`update ${t} set id = 5 where id = 1`);
  for (const t of [table, `${table}_twin`])
    await db.query(
      `insert into ${t} select '2024-01-01 12:00'::timestamptz, 7, x from ${table}_twin where id = 5 limit 1`,
    );
  await expectSame(db, table, `${table}_twin`);
  await db.query(`select compress_chunk(c) from show_chunks('${table}') c`);
  await expectSame(db, table, `${table}_twin`);
  await decompress(table);
  await expectSame(db, table, `${table}_twin`);
};

describe('compressed values outlive DDL on their type', () => {
  test('labels of an enum that are renamed, exchanged and added', async () => {
    await db.query(`create type door as enum ('open', 'closed', 'unknown'); create domain portal as door`);
    const tables = [
      await compressed('door', [`'open'`, `'closed'`, 'null', `'unknown'`]),
      await compressed('door[]', [`'{open,closed}'`, `'{}'`, 'null', `'{{open,null},{closed,open}}'`]),
      await compressed('portal', [`'open'`, `'closed'`, 'null']),
      await compressed('portal', [`'open'`, `'closed'`, `'open'`], `compress_segmentby => 'x'`),
      await compressed(
        'door',
        [`'open'`, `'closed'`, `'open'`],
        `compress_segmentby => '', compress_orderby => 'x, time'`,
      ),
    ];
    await db.query(`alter type door rename value 'open' to 'swap'`);
    await db.query(`alter type door rename value 'closed' to 'open'`);
    await db.query(`alter type door rename value 'swap' to 'closed'`);
    await db.query(`alter type door add value 'ajar' before 'unknown'`);
    expect(await db.column(`select x from ${tables[0]} order by time`)).toEqual(['closed', 'open', null, 'unknown']);
    for (const table of tables) await goesOn(table);
  });

  test('attributes of a composite type that are added, dropped and renamed, in arrays and as the row of a table too', async () => {
    await db.query('create type meta as (unit text, digits int); create table spot (lat float8, lon float8)');
    const plain = await compressed('meta', [`row('C', 2)`, 'null', 'row(null, null)']);
    const array = await compressed('spot[]', ['array[row(1, 2)::spot, null]', `'{}'`, 'null']);
    await db.query('alter type meta add attribute note text; alter table spot add column alt float8');
    expect(await db.column(`select x::text from ${plain} order by time`)).toEqual(['(C,2,)', null, '(,,)']);
    expect(await db.value(`select x::text from ${array} order by time limit 1`)).toBe('{"(1,2,)",NULL}');
    await db.query('alter type meta drop attribute unit; alter type meta rename attribute digits to places');
    expect(await db.value(`select x::text from ${plain} order by time limit 1`)).toBe('(2,)');
    await goesOn(plain);
    await goesOn(array);
  });

  test('names of objects that are renamed, replaced and dropped', async () => {
    await db.query('create table job_old ()');
    const table = await compressed('regclass', [`'job_old'`, `'pg_class'`, 'null']);
    const before = await db.value(`select x::oid from ${table} order by time limit 1`);
    await db.query('alter table job_old rename to job_new; create table job_old ()');
    expect(await db.value(`select x::oid from ${table} order by time limit 1`)).toBe(before);
    expect(await db.value(`select x::text from ${table} order by time limit 1`)).toBe('job_new');
    await db.query('drop table job_new');
    expect(await db.value(`select x::text from ${table} order by time limit 1`)).toBe(String(before));
    await goesOn(table);
  });

  test('columns of such types that come and go later, and leave no type behind', async () => {
    await db.query(`create type tint as enum ('red', 'green')`);
    const table = await compressed('int', ['1', '2']);
    for (const t of [table, `${table}_twin`])
      await db.query(`alter table ${t} add column tints tint[] default '{red}'`);
    await db.query(`alter type tint rename value 'red' to 'rose'`);
    await expectSame(db, table, `${table}_twin`);
    const holders = `select count(*)::int from pg_type t join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
      where t.typname like '%segments%'`;
    expect(await db.value(holders)).toBe(1);
    for (const t of [table, `${table}_twin`]) await db.query(`alter table ${t} drop column tints`);
    expect(await db.value(holders)).toBe(0);
    await goesOn(table);
    const dropped = await compressed('tint[]', [`'{rose}'`, 'null']);
    expect(await db.value(holders)).toBe(1);
    await db.query(`drop table ${dropped}`);
    expect(await db.value(holders)).toBe(0);
    const kept = await compressed('tint[]', [`'{rose}'`, 'null']);
    const e = await db.error('drop type tint cascade');
    expect([e.code, e.hint]).toEqual(['0A000', 'Drop the chunk with drop_chunks() or DROP TABLE, or decompress it.']);
    await decompress(kept);
    expect(await db.value(holders)).toBe(0);
    await db.query('drop type tint cascade');
  });

  test('and a domain takes no constraint that compressed rows break, validated or not', async () => {
    await db.query('create domain percent as int');
    const table = await compressed('percent', ['5', '150', 'null']);
    await db.query(`alter table ${table}_twin alter column x type int`);
    for (const how of ['', ' not valid']) {
      const e = await db.error(`alter domain percent add constraint most check (value <= 100)${how}`);
      expect([e.code, e.message]).toEqual([
        '23514',
        how === ''
          ? `column "x" of table "${table}" contains values that violate the new constraint`
          : expect.stringContaining('violate the new constraint'),
      ]);
    }
    expect((await db.error('alter domain percent set not null')).code).toMatch(/^23502$/);
    await db.query('alter domain percent add constraint least check (value >= 0)');
    await goesOn(table);
  });
});

describe('segmentby columns keep values that are equal and not the same', () => {
  test.each([
    ['citext', `'Boiler'`, `'BOILER'`],
    ['interval', `'1 day'`, `'24 hours'`],
    ['numeric', '1.0', '1.00'],
    ['jsonb', `'{"a": 1.0}'`, `'{"a": 1.00}'`],
    ['numrange', `'[1.0,2]'`, `'[1.00,2]'`],
    ['numeric[]', `'{1.0}'`, `'{1.00}'`],
    ['float8', `'0'`, `'-0'`],
    ['text collate loose', `'Kessel'`, `'KESSEL'`],
    ['char(4)', `'a'`, `'a   '`],
  ])('%s', async (type, one, other) => {
    await db.query(`create extension if not exists citext`);
    await db.query(
      `create collation if not exists loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
    );
    const table = await compressed(type, [one, other, one, 'null'], `compress_segmentby => 'x'`);
    await goesOn(table);
  });
});

test('array columns can be in compress_orderby', async () => {
  const table = await compressed(
    'int[]',
    [`'{1,2}'`, `'{}'`, 'null', `'{0}'`],
    `compress_segmentby => '', compress_orderby => 'x, time'`,
  );
  await goesOn(table);
});
