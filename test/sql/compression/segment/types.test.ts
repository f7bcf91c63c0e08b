import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';
import { expectSame } from '../../../harness/twin.ts';

const db = useDatabase();

beforeAll(async () => {
  await db.query(`create schema "odd schema"`);
  await db.query(`create type "odd schema".mood as enum ('sad', 'ok', 'so "happy"')`);
  await db.query(`create type "odd schema".pair as (a int, b text)`);
  await db.query(`create domain percent as float8 check (value between 0 and 100)`);
  await db.query(`create domain codes as int[] check (cardinality(value) < 5)`);
  await db.query(`create domain label as "odd schema".mood`);
});

/** Type and values, as SQL; a list is repeated over the rows with others of the list in between. */
const TYPES: readonly [string, readonly string[]][] = [
  ['smallint', ['-32768', '32767', '0', 'null', '-1']],
  ['integer', ['-2147483648', '2147483647', '0', 'null', '-1']],
  ['bigint', ['-9223372036854775808', '9223372036854775807', '9007199254740993', '-9007199254740993', '0', 'null']],
  ['bigint', ['1', '2', '3', '4']],
  ['real', [`'NaN'`, `'infinity'`, `'-infinity'`, `'-0'`, '1.1', '3.4028235e38', '1e-45', 'null']],
  ['double precision', [`'NaN'`, `'infinity'`, `'-infinity'`, `'-0'`, '0.1', '1e308', '5e-324', 'null']],
  ['double precision', ['0.1', '0.2', '0.3', '1234.5']],
  ['numeric', [`'NaN'`, `'infinity'`, '1.10', '1.1', '-0.00', '123456789012345678901234567890.123456789', 'null']],
  ['numeric(8,3)', ['1.125', '-99999.999', '0', 'null']],
  ['boolean', ['true', 'false', 'null']],
  ['boolean', ['true', 'false']],
  ['date', [`'2024-02-29'`, `'1970-01-01'`, `'0001-01-01 BC'`, `'4713-01-01 BC'`, `'5874897-12-31'`, 'null']],
  ['date', [`'infinity'`, `'-infinity'`, `'2024-02-29'`, `'0044-03-15 BC'`, `'5874897-12-31'`, 'null']],
  ['timestamp', [`'2024-02-29 12:34:56.789012'`, `'1969-12-31 23:59:59.999999'`, 'null']],
  [
    'timestamp',
    [`'infinity'`, `'-infinity'`, `'4713-01-01 00:00:00.000001 BC'`, `'294276-12-31 23:59:59.999999'`, 'null'],
  ],
  [
    'timestamptz',
    [`'2024-02-29 12:34:56.789012+01'`, `'1969-12-31 23:59:59.999999+00'`, `'2099-12-31 23:59:59.999999+00'`],
  ],
  [
    'timestamptz',
    [`'infinity'`, `'-infinity'`, `'0001-01-01 00:00:00.000001+00 BC'`, `'1500-06-06 06:06:06.666666+00'`, 'null'],
  ],
  ['time', [`'24:00:00'`, `'00:00:00.000001'`, 'null']],
  ['timetz', [`'12:00:00+14'`, `'00:00:00.000001-12'`, 'null']],
  ['interval', [`'1 year -3 days 04:05:06.789'`, `'-178000000 years'`, `'0'`, 'null']],
  ['text', [`''`, `'a'`, `'ä€𝄞'`, `E'tab\\tquote''back\\\\slash'`, 'null', `repeat('long ', 2000)`]],
  ['text', [`'same'`]],
  ['varchar(5)', [`'abc'`, `'äöü€𝄞'`, 'null']],
  ['char(4)', [`'ab'`, `''`, 'null']],
  ['"char"', [`'x'`, `''`, 'null']],
  ['name', [`'some_name'`, 'null']],
  ['uuid', [`'00000000-0000-0000-0000-000000000000'`, `'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'`, 'null']],
  ['bytea', [`'\\x'`, `'\\x00ff00'`, 'null', `decode(repeat('00ff', 5000), 'hex')`]],
  ['json', [`'{"a" : [1, 2.50], "a":null}'`, `'null'`, 'null']],
  ['jsonb', [`'{"a": [1, 2.50, 12345678901234567890]}'`, `'"\\u00e4"'`, `'null'`, 'null']],
  ['xml', [`'<a b="c">d</a>'`, `'text only'`, 'null']],
  ['inet', [`'10.0.0.1/8'`, `'::1'`, 'null']],
  ['cidr', [`'10.0.0.0/8'`, 'null']],
  ['macaddr', [`'08:00:2b:01:02:03'`, 'null']],
  ['bit(5)', [`B'10101'`, 'null']],
  ['bit varying', [`B''`, `B'1'`, 'null']],
  ['money', [`'12.34'`, `'-92233720368547758.08'`, 'null']],
  ['point', [`'(1.5,-2)'`, 'null']],
  ['tsvector', [`'a:1 fat:2'::tsvector`, 'null']],
  ['int4range', [`'[1,5)'`, `'empty'`, 'null']],
  ['tstzrange', [`'["2024-01-01 00:00:00+00",infinity)'`, 'null']],
  ['nummultirange', [`'{[1,2),[3,4)}'`, 'null']],
  ['int[]', [`'{}'`, `'{1,null,3}'`, `'{{1,2},{3,4}}'`, `'[0:1]={7,8}'`, 'null']],
  ['text[]', [`'{"a,b","\\"",null,""}'`, 'null']],
  ['"odd schema".mood', [`'sad'`, `'so "happy"'`, 'null']],
  ['"odd schema".pair', [`'(1,"x,y")'`, `'(,)'`, 'null']],
  ['"odd schema".pair[]', [`array[row(1, 'a'), null]::"odd schema".pair[]`, 'null']],
  ['percent', ['0', '99.9', 'null']],
  ['codes', [`'{1,2}'`, `'{}'`, 'null']],
  ['label', [`'ok'`, 'null']],
  ['regclass', [`'pg_class'`, 'null']],
  ['oid', ['4294967295', '0', 'null']],
  ['xid8', [`'18446744073709551615'`, 'null']],
  ['pg_lsn', [`'FFFFFFFF/FFFFFFFF'`, 'null']],
  ['tid', [`'(4294967295,65535)'`, 'null']],
];

