import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../test/harness/database.ts';

const db = useDatabase({ template: 'plv8' });

/** Runs JavaScript that returns text and gives the text. */
const js = async (body: string): Promise<string> => {
  await db.query(`create or replace function probe() returns text language plv8 as $js$ ${body} $js$`);
  return db.value('select probe()');
};

const show = `const show = (v) => v === null ? 'null' : v === undefined ? 'undefined' : typeof v === 'bigint' ? v + 'n'
  : v instanceof Date ? 'Date ' + (isNaN(v) ? 'invalid' : v.toISOString()) : v instanceof Uint8Array ? 'bytes ' + Array.from(v)
  : ArrayBuffer.isView(v) ? v.constructor.name + ' ' + Array.from(v).map(String) : Object.is(v, -0) ? '-0'
  : typeof v === 'object' ? JSON.stringify(v, (_, x) => typeof x === 'bigint' ? x + 'n' : x) : typeof v + ' ' + v;`;

describe('a column reaches JavaScript', () => {
  for (const [sql, expected] of [
    ['null::int', 'null'],
    ['true', 'boolean true'],
    ['7::smallint', 'number 7'],
    ['-7::int', 'number -7'],
    ['9223372036854775807::bigint', '9223372036854775807n'],
    ['4000000000::oid', 'number -294967296'],
    ["'NaN'::float8", 'number NaN'],
    ["'-0'::float8", '-0'],
    ["'-Infinity'::float4", 'number -Infinity'],
    ['1.5::numeric', 'number 1.5'],
    ["'ä€😀'::text", 'string ä€😀'],
    ["'x'::varchar", 'string x'],
    ["'x'::char(3)", 'string x  '],
    ["'x'::name", 'string x'],
    ['\'x\'::"char"', 'string x'],
    ['\'{"a": [1, null]}\'::json', '{"a":[1,null]}'],
    ['\'{"a": [1, null]}\'::jsonb', '{"a":[1,null]}'],
    ['\'"text"\'::jsonb', 'string text'],
    ["date '2020-02-29'", 'Date 2020-02-29T00:00:00.000Z'],
    ["timestamptz '2020-01-01 00:00:00.123456+00'", 'Date 2020-01-01T00:00:00.123Z'],
    ["timestamp '1969-12-31 23:59:59.999999'", 'Date 1970-01-01T00:00:00.000Z'],
    ["timestamptz 'infinity'", 'Date invalid'],
    ["'\\x00ff80'::bytea", 'bytes 0,255,128'],
    ["'550e8400-e29b-41d4-a716-446655440000'::uuid", 'string 550e8400-e29b-41d4-a716-446655440000'],
    ["interval '1 day 02:00'", 'string 1 day 02:00:00'],
    ["'pg_class'::regclass", 'string pg_class'],
    ['int4range(1, 5)', 'string [1,5)'],
    ['array[1, null, 3]', '[1,null,3]'],
    ['array[[1, 2], [3, 4]]', '[1,2,3,4]'],
    ["'{}'::text[]", '[]'],
    ["array['a', 'b,c']::text[]", '["a","b,c"]'],
    ['array[9007199254740993::bigint]', '["9007199254740993n"]'],
    ["row(1, 'x'::text)", '{"f1":1,"f2":"x"}'],
    ['array[1, 2]::plv8_int4array', 'Int32Array 1,2'],
    ['array[1.5]::plv8_float8array', 'Float64Array 1.5'],
  ] as const)
    test(`${sql} as ${expected}`, async () => {
      expect(await js(`${show} return show(plv8.execute(${JSON.stringify(`select ${sql} as v`)})[0].v)`)).toBe(
        expected,
      );
    });
});