/** Settings under which text means something else than in the session that wrote it. */
const HOSTILE = [
  `datestyle = 'German, DMY'`,
  `intervalstyle = 'sql_standard'`,
  'extra_float_digits = 0',
  `timezone = 'Asia/Kolkata'`,
  `bytea_output = 'escape'`,
  `xmloption = 'document'`,
  'search_path = pg_temp',
];

describe('every type comes back as it was', () => {
  for (const [n, [type, values]] of TYPES.entries())
    test(`${type}: ${values.join(' ').slice(0, 60)}`, async () => {
      const table = `t${n}`;
      await db.query(`create table ${table} (time timestamptz not null, g int, x ${type}, c ${type})`);
      await db.query(`select create_hypertable('${table}', 'time')`);
      const list = values.map((v) => (v === 'null' ? `null::${type}` : `(${v})::${type}`));
      const pick = `case (hashint4(i) & 2147483647) % ${list.length} ${list.map((v, k) => `when ${k} then ${v}`).join(' ')} end`;
      // Group 1 has every value by itself, group 2 many rows, group 3 nulls only.
      await db.query(`insert into ${table}
          select '2024-01-01'::timestamptz + i * interval '1 s', case when i <= ${list.length} then -i else 2 end, ${pick}, ${list[0]}
          from generate_series(1, 1500) i`);
      await db.query(
        `insert into ${table} select '2024-01-01'::timestamptz + i * interval '1 s', 3, null, null from generate_series(1, 5) i`,
      );
      await db.query(`create table ${table}_twin as select * from ${table}`);
      const session = await db.connect();
      // What postgres_fdw hands over as xml is read under the xmloption of the session.
      for (const setting of HOSTILE.filter((h) => type !== 'xml' || !h.startsWith('xml')))
        await session.query(`set ${setting}`);
      await session.query(`select public.set_compression('public.${table}', compress_segmentby => 'g')`);
      await session.query(`select public.compress_chunk(c) from public.show_chunks('public.${table}') c`);
      const difference = `select count(*)::int as n from
          ((select t::text from public.${table} t except all select t::text from public.${table}_twin t)
           union all (select t::text from public.${table}_twin t except all select t::text from public.${table} t)) d`;
      expect((await session.query(difference)).rows[0].n).toBe(0);
      await expectSame(db, table, `${table}_twin`);
      await session.query(`select public.decompress_chunk(c) from public.show_chunks('public.${table}') c`);
      await expectSame(db, table, `${table}_twin`);
      await session.end();
    });
});

describe('the payload', () => {
  test('keeps the bits of a NaN and the sign of zero', async () => {
    await db.query('create table f (time timestamptz not null, x float8)');
    await db.query(`select create_hypertable('f', 'time')`);
    await db.query(
      `insert into f select '2024-01-01'::timestamptz + i * interval '1 s', case i % 2 when 0 then '-0'::float8 else 'NaN' end from generate_series(1, 10) i`,
    );
    const before = await db.value(`select string_agg(encode(float8send(x), 'hex'), ' ' order by time) from f`);
    await db.query(`select set_compression('f'), compress_chunk(c) from show_chunks('f') c`);
    await db.query(`select decompress_chunk(c) from show_chunks('f') c`);
    expect(await db.value(`select string_agg(encode(float8send(x), 'hex'), ' ' order by time) from f`)).toBe(before);
  });

  test('that was damaged is an error of its own, never other rows', async () => {
    await db.query(`create table d (time timestamptz not null, x int, y text)`);
    await db.query(`select create_hypertable('d', 'time')`);
    await db.query(
      `insert into d select '2024-01-01'::timestamptz + i * interval '1 s', i, 'text ' || i from generate_series(1, 100) i`,
    );
    await db.query(`select set_compression('d'), compress_chunk(c) from show_chunks('d') c`);
    const segments = await db.value(`select s.compress_relid::text from _tessera_catalog.compression_settings s
      join _tessera_catalog.hypertable h on h.id = s.hypertable_id where h.relid = 'd'::regclass and s.chunk_id is not null`);
    for (const column of ['x', 'y'])
      for (const at of [0, 1, 5, 9, 20, 30]) {
        await db.query('begin');
        await db.query(
          `update ${segments} set ${column} = set_byte(${column}, ${at}, get_byte(${column}, ${at}) # 85)`,
        );
        await db.query('commit');
        expect((await db.error(`select count(${column}) from d`)).code).toBe('XX001');
        expect((await db.error(`select decompress_chunk(c) from show_chunks('d') c`)).code).toBe('XX001');
        await db.query(
          `update ${segments} set ${column} = set_byte(${column}, ${at}, get_byte(${column}, ${at}) # 85)`,
        );
      }
    await db.query(`update ${segments} set x = substring(x from 1 for 20)`);
    expect((await db.error('select sum(x) from d')).code).toBe('XX001');
    expect(await db.value('select count(y)::int from d')).toBe(100);
  });
});

describe('collations', () => {
  test('are kept, so that comparisons are as before', async () => {
    await db.query(`create table c (time timestamptz not null, a text collate "C", b text)`);
    await db.query(`select create_hypertable('c', 'time')`);
    await db.query(
      `insert into c select '2024-01-01'::timestamptz + i * interval '1 s', chr(64 + i), chr(96 + i) from generate_series(1, 40) i`,
    );
    const query = `select string_agg(a || b, '' order by a, b) from c where a > 'Z' and a < 'g'`;
    const before = await db.value(query);
    await db.query(`select set_compression('c', compress_orderby => 'a'), compress_chunk(x) from show_chunks('c') x`);
    expect(await db.value(query)).toBe(before);
    expect(before.length).toBeGreaterThan(0);
  });
});