describe('a parameter reaches SQL', () => {
  for (const [value, type, expected] of [
    ['null', 'int', null],
    ['undefined', 'text', null],
    ['1.7', 'int', '1'],
    ['NaN', 'int', '0'],
    ['3e9', 'int', '-1294967296'],
    ["'42'", 'int', '42'],
    ["'9223372036854775808'", 'int8', '!22003'],
    ["'9223372036854775807'", 'int8', '9223372036854775807'],
    ['9007199254740993n', 'int8', '9007199254740993'],
    ["'abc'", 'int', '!22P02'],
    ['0.1 + 0.2', 'numeric', '0.3'],
    ["'1234567890.123456789012'", 'numeric', '1234567890.123456789012'],
    ['123n', 'numeric', '123'],
    ['-0', 'float8', '-0'],
    ["'f'", 'bool', 'false'],
    ['1', 'bool', 'true'],
    ["new Date('2020-01-01T00:00:00.123Z')", 'timestamptz', '2020-01-01 00:00:00.123+00'],
    ["'2020-01-01 00:00:00.123456+00'", 'timestamptz', '2020-01-01 00:00:00.123456+00'],
    ['new Date(NaN)', 'timestamptz', '!22008'],
    ['[[1, null, 3]]', 'int[]', '{1,NULL,3}'],
    ['[[]]', 'text[]', '{}'],
    ['[[[1, 2], [3, 4]]]', 'int[]', '!2202E'],
    ['[new Int32Array([1])]', 'int[]', '!42804'],
    ['[new Int32Array([1, 2])]', 'plv8_int4array', '{1,2}'],
    ['[new Float64Array(2)]', 'bytea', '!42804'],
    ['[new Uint8Array([1, 255]).subarray(1)]', 'bytea', '\\xff'],
    ['[new Uint8Array([1, 2]).buffer]', 'bytea', '\\x0102'],
    ["'\\\\x00ff'", 'bytea', '\\x00ff'],
    ['[{ a: [1, { b: null }] }]', 'jsonb', '{"a": [1, {"b": null}]}'],
    ["'plain'", 'jsonb', '"plain"'],
    ["'550e8400-e29b-41d4-a716-446655440000'", 'uuid', '550e8400-e29b-41d4-a716-446655440000'],
    ["'nope'", 'uuid', '!22P02'],
    ["'a\\u0000b'", 'text', '!22021'],
    ["'x'.repeat(100000)", 'text', 'x'.repeat(100_000)],
  ] as const)
    test(`${value.slice(0, 40)} as ${type}`, async () => {
      const params = value.startsWith('[') ? value : `[${value}]`;
      const body = `try { return plv8.execute('select ($1::${type})::text as v', ${params})[0].v } catch (e) { return '!' + e.sqlerrcode }`;
      expect(await js(body)).toBe(expected);
    });
});

describe('a function result', () => {
  for (const [type, value, expected] of [
    ['int', '5', '5'],
    ['bigint', '9007199254740993n', '9007199254740993'],
    ['text', '({})', '[object Object]'],
    ['jsonb', '({ a: [1] })', '{"a": [1]}'],
    ['uuid', "'550e8400-e29b-41d4-a716-446655440000'", '550e8400-e29b-41d4-a716-446655440000'],
    ['timestamptz', "'2020-01-01 00:00:00.123456+00'", '2020-01-01 00:00:00.123456+00'],
    ['interval', "'1 day'", '1 day'],
    ['int[]', '[1, null]', '{1,NULL}'],
    ['bytea', 'new Uint8Array([1, 2])', '\\x0102'],
    ['int', 'null', null],
    ['void', '', ''],
  ] as const)
    test(`of type ${type} from ${value}`, async () => {
      await db.query(
        `create or replace function result_${type.replace('[]', '_array')}() returns ${type} language plv8 as $js$ return ${value} $js$`,
      );
      expect(await db.value(`select result_${type.replace('[]', '_array')}()::text`)).toBe(expected);
    });

  test('of a wrong type is a clean error', async () => {
    await db.query(`create function wrong_int() returns int language plv8 as $$ return 'abc' $$`);
    await db.query(`create function wrong_array() returns int[] language plv8 as $$ return 5 $$`);
    await db.query('create domain positive as int check (value > 0)');
    await db.query(`create function wrong_domain() returns positive language plv8 as $$ return '-1' $$`);
    expect((await db.error('select wrong_int()')).code).toBe('22P02');
    expect((await db.error('select wrong_array()')).code).toBe('42804');
    expect((await db.error('select wrong_domain()')).code).toBe('23514');
    expect(await db.value('select 1')).toBe(1);
  });
});

describe('a domain holds what PostgreSQL would let it hold', () => {
  beforeAll(async () => {
    await db.query('create domain nn as int not null; create domain nn2 as nn; create type holder as (a nn, b int)');
    await db.query('create domain checked as int check (value is not null)');
    await db.query('create domain few as int[] check (array_length(value, 1) < 3); create domain few2 as few not null');
    await db.query('create domain short as varchar(3)[]; create domain held as holder check ((value).b > 0)');
    await db.query('create domain doc as jsonb; create domain raw as bytea; create domain moment as timestamptz');
    await db.query(`create function outcome(sql text) returns text language plpgsql as $$
      declare v text; begin execute sql into v; return coalesce(v, 'null'); exception when others then return sqlstate; end $$`);
  });
  for (const [type, value, expected] of [
    ['nn', 'null', '23502'],
    ['nn', 'undefined', '23502'],
    ['nn', '7', '7'],
    ['nn2', 'null', '23502'],
    ['checked', 'null', '23514'],
    ['holder', '{ a: null, b: 1 }', '23502'],
    ['holder', '{ a: 1, b: null }', '(1,)'],
    ['nn[]', '[1, null]', '23502'],
    ['nn[]', '[1, 2]', '{1,2}'],
    ['nn[]', 'null', 'null'],
    ['nn', '{}', '22P02'],
    ['few', '[1, null]', '{1,NULL}'],
    ['few', '[1, 2, 3]', '23514'],
    ['few', '[]', '{}'],
    ['few', 'null', 'null'],
    ['few', "'{1,2,3}'", '23514'],
    ['few', '[[1], [2]]', '2202E'],
    ['few', 'new Int32Array(1)', '42804'],
    ['few2', 'null', '23502'],
    ['few2', '[1, 2, 3]', '23514'],
    ['few2', '[1]', '{1}'],
    ['few[]', '[[1, 2], [3], null]', '{"{1,2}","{3}",NULL}'],
    ['few[]', '[[1, 2, 3]]', '23514'],
    ['short', "['abc', null]", '{abc,NULL}'],
    ['short', "['abcd']", '22001'],
    ['held', '{ a: 1, b: 2 }', '(1,2)'],
    ['held', '{ a: 1, b: 0 }', '23514'],
    ['held', '{ a: null, b: 1 }', '23502'],
    ['held', "'(1,0)'", '23514'],
    ['held[]', '[{ a: 1, b: 2 }, null]', '{"(1,2)",NULL}'],
    ['doc', '[1, { a: 2 }]', '[1, {"a": 2}]'],
    ['raw', 'new Uint8Array([1, 2])', '\\x0102'],
    ['moment', 'new Date(5)', '1970-01-01 00:00:00.005+00'],
    ['timestamptz', 'new Date(-8.6e15)', '22008'],
  ] as const)
    test(`${type} from ${value}`, async () => {
      await db.query('drop function if exists given');
      await db.query(`create function given() returns ${type} language plv8 as $js$ return (${value}) $js$`);
      await db.query(`create or replace function bound() returns text language plv8 as $js$
        return plv8.execute('select ($1::${type})::text as v', [${value}])[0].v $js$`);
      expect(await db.value(`select outcome('select given()::text')`)).toBe(expected);
      expect(await db.value(`select outcome('select bound()')`)).toBe(expected);
    });

  test('in the rows of a set and in the row of a trigger', async () => {
    await db.query('create function several() returns setof nn language plv8 as $$ return [1, null] $$');
    expect((await db.error('select * from several()')).code).toBe('23502');
    await db.query(
      'create function columns() returns table (x int, y nn) language plv8 as $$ plv8.return_next({ x: 1, y: null }) $$',
    );
    expect((await db.error('select * from columns()')).code).toBe('23502');
    await db.query('create table filled (a nn)');
    await db.query('create function empties() returns trigger language plv8 as $$ NEW.a = null; return NEW $$');
    await db.query('create trigger empties before insert on filled for each row execute function empties()');
    expect((await db.error('insert into filled values (1)')).code).toBe('23502');
  });
});
