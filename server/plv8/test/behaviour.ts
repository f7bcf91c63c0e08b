/**
 * What plv8 3.2.2 does (V8 10.2 with PostgreSQL 15 and V8 11.3 with PostgreSQL 17 give the same), to be run against it
 * unchanged: TESSERA_TEST_DSN=postgres://… npx vitest run server/plv8/test/behaviour. Where it dies, or stores what was not
 * meant, our handler raises an error; everywhere else it does the same.
 */
export interface Differs {
  /** null: the server goes down with it, or never answers. */
  readonly plv8: string | null;
  readonly ours: string;
}
export type Outcome = string | Differs;

const dies = (ours: string): Differs => ({ plv8: null, ours });
const loses = (plv8: string, ours: string): Differs => ({ plv8, ours });

/** Types that the tables below use. */
export const SETUP = `
create type mood as enum ('sad', 'ok');
create type pair as (a int, b text);
create domain positive as int check (value > 0);
create domain required as int not null;
create domain few as int4[] check (array_length(value, 1) < 3);
create domain positive_pair as pair check ((value).a > 0);
create domain document as jsonb;
create domain raw as bytea;
create domain moment as timestamptz;
create function raise_x() returns void language plpgsql as
  $$ begin raise exception 'boom' using errcode = '22012', detail = 'd', hint = 'h'; end $$;
create function attempt(sql text) returns text language plpgsql as $$
  declare v text; begin execute sql into v; return coalesce(v, 'null'); exception when others then return '!' || sqlstate; end $$;
`;

/** JavaScript to SQL: a type, an expression, and what becomes of it as the result of a function and as a parameter alike. */
export const VALUES: readonly (readonly [type: string, expression: string, outcome: Outcome])[] = [
  ['bool', 'true', 'true'],
  ['bool', '0', 'false'],
  ['bool', '1', 'true'],
  ['bool', '2', '!22P02'],
  ['bool', "'f'", 'false'],
  ['bool', "'no'", 'false'],
  ['bool', '[]', '!22P02'],
  ['bool', '5n', '!22P02'],
  ['int2', '40000', '-25536'],
  ['int2', '-1.7', '-1'],
  ['int2', '2n ** 15n', '!22003'],
  ['int2', "'7'", '7'],
  ['int4', '5', '5'],
  ['int4', '1.7', '1'],
  ['int4', '-1.7', '-1'],
  ['int4', 'NaN', '0'],
  ['int4', 'Infinity', '0'],
  ['int4', '3e9', '-1294967296'],
  ['int4', '2 ** 31', '-2147483648'],
  ['int4', '2 ** 53', '0'],
  ['int4', '5n', '5'],
  ['int4', '2n ** 31n', '!22003'],
  ['int4', "'42'", '42'],
  ['int4', "' 42 '", '42'],
  ['int4', "'abc'", '!22P02'],
  ['int4', "''", '!22P02'],
  ['int4', 'true', '!22P02'],
  ['int4', '[5]', '5'],
  ['int4', '({})', '!22P02'],
  ['int4', 'new Date(0)', '!22P02'],
  ['int8', '5', '5'],
  ['int8', '1.7', '1'],
  ['int8', 'NaN', '0'],
  ['int8', 'Infinity', '9223372036854775807'],
  ['int8', '2 ** 53', '9007199254740992'],
  ['int8', '9007199254740993', '9007199254740992'],
  ['int8', '9007199254740993n', '9007199254740993'],
  ['int8', '2n ** 63n', '-9223372036854775808'],
  ['int8', '2n ** 64n + 5n', '5'],
  ['int8', "'9223372036854775807'", '9223372036854775807'],
  ['int8', "'9223372036854775808'", '!22003'],
  ['int8', 'false', '!22P02'],
  ['oid', '4000000000', '4000000000'],
  ['oid', '-1', '4294967295'],
  ['oid', '2 ** 40', '0'],
  ['oid', '5n', '5'],
  ['float4', '0.1', '0.1'],
  ['float4', '16777217', '1.6777216e+07'],
  ['float4', '1e300', 'Infinity'],
  ['float4', '-0', '-0'],
  ['float8', '0.1 + 0.2', '0.30000000000000004'],
  ['float8', '-0', '-0'],
  ['float8', 'NaN', 'NaN'],
  ['float8', '-Infinity', '-Infinity'],
  ['float8', '5n', '5'],
  ['float8', "'1e3'", '1000'],
  ['float8', 'true', '!22P02'],
  ['float8', '[1.5]', '1.5'],
  ['numeric', '0.1 + 0.2', '0.3'],
  ['numeric', '9007199254740993', '9007199254740990'],
  ['numeric', '12345678901234567890n', '12345678901234567890'],
  ['numeric', "'1234567890.123456789012'", '1234567890.123456789012'],
  ['numeric', 'NaN', 'NaN'],
  [
    'numeric',
    '1e300 * 10',
    '10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000',
  ],
  ['numeric', '1e-10', '0.0000000001'],
  ['text', "'ä€😀'", 'ä€😀'],
  ['text', "'a\\u0000b'", 'a'],
  ['text', "'\\ud800'", loses('���', '!22021')],
  ['text', '5', '5'],
  ['text', '2n ** 64n', '18446744073709551616'],
  ['text', 'true', 'true'],
  ['text', '[1, [2, null]]', '1,2,'],
  ['text', '({})', '[object Object]'],
  ['text', '-0', '0'],
  ['text', '1e21', '1e+21'],
  ['text', 'new Date(0)', 'Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)'],
  ['text', "'x'.repeat(5)", 'xxxxx'],
  ['text', 'new Int32Array([1, 2])', '1,2'],
  ['text', "Symbol('s')", dies('!XX000')],
  ['text', 'Object.create(null)', dies('!XX000')],
  ['varchar(3)', "'abc'", 'abc'],
  ['name', "'x'.repeat(70)", 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
  ['"char"', "'xyz'", 'x'],
  ['json', `'{"a": 1}'`, '{"a": 1}'],
  ['json', "'abc'", '!22P02'],
  ['json', `'"abc"'`, '"abc"'],
  ['json', '({ a: [1, null], b: undefined, d: new Date(0) })', '{"a":[1,null],"d":"1970-01-01T00:00:00.000Z"}'],
  ['json', '0.1 + 0.2', '0.30000000000000004'],
  ['json', 'NaN', '!22P02'],
  ['json', 'null', 'null'],
  ['json', '[NaN, 9007199254740993]', '[null,9007199254740992]'],
  ['json', '({ a: 5n })', '!XX000'],
  ['json', '() => 1', loses('undefined', '!22P02')],
  ['json', '({ toJSON() { return 7 } })', '7'],
  ['jsonb', '({ a: [1, { b: null }] })', '{"a": [1, {"b": null}]}'],
  ['jsonb', '[]', '[]'],
  ['jsonb', '({})', '{}'],
  ['jsonb', "'abc'", '"abc"'],
  ['jsonb', `'{"a": 1}'`, '"{\\"a\\": 1}"'],
  ['jsonb', '5', '5'],
  ['jsonb', 'true', 'true'],
  ['jsonb', 'null', 'null'],
  ['jsonb', '5n', '"5"'],
  ['jsonb', '0.1 + 0.2', '0.3'],
  [
    'jsonb',
    '({ a: 0.1 + 0.2, b: 9007199254740993, c: 123456789.123456789, d: 1e20, e: 1e-7, f: -0 })',
    '{"a": 0.3, "b": 9007199254740990, "c": 123456789.123457, "d": 100000000000000000000, "e": 0.0000001, "f": 0}',
  ],
  ['jsonb', '[1 / 3, 123456789012345678]', '[0.333333333333333, 123456789012346000]'],
  ['jsonb', '({ a: undefined, b: [1, undefined, 2] })', '{"b": [1, 2]}'],
  ['jsonb', '({ a: 5n })', '{"a": "5"}'],
  ['jsonb', '({ a: new Date(0), b: [new Date(0)] })', '{"a": "1970-01-01T00:00:00.000Z", "b": [{}]}'],
  ['jsonb', 'new Date(0)', '{}'],
  [
    'jsonb',
    '({ a: () => 1, b: { toJSON() { return 7 } }, c: new Map([[1, 2]]), d: new Number(4) })',
    '{"a": {}, "b": {"toJSON": {}}, "c": {}, "d": {}}',
  ],
  ['jsonb', "({ a: 'x\\u0000y', 'b\\u0000c': 1 })", '{"a": "x", "b": 1}'],
  ['jsonb', "'\\ud800'", loses('"���"', '!22021')],
  ['jsonb', 'NaN', loses('NaN', '!22023')],
  ['jsonb', '[Infinity]', loses('[Infinity]', '!22023')],
  ['jsonb', 'new Uint8Array([1, 2])', '{"0": 1, "1": 2}'],
  ['jsonb', '[[], [[1]]]', '[[], [[1]]]'],
  ['jsonb', '(() => { const a = {}; a.a = a; return a })()', dies('!54001')],
  ['jsonb', '(() => { let a = []; for (let i = 0; i < 20000; i++) a = [a]; return a })()', '!54001'],
  ['date', 'new Date(0)', '1970-01-01'],
  ['date', "new Date('1999-12-31T18:00Z')", '2000-01-01'],
  ['date', "new Date('2020-02-03T04:05:06.789Z')", '2020-02-03'],
  ['date', 'new Date(8.64e15)', '275760-09-13'],
  ['date', 'new Date(NaN)', loses('-infinity', '!22008')],
  ['date', 'new Date(-8.64e15)', loses('11487400-05-10', '!22008')],
  ['date', "'infinity'", 'infinity'],
  ['date', "'2020-02-03'", '2020-02-03'],
  ['date', '5', '!22007'],
  ['timestamp', "new Date('2020-02-03T04:05:06.789Z')", '2020-02-03 04:05:06.789'],
  ['timestamp', "'2020-02-03 04:05:06.789012'", '2020-02-03 04:05:06.789012'],
  ['timestamp', 'new Date(8.64e15)', '275760-09-13 00:00:00'],
  ['timestamp', 'new Date(NaN)', loses('2000-01-01 00:00:00', '!22008')],
  ['timestamp', 'new Date(-8.64e15)', '!22008'],
  ['timestamp', '0', '!22008'],
  ['timestamptz', "new Date('1969-12-31T23:59:59.999Z')", '1969-12-31 23:59:59.999+00'],
  ['timestamptz', "'2020-01-01 00:00:00.123456+00'", '2020-01-01 00:00:00.123456+00'],
  ['timestamptz', "'-infinity'", '-infinity'],
  ['timestamptz', 'new Date(NaN)', loses('2000-01-01 00:00:00+00', '!22008')],
  ['timestamptz', 'new Date(-8.64e15)', '!22008'],
  ['timestamptz', '1577836800000', '!22008'],
  ['interval', "'1 day 02:00'", '1 day 02:00:00'],
  ['interval', '5', '00:00:05'],
  ['uuid', "'550e8400-e29b-41d4-a716-446655440000'", '550e8400-e29b-41d4-a716-446655440000'],
  ['uuid', "'nope'", '!22P02'],
  ['regclass', "'pg_class'", 'pg_class'],
  ['regclass', "'nope'", '!42P01'],
  ['bytea', 'new Uint8Array([1, 255])', '\\x01ff'],
  ['bytea', 'new Uint8Array([1, 2, 3]).subarray(1)', '\\x0203'],
  ['bytea', 'new Uint8Array(0)', '\\x'],
  ['bytea', 'new Uint8Array([1, 2]).buffer', '\\x0102'],
  ['bytea', 'new ArrayBuffer(0)', '\\x'],
  ['bytea', 'new Int8Array([-1, 2])', '\\xff02'],
  ['bytea', 'new Int16Array([1, -2]).subarray(1)', '\\xfeff'],
  ['bytea', 'new Uint16Array([1, 2])', '\\x01000200'],
  ['bytea', 'new Int32Array([1, 2])', '\\x0100000002000000'],
  ['bytea', 'new Uint32Array([1])', '\\x01000000'],
  ['bytea', 'new Uint8ClampedArray([7])', dies('!0A000')],
  ['bytea', 'new Float32Array([1.5])', dies('!0A000')],
  ['bytea', 'new Float64Array([1.5])', dies('!0A000')],
  ['bytea', 'new BigInt64Array([5n])', dies('!0A000')],
  ['bytea', 'new BigUint64Array([5n])', dies('!0A000')],
  ['bytea', 'new DataView(new ArrayBuffer(2))', loses('\\x5b6f626a6563742044617461566965775d', '!0A000')],
  ['bytea', "'\\\\x00ff'", '\\x00ff'],
  ['bytea', "'abc'", '\\x616263'],
  ['bytea', '5', '\\x35'],
  ['bytea', '[1, 2]', '\\x312c32'],
  ['int4[]', '[1, 2]', '{1,2}'],
  ['int4[]', '[]', '{}'],
  ['int4[]', '[1, null, undefined, 3]', '{1,NULL,NULL,3}'],
  ['int4[]', '[1.7, NaN, 3e9]', '{1,0,-1294967296}'],
  ['int4[]', "['7', 5n]", '{7,5}'],
  ['int4[]', '[[1, 2], [3, 4]]', '!22P02'],
  ['int4[]', "'{1,2}'", '!XX000'],
  ['int4[]', '5', '!XX000'],
  ['int4[]', '({ length: 1, 0: 5 })', '!XX000'],
  ['int4[]', '[1, , 3]', '{1,NULL,3}'],
  ['int4[]', 'new Int32Array([1, 2])', dies('!0A000')],
  ['int4[]', 'new Int32Array(0)', dies('!0A000')],
  ['int4[]', 'Array.from(new Int32Array([1, 2]))', '{1,2}'],
  ['int8[]', '[9007199254740993n, 5, 2n ** 63n]', '{9007199254740993,5,-9223372036854775808}'],
  ['int8[]', 'new BigInt64Array([5n])', dies('!0A000')],
  ['int8[]', "['9223372036854775807']", '{9223372036854775807}'],
  ['float8[]', '[1.5, -0, null]', '{1.5,-0,NULL}'],
  ['float8[]', 'new Float64Array([1.5])', dies('!0A000')],
  ['float8[]', "['1.5', 2n]", '{1.5,2}'],
  ['text[]', "['a', 'b,c', null, 5, true]", '{a,"b,c",NULL,5,true}'],
  ['text[]', '[[1, 2], [3]]', '{"1,2",3}'],
  ['text[]', "'{a}'", '!XX000'],
  ['text[]', 'new Uint8Array([1])', dies('!0A000')],
  ['bool[]', '[true, false, null]', '{t,f,NULL}'],
  ['numeric[]', "[0.1 + 0.2, '1.10', 5n]", '{0.3,1.10,5}'],
  ['date[]', '[new Date(0), null]', '{1970-01-01,NULL}'],
  ['jsonb[]', "[{ a: 1 }, [2], 'x', null]", '{"{\\"a\\": 1}",[2],"\\"x\\"",NULL}'],
  ['bytea[]', '[new Uint8Array([1, 2]), null]', '{"\\\\x0102",NULL}'],
  ['plv8_int4array', 'new Int32Array([1, 2])', dies('!0A000')],
  ['plv8_int4array', 'new Int32Array(0)', dies('!0A000')],
  ['plv8_int4array', '[1, 2]', '!22P02'],
  ['plv8_int4array', '[]', '{}'],
  ['plv8_int4array', "'{1,2}'", '!XX000'],
  ['plv8_int4array', 'null', 'null'],
  ['plv8_int8array', 'new BigInt64Array([5n])', dies('!0A000')],
  ['plv8_int8array', '[5n]', '!22P02'],
  ['plv8_float8array', 'new Float64Array([1.5])', dies('!0A000')],
  ['plv8_float8array', '[1.5]', '!22P02'],
  ['pair', "({ a: 1, b: 'x' })", '(1,x)'],
  ['pair', '({ a: null, b: undefined, c: 3 })', '(,)'],
  ['pair', '({ a: 1 })', '!XX000'],
  ['pair', "'(1,x)'", '!XX000'],
  ['pair', '5', '!XX000'],
  ['pair', '[1, 2]', '!XX000'],
  ['pair[]', "[{ a: 1, b: 'x' }, null]", '{"(1,x)",NULL}'],
  ['pair[]', "['(1,x)']", '!XX000'],
  ['mood', "'ok'", 'ok'],
  ['mood', "'nope'", '!22P02'],
  ['mood', '1', '!22P02'],
  ['positive', '1', '1'],
  ['positive', "'2'", '2'],
  ['positive', '-1', '!23514'],
  ['positive', '1.7', '!22P02'],
  ['positive', 'null', 'null'],
  ['required', '1', '1'],
  ['required', 'null', loses('null', '!23502')],
  ['required', 'undefined', loses('null', '!23502')],
  ['few', '[1]', '!XX000'],
  ['few', '[]', '!XX000'],
  ['few', "'{1}'", '!XX000'],
  ['positive_pair', "({ a: 1, b: 'x' })", '!42809'],
  ['positive_pair', "'(1,x)'", '!42809'],
  ['document', `'{"a": 1}'`, '{"a": 1}'],
  ['document', '({ a: 1 })', '!22P02'],
  ['document', '[1]', '1'],
  ['raw', "'\\\\x01'", '\\x01'],
  ['raw', 'new Uint8Array([1, 2])', '\\x312c32'],
  ['moment', "'2020-01-01 00:00:00+00'", '2020-01-01 00:00:00+00'],
  ['moment', 'new Date(0)', '!22007'],
  ['positive[]', '[1, null]', '{1,NULL}'],
  ['positive[]', '[1, -1]', '!23514'],
];

/** SQL to JavaScript: an expression, and how JavaScript shows it as a column and as an argument alike. */
export const COLUMNS: readonly (readonly [expression: string, shown: Outcome])[] = [
  ['null::int4', 'null'],
  ['true', 'true'],
  ['7::int2', '7'],
  ['-7::int4', '-7'],
  ['9223372036854775807::int8', '9223372036854775807n'],
  ['4000000000::oid', '-294967296'],
  ["'NaN'::float8", 'NaN'],
  ["'-0'::float8", '-0'],
  ["'-Infinity'::float4", '-Infinity'],
  ['0.1::float4', '0.10000000149011612'],
  ['1.5::numeric', '1.5'],
  ['1234567890.12345678901234::numeric', '1234567890.1234567'],
  ["'NaN'::numeric", 'NaN'],
  ['1e400::numeric', '!22003'],
  ["'ä€😀'::text", "'ä€😀'"],
  ["'x'::varchar", "'x'"],
  ["'x'::char(3)", "'x  '"],
  ["'x'::name", "'x'"],
  [`'x'::"char"`, "'x'"],
  ["'<a/>'::xml", "'<a/>'"],
  [`'{"a": [1, null]}'::json`, '{a: [1, null]}'],
  ["'9007199254740993'::json", '9007199254740992'],
  ["'null'::json", 'null'],
  [`'{"a": [1, null]}'::jsonb`, '{a: [1, null]}'],
  [`'"text"'::jsonb`, "'text'"],
  ["'null'::jsonb", 'null'],
  ["'9007199254740993'::jsonb", '9007199254740992'],
  ["'12345678901234567890123'::jsonb", '1.2345678901234568e+22'],
  ["'0.30000000000000004'::jsonb", '0.30000000000000004'],
  ["'1e400'::jsonb", '!22003'],
  ["'1e-400'::jsonb", '!22003'],
  [`'{"__proto__": {"y": 1}, "x": 2}'::jsonb`, '{x: 2} inherits y'],
  [`'{"b": 1, "10": 2, "a": 3}'::jsonb`, '{10: 2, a: 3, b: 1}'],
  ["date '2020-02-29'", 'Date 2020-02-29T00:00:00.000Z'],
  ["date '0001-01-01 BC'", 'Date 0000-01-01T00:00:00.000Z'],
  ["date '5874897-12-31'", 'Date invalid'],
  ["date 'infinity'", 'Date invalid'],
  ["date '-infinity'", 'Date invalid'],
  ["timestamptz '2020-01-01 00:00:00.123456+00'", 'Date 2020-01-01T00:00:00.123Z'],
  ["timestamptz '2020-01-01 00:00:00.999999+00'", 'Date 2020-01-01T00:00:00.999Z'],
  ["timestamp '1969-12-31 23:59:59.999999'", 'Date 1970-01-01T00:00:00.000Z'],
  ["timestamp '1960-12-31 23:59:59.123456'", 'Date 1960-12-31T23:59:59.124Z'],
  ["timestamp '294276-12-31'", 'Date invalid'],
  ["timestamp '4713-01-01 BC'", 'Date -004712-01-01T00:00:00.000Z'],
  ["timestamptz 'infinity'", 'Date invalid'],
  ["timestamptz '-infinity'", 'Date invalid'],
  ["time '01:02:03'", "'01:02:03'"],
  ["'\\x00ff80'::bytea", 'Uint8Array 0,255,128'],
  ["''::bytea", 'Uint8Array '],
  ["'550e8400-e29b-41d4-a716-446655440000'::uuid", "'550e8400-e29b-41d4-a716-446655440000'"],
  ["interval '1 day 02:00'", "'1 day 02:00:00'"],
  ["'pg_class'::regclass", "'pg_class'"],
  ['int4range(1, 5)', "'[1,5)'"],
  ["xid '4000000000'", "'4000000000'"],
  ["'5'::xid8", "'5'"],
  ["'1/2'::pg_lsn", "'1/2'"],
  ['array[1, null, 3]', '[1, null, 3]'],
  ['array[[1, 2], [3, 4]]', '[1, 2, 3, 4]'],
  ["'[0:1]={1,2}'::int4[]", '[1, 2]'],
  ["'{}'::text[]", '[]'],
  ["array['a', 'b,c', null]", "['a', 'b,c', null]"],
  ['array[9007199254740993::int8]', '[9007199254740993n]'],
  ["array[1.5::numeric, 'NaN']", '[1.5, NaN]'],
  ["array[date '2020-01-01']", '[Date 2020-01-01T00:00:00.000Z]'],
  ["array[timestamptz 'infinity']", '[Date invalid]'],
  [`array['{"a":1}'::jsonb, 'null']`, '[{a: 1}, null]'],
  ["array['\\x01'::bytea]", '[Uint8Array 1]'],
  ["array['ok'::mood]", "['ok']"],
  ["array[row(1, 'x')::pair]", "[{a: 1, b: 'x'}]"],
  ['array[4000000000::oid]', '[-294967296]'],
  ["'1 2'::int2vector", '[1, 2]'],
  ["row(1, 'x')::pair", "{a: 1, b: 'x'}"],
  ['row(null, null)::pair', '{a: null, b: null}'],
  ["'ok'::mood", "'ok'"],
  ['5::positive', "'5'"],
  ['array[5]::positive[]', "['5']"],
  ["row(1, 'x')::positive_pair", "{a: 1, b: 'x'}"],
  ["'{1,2}'::few", dies('!XX000')],
  [`'{"a":1}'::document`, `'{"a": 1}'`],
  ["'\\x01'::raw", "'\\x01'"],
  ["timestamptz '2020-01-01 00:00:00Z'::moment", "'2020-01-01 00:00:00+00'"],
  ['array[1, 2]::plv8_int2array', 'Int16Array 1,2'],
  ['array[1, 2]::plv8_int4array', 'Int32Array 1,2'],
  ['array[1.5]::plv8_float4array', 'Float32Array 1.5'],
  ['array[1.5]::plv8_float8array', 'Float64Array 1.5'],
  ['array[1, 2]::plv8_int8array', dies('!XX000')],
  ['array[[1, 2], [3, 4]]::plv8_int4array', dies('!XX000')],
  ["'{}'::plv8_int4array", dies('!XX000')],
  ['array[1, null]::plv8_int4array', dies('!XX000')],
];

/** Anything else: what it is about, statements, and what the last one gives, after the notices, one a line. */
export const STATEMENTS: readonly (readonly [title: string, sql: string, outcome: Outcome])[] = [
  [
    'a typed argument handed back',
    'create function f(x plv8_int4array) returns plv8_int4array language plv8 as $$return x$$; select f(array[1, 2])::text',
    '{1,2}',
  ],
  [
    'a typed argument handed back to its base type',
    'create function f(x plv8_int4array) returns int4[] language plv8 as $$return x$$; select f(array[1, 2])::text',
    '{1,2}',
  ],
  [
    'a typed argument that was changed: the change is lost',
    'create function f(x plv8_float8array) returns plv8_float8array language plv8 as $$x[0] = 9; return x$$; select f(array[1.5, 2.5])::text',
    '{1.5,2.5}',
  ],
  [
    'a typed argument bound',
    "create function f(x plv8_int4array) returns text language plv8 as $$x[0] = 9; return plv8.execute('select $1::int4[] as v', [x])[0].v.join()$$; select f(array[1, 2])::text",
    '1,2',
  ],
  [
    'a typed column handed back',
    "create function f() returns plv8_int2array language plv8 as $$return plv8.execute('select array[1, 2]::plv8_int2array as v')[0].v$$; select f()::text",
    '{1,2}',
  ],
  [
    'a slice of a typed argument',
    'create function f(x plv8_int4array) returns plv8_int4array language plv8 as $$return x.slice()$$; select f(array[1, 2])::text',
    dies(`!0A000 a typed array made by JavaScript cannot become an array of SQL
HINT: Convert it with Array.from().`),
  ],
  [
    'part of a typed argument',
    'create function f(x plv8_int4array) returns plv8_int4array language plv8 as $$return x.subarray(1)$$; select f(array[1, 2])::text',
    dies(`!0A000 a typed array made by JavaScript cannot become an array of SQL
HINT: Convert it with Array.from().`),
  ],
  [
    'a typed argument as text',
    'create function f(x plv8_int4array) returns text language plv8 as $$x[0] = 9; return x$$; select f(array[1, 2])::text',
    '9,2',
  ],
  [
    'a typed argument as bytea',
    'create function f(x plv8_int4array) returns bytea language plv8 as $$return x$$; select f(array[1, 2])::text',
    '\\x0100000002000000',
  ],
  [
    'a typed argument in a row',
    'create function f(x plv8_int4array) returns table (y plv8_int4array) language plv8 as $$plv8.return_next({ y: x })$$; select y::text from f(array[1, 2])',
    `!XX000 value is not an Array
CONTEXT: f() LINE 1: plv8.return_next({ y: x })`,
  ],
  [
    'a typed array in a set',
    'create function f() returns setof int language plv8 as $$return new Int32Array([1, 2])$$; select * from f()',
    '!22P02 invalid input syntax for type integer: "1,2"',
  ],
  [
    'a constant call with a typed array, folded by the planner',
    'create function f() returns plv8_float8array language plv8 immutable as $$return new Float64Array([1.5])$$; select f()',
    dies(`!0A000 a typed array made by JavaScript cannot become an array of SQL
HINT: Convert it with Array.from().`),
  ],
  [
    'bytea there and back',
    "create function f(x bytea) returns bytea language plv8 as $$x[0] = 9; return x$$; select f('\\x0102')::text",
    '\\x0902',
  ],
  [
    'jsonb there and back',
    `create function f(x jsonb) returns jsonb language plv8 as $$return x$$; select f('{"a": 9007199254740993, "b": 0.30000000000000004, "c": 1.0, "d": [null]}')::text`,
    '{"a": 9007199254740990, "b": 0.3, "c": 1, "d": [null]}',
  ],
  [
    'json there and back',
    `create function f(x json) returns json language plv8 as $$return x$$; select f('{"a": 9007199254740993, "b": 0.30000000000000004, "c": 1.0}')::text`,
    '{"a":9007199254740992,"b":0.30000000000000004,"c":1}',
  ],
  [
    'timestamptz there and back',
    "create function f(x timestamptz) returns timestamptz language plv8 as $$return x$$; select f('2020-01-01 00:00:00.123456+00')::text",
    '2020-01-01 00:00:00.123+00',
  ],
  [
    'infinity there and back',
    "create function f(x timestamptz) returns timestamptz language plv8 as $$return x$$; select f('infinity')::text",
    loses('2000-01-01 00:00:00+00', '!22008 Date is invalid'),
  ],
  [
    'int8 there and back',
    'create function f(x int8) returns int8 language plv8 as $$return x$$; select f(9007199254740993)::text',
    '9007199254740993',
  ],
  [
    'numeric there and back',
    'create function f(x numeric) returns numeric language plv8 as $$return x$$; select f(1234567890.12345678901234)::text',
    '1234567890.12346',
  ],
  [
    'oid there and back',
    'create function f(x oid) returns oid language plv8 as $$return x$$; select f(4000000000)::text',
    '4000000000',
  ],
  [
    'int4[][] there and back',
    'create function f(x int4[]) returns int4[] language plv8 as $$return x$$; select f(array[[1, 2], [3, 4]])::text',
    '{1,2,3,4}',
  ],
  [
    'anyelement',
    "create function f(x anyelement) returns anyelement language plv8 as $$return x$$; select f(5) || f('x'::text) || f(array[1, 2])::text",
    '5x{1,2}',
  ],
  ['void', 'create function f() returns void language plv8 as $$$$; select f() is null', 'true'],
  [
    'a value where void is due',
    'create function f() returns void language plv8 as $$return 5$$; select f() is null',
    'false',
  ],
  ['nothing', 'create function f() returns int language plv8 as $$$$; select f()', 'null'],
  [
    'a set by array',
    `create function f() returns setof int language plv8 as $$return [1, null, undefined, "4"]$$; select string_agg(coalesce(f::text, '-'), ',') from f()`,
    '1,-,-,4',
  ],
  [
    'a set by return_next',
    "create function f() returns setof int language plv8 as $$plv8.return_next(1); plv8.return_next(); plv8.return_next(3, 4)$$; select string_agg(coalesce(f::text, '-'), ',') from f()",
    '1,-,3',
  ],
  ['a set of one', 'create function f() returns setof int language plv8 as $$return 7$$; select * from f()', '7'],
  [
    'a table',
    "create function f() returns table (a int, b text) language plv8 as $$plv8.return_next({ a: 1, b: 'x' }); return [{ a: 2, b: null }, { a: 3, b: undefined, c: 5 }]$$; select string_agg(f::text, ' ') from f()",
    '(1,x) (2,) (3,)',
  ],
  [
    'a row that lacks a column',
    'create function f() returns table (a int, b text) language plv8 as $$plv8.return_next({ a: 1 })$$; select * from f()',
    `!XX000 field name / property name mismatch
CONTEXT: f() LINE 1: plv8.return_next({ a: 1 })`,
  ],
  [
    'a row that lacks a column of a column list',
    'create function f() returns setof record language plv8 as $$plv8.return_next({ a: 1 })$$; select * from f() as (a int, b int)',
    `!XX000 field name / property name mismatch
CONTEXT: f() LINE 1: plv8.return_next({ a: 1 })`,
  ],
  [
    'null where a row is due',
    'create function f() returns table (a int, b text) language plv8 as $$return [null]$$; select * from f()',
    '!XX000 argument must be an object',
  ],
  [
    'a table of one column takes values',
    "create function f() returns table (a int) language plv8 as $$plv8.return_next(5); return [6]$$; select string_agg(a::text, ',') from f()",
    '5,6',
  ],
  [
    'a table of one column takes no objects',
    'create function f() returns table (a int) language plv8 as $$plv8.return_next({ a: 5 })$$; select * from f()',
    `!22P02 invalid input syntax for type integer: "[object Object]"
CONTEXT: f() LINE 1: plv8.return_next({ a: 5 })`,
  ],
  [
    'arrays in a set',
    "create function f() returns setof int[] language plv8 as $$return [[1, 2], [3]]$$; select string_agg(f::text, ' ') from f()",
    '{1,2} {3}',
  ],
  [
    'out parameters',
    'create function f(out a int, out b int) language plv8 as $$return { a: 1, b: 2 }$$; select * from f()',
    '!0A000 input of anonymous composite types is not implemented',
  ],
  ['one out parameter', 'create function f(out a int) language plv8 as $$return 5$$; select * from f()', '5'],
  [
    'inout of a procedure',
    'create procedure p(inout a int) language plv8 as $$return a + 1$$; call p(5)',
    '!0A000 input of anonymous composite types is not implemented',
  ],
  [
    'an argument of a pseudo-type',
    'create function f(cstring) returns int language plv8 as $$return 1$$',
    '!0A000 PL/v8 functions cannot accept type cstring',
  ],
  [
    'a result of a pseudo-type',
    'create function f() returns cstring language plv8 as $$return 1$$',
    '!0A000 PL/v8 functions cannot return type cstring',
  ],
  [
    'an event trigger',
    'create function f() returns event_trigger language plv8 as $$$$',
    '!0A000 PL/v8 functions cannot return type event_trigger',
  ],
  [
    'a result of DML',
    "create function f() returns text language plv8 as $$plv8.execute('create temp table t (i int)'); return [plv8.execute('insert into t values (5), (6)'), plv8.execute('update t set i = 1 where false'), JSON.stringify(plv8.execute('delete from t returning i')), plv8.execute('set local work_mem = 100'), plv8.execute('create temp table u as select 1 as a')].join()$$; select f()",
    '2,0,[{"i":5},{"i":6}],0,1',
  ],
  [
    'several statements',
    "create function f() returns text language plv8 as $$return JSON.stringify(plv8.execute('select 1 as a; select 2 as b'))$$; select f()",
    '[{"b":2}]',
  ],
  [
    'columns of one name',
    "create function f() returns text language plv8 as $$return JSON.stringify(plv8.execute('select 1 as a, 2 as a'))$$; select f()",
    '[{"a":2}]',
  ],
  [
    'parameters of unknown type',
    "create function f() returns text language plv8 as $$const r = plv8.execute('select $1 as a', [5]); return typeof r[0].a + r[0].a$$; select f()",
    'string5',
  ],
  [
    'parameters without an array',
    "create function f() returns text language plv8 as $$return JSON.stringify(plv8.execute('select $1::int as a, $2::text as b', 7, 'x'))$$; select f()",
    '[{"a":7,"b":"x"}]',
  ],
  [
    'cursors',
    "create function f() returns text language plv8 as $$const c = plv8.prepare('select i from generate_series(1, 5) i').cursor(); const seen = [c.fetch(), c.fetch(2), c.move(1), c.fetch(9), c.fetch(), c.fetch(9), c.close()]; return seen.map((s) => (s === undefined ? '-' : JSON.stringify(s))).join()$$; select f()",
    '{"i":1},[{"i":2},{"i":3}],-,[{"i":5}],-,-,1',
  ],
  [
    'a closed cursor',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { const c = plv8.prepare('select 1').cursor(); c.close(); c.fetch() } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"cannot find cursor"}
`,
  ],
  [
    'a subtransaction gives what its body returns',
    'create function f() returns text language plv8 as $$return [plv8.subtransaction(() => 7), plv8.subtransaction(() => {})].join()$$; select f()',
    '7,',
  ],
  [
    'elog',
    "do $$ plv8.elog(NOTICE, 'a', 1, null, undefined, { a: 1 }, [1, 2], 'b\\u0000c') $$ language plv8",
    `NOTICE: a 1 null undefined [object Object] 1,2 b
`,
  ],
  [
    'quoting',
    `create function f() returns text language plv8 as $$return [plv8.quote_literal("a'b\\\\c"), plv8.quote_literal(5), plv8.quote_literal(null), plv8.quote_nullable(null), plv8.quote_ident('A b')].join()$$; select f()`,
    `E'a''b\\\\c','5','null',NULL,"A b"`,
  ],
  [
    'an SQL error, caught',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.execute('select 1/0') } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"division by zero","sqlerrcode":"22012","schema_name":null,"table_name":null,"column_name":null,"datatype_name":null,"constraint_name":null,"detail":null,"hint":null,"context":"SQL statement \\"select 1/0\\"","internalquery":null,"code":33816706}
`,
  ],
  [
    'a constraint, caught',
    "create table t (a int constraint k check (a > 0)); do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.execute('insert into t values (-1)') } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"new row for relation \\"t\\" violates check constraint \\"k\\"","sqlerrcode":"23514","schema_name":"public","table_name":"t","column_name":null,"datatype_name":null,"constraint_name":"k","detail":"Failing row contains (-1).","hint":null,"context":"SQL statement \\"insert into t values (-1)\\"","internalquery":null,"code":67391682}
`,
  ],
  [
    'a syntax error in SQL, caught',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.execute('selec 1') } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"syntax error at or near \\"selec\\"","sqlerrcode":"42601","schema_name":null,"table_name":null,"column_name":null,"datatype_name":null,"constraint_name":null,"detail":null,"hint":null,"context":null,"internalquery":"selec 1","code":16801924}
`,
  ],
  [
    'an error with detail and hint, caught',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.execute('select raise_x()') } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"boom","sqlerrcode":"22012","schema_name":null,"table_name":null,"column_name":null,"datatype_name":null,"constraint_name":null,"detail":"d","hint":"h","context":"PL/pgSQL function raise_x() line 1 at RAISE\\nSQL statement \\"select raise_x()\\"","internalquery":null,"code":33816706}
`,
  ],
  [
    'an SQL error out of a subtransaction',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.subtransaction(() => plv8.execute('select raise_x()')) } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"boom"}
`,
  ],
  [
    'an SQL error caught inside a subtransaction',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.subtransaction(() => { try { plv8.execute('select raise_x()') } catch (e) { show(e) } }) } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"boom","sqlerrcode":"22012","schema_name":null,"table_name":null,"column_name":null,"datatype_name":null,"constraint_name":null,"detail":"d","hint":"h","context":"PL/pgSQL function raise_x() line 1 at RAISE\\nSQL statement \\"select raise_x()\\"","internalquery":null,"code":33816706}
`,
  ],
  [
    'an error of its own out of a subtransaction',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.subtransaction(() => { const e = new Error('m'); e.code = 50856066; e.detail = 'D'; e.own = 1; throw e }) } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"m"}
`,
  ],
  [
    'a RangeError out of a subtransaction',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.subtransaction(() => { throw new RangeError('m') }) } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"RangeError: m"}
`,
  ],
  [
    'a string out of a subtransaction',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.subtransaction(() => { throw 'text' }) } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"text"}
`,
  ],
  [
    'an object out of a subtransaction',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.subtransaction(() => { throw { message: 'm' } }) } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"[object Object]"}
`,
  ],
  [
    'null out of a subtransaction',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.subtransaction(() => { throw null }) } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"null"}
`,
  ],
  [
    'an error out of two subtransactions',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.subtransaction(() => plv8.subtransaction(() => plv8.execute('select 1/0'))) } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"division by zero"}
`,
  ],
  [
    'an uncaught error out of a subtransaction',
    "do $$ plv8.subtransaction(() => plv8.execute('select 1/0')) $$ language plv8",
    `!XX000 division by zero
CONTEXT: undefined() LINE 1:  plv8.subtransaction(() => plv8.execute('select 1/0')) `,
  ],
  [
    'the error of the body, kept and thrown again',
    "do $$ let kept; try { plv8.subtransaction(() => { try { plv8.execute('select raise_x()') } catch (e) { kept = e; throw e } }) } catch (e) { throw kept } $$ language plv8",
    `!22012 boom
DETAIL: d
HINT: h
CONTEXT: PL/pgSQL function raise_x() line 1 at RAISE
SQL statement "select raise_x()"
undefined() LINE 1:  let kept; try { plv8.subtransaction(() => { try { plv8.execute('select raise_x()') } catch (e) { kept = e; throw e } }) } catch (e) { throw kept } `,
  ],
  [
    'a cancelled statement, caught',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.execute('select pg_cancel_backend(pg_backend_pid())') } catch (e) { show(e) } $$ language plv8",
    loses(
      `NOTICE: object true {"message":"canceling statement due to user request","sqlerrcode":"57014","schema_name":null,"table_name":null,"column_name":null,"datatype_name":null,"constraint_name":null,"detail":null,"hint":null,"context":"SQL statement \\"select pg_cancel_backend(pg_backend_pid())\\"","internalquery":null,"code":67371461}
`,
      '!57014 canceling statement due to user request',
    ),
  ],
  [
    'too few parameters of a statement',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.execute('select $1::int + $2', [1]) } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"parameter numbers mismatch: 2 != 1","sqlerrcode":"XX000","schema_name":null,"table_name":null,"column_name":null,"datatype_name":null,"constraint_name":null,"detail":null,"hint":null,"context":null,"internalquery":null,"code":2600}
`,
  ],
  [
    'too few parameters of a plan',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.prepare('select $1::int', ['int']).execute([]) } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"plan expected 1 argument(s), given is 0"}
`,
  ],
  [
    'an unknown type of a parameter',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.prepare('select $1', ['nope']) } catch (e) { show(e) } $$ language plv8",
    '!42704 type "nope" does not exist',
  ],
  [
    'commit as SQL',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, String(e) || JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.execute('commit') } catch (e) { show(e) } $$ language plv8",
    `NOTICE: string false current transaction is aborted, commands ignored until end of transaction block
`,
  ],
  [
    'copy to the client',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, String(e) || JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.execute('copy (select 1) to stdout') } catch (e) { show(e) } $$ language plv8",
    `NOTICE: string false SPI_ERROR_COPY
`,
  ],
  [
    'commit outside of a procedure',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.commit() } catch (e) { show(e) } $$ language plv8",
    dies(`NOTICE: object true {"message":"invalid transaction termination","sqlerrcode":"2D000","schema_name":null,"table_name":null,"column_name":null,"datatype_name":null,"constraint_name":null,"detail":null,"hint":null,"context":null,"internalquery":null,"code":1282}
`),
  ],
  [
    'a function that is not there',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.find_function('nope') } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"function \\"nope\\" does not exist","sqlerrcode":"42883","schema_name":null,"table_name":null,"column_name":null,"datatype_name":null,"constraint_name":null,"detail":null,"hint":null,"context":null,"internalquery":null,"code":52461700}
`,
  ],
  [
    'a function of another language',
    "do $$ const show = (e) => plv8.elog(NOTICE, typeof e, e instanceof Error, JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(e).filter((k) => k !== 'stack').map((k) => [k, e[k]])))); try { plv8.find_function('pg_catalog.now()') } catch (e) { show(e) } $$ language plv8",
    `NOTICE: object true {"message":"javascript function is not found for \\"pg_catalog.now()\\"","sqlerrcode":"XX000","schema_name":null,"table_name":null,"column_name":null,"datatype_name":null,"constraint_name":null,"detail":null,"hint":null,"context":null,"internalquery":null,"code":2600}
`,
  ],
  [
    'an unknown level of elog',
    "do $$ plv8.elog(55, 'x') $$ language plv8",
    `!XX000 invalid error level
CONTEXT: undefined() LINE 1:  plv8.elog(55, 'x') `,
  ],
  [
    'elog without a message',
    'do $$ plv8.elog(NOTICE) $$ language plv8',
    `!XX000 usage: plv8.elog(elevel, ...)
CONTEXT: undefined() LINE 1:  plv8.elog(NOTICE) `,
  ],
  [
    'elog(ERROR)',
    "do $$ plv8.elog(ERROR, 'a', 5) $$ language plv8",
    `!XX000 a 5
CONTEXT: undefined() LINE 1:  plv8.elog(ERROR, 'a', 5) `,
  ],
  [
    'return_next without a set',
    'do $$ plv8.return_next(1) $$ language plv8',
    `!XX000 return_next called in context that cannot accept a set
CONTEXT: undefined() LINE 1:  plv8.return_next(1) `,
  ],
  [
    'the line that failed, in CONTEXT',
    `create function f() returns int language plv8 as $$
  const y = 1;
    throw new Error('m')
$$; select f()`,
    `!XX000 m
CONTEXT: f() LINE 3:     throw new Error('m')`,
  ],
  [
    'the line of a DO block',
    `do $$
  null.x
$$ language plv8`,
    `!XX000 TypeError: Cannot read properties of null (reading 'x')
CONTEXT: undefined() LINE 2:   null.x`,
  ],
  [
    'the line of an SQL error',
    `create function f() returns int language plv8 as $$
  plv8.execute('select raise_x()');
$$; select f()`,
    `!22012 boom
DETAIL: d
HINT: h
CONTEXT: PL/pgSQL function raise_x() line 1 at RAISE
SQL statement "select raise_x()"
f() LINE 2:   plv8.execute('select raise_x()');`,
  ],
  [
    'the line that failed in evaluated source',
    `do $$ (0, eval)("globalThis.f = () => {\\n\\n  throw new Error('m')\\n}"); f() $$ language plv8`,
    `!XX000 m
CONTEXT: undefined() LINE 2:   throw new Error('m')`,
  ],
  [
    'the line that failed in evaluated source with a name',
    `do $$ (0, eval)("globalThis.f = () => {\\n\\n  throw new Error('m')\\n}\\n//# sourceURL=bundle.js"); f() $$ language plv8`,
    `!XX000 m
CONTEXT: bundle.js() LINE 2:   throw new Error('m')`,
  ],
  [
    'the line where an error was thrown again',
    `do $$ let k; try { throw new Error('m') } catch (e) { k = e }
 throw k $$ language plv8`,
    `!XX000 m
CONTEXT: undefined() LINE 2:  throw k `,
  ],
  [
    'lines through SQL',
    "create function f() returns int language plv8 as $$throw new Error('m')$$; do $$ plv8.execute('select f()') $$ language plv8",
    `!XX000 m
CONTEXT: f() LINE 1: throw new Error('m')
SQL statement "select f()"
undefined() LINE 1:  plv8.execute('select f()') `,
  ],
  [
    'a syntax error of a function',
    `create function f() returns int language plv8 as $$

return (1;
$$`,
    `!XX000 SyntaxError: Unexpected token ';'
CONTEXT: f() LINE 3: return (1;`,
  ],
  [
    'an error with SQLSTATE, detail and hint',
    "do $$ const e = new Error('m'); e.code = 50856066; e.detail = 'D'; e.hint = 'H'; e.context = 'C'; e.table_name = 't'; throw e $$ language plv8",
    `!22023 m
DETAIL: D
HINT: H
CONTEXT: C
undefined() LINE 1:  const e = new Error('m'); e.code = 50856066; e.detail = 'D'; e.hint = 'H'; e.context = 'C'; e.table_name = 't'; throw e `,
  ],
  [
    'SQLSTATE as a string',
    "do $$ const e = new Error('m'); e.sqlerrcode = '22023'; throw e $$ language plv8",
    `!XX000 m
CONTEXT: undefined() LINE 1:  const e = new Error('m'); e.sqlerrcode = '22023'; throw e `,
  ],
  [
    'SQLSTATE as a string in code',
    "do $$ const e = new Error('m'); e.code = '22023'; throw e $$ language plv8",
    `!7H500 m
CONTEXT: undefined() LINE 1:  const e = new Error('m'); e.code = '22023'; throw e `,
  ],
  [
    'code 0',
    "do $$ const e = new Error('m'); e.code = 0; e.detail = ''; e.hint = ''; throw e $$ language plv8",
    `!XX000 m
DETAIL: 
HINT: 
CONTEXT: undefined() LINE 1:  const e = new Error('m'); e.code = 0; e.detail = ''; e.hint = ''; throw e `,
  ],
  [
    'a negative code',
    "do $$ const e = new Error('m'); e.code = -5; throw e $$ language plv8",
    loses(
      `!koooo m
CONTEXT: undefined() LINE 1:  const e = new Error('m'); e.code = -5; throw e `,
      `!XX000 m
CONTEXT: undefined() LINE 1:  const e = new Error('m'); e.code = -5; throw e `,
    ),
  ],
  [
    'an Error without a message',
    'do $$ throw new Error() $$ language plv8',
    `!XX000 Error
CONTEXT: undefined() LINE 1:  throw new Error() `,
  ],
  [
    'a TypeError',
    "do $$ throw new TypeError('m') $$ language plv8",
    `!XX000 TypeError: m
CONTEXT: undefined() LINE 1:  throw new TypeError('m') `,
  ],
  [
    'an Error with a name',
    "do $$ const e = new Error('m'); e.name = 'Mine'; throw e $$ language plv8",
    `!XX000 Mine: m
CONTEXT: undefined() LINE 1:  const e = new Error('m'); e.name = 'Mine'; throw e `,
  ],
  [
    'a class of errors',
    "do $$ class Mine extends Error {}; throw new Mine('m') $$ language plv8",
    `!XX000 m
CONTEXT: undefined() LINE 1:  class Mine extends Error {}; throw new Mine('m') `,
  ],
  [
    'a thrown string',
    "do $$ throw 'text' $$ language plv8",
    `!XX000 text
CONTEXT: undefined() LINE 1:  throw 'text' `,
  ],
  [
    'a thrown object',
    "do $$ throw { message: 'm', code: 50856066 } $$ language plv8",
    `!22023 [object Object]
CONTEXT: undefined() LINE 1:  throw { message: 'm', code: 50856066 } `,
  ],
  [
    'thrown null',
    'do $$ throw null $$ language plv8',
    `!XX000 null
CONTEXT: undefined() LINE 1:  throw null `,
  ],
  [
    'a thrown symbol',
    "do $$ throw Symbol('s') $$ language plv8",
    dies(`!XX000 unknown JavaScript exception
CONTEXT: undefined() LINE 1:  throw Symbol('s') `),
  ],
  [
    'a thrown object without a prototype',
    'do $$ throw Object.create(null) $$ language plv8',
    dies(`!XX000 unknown JavaScript exception
CONTEXT: undefined() LINE 1:  throw Object.create(null) `),
  ],
  [
    'a zero character in a message',
    "do $$ throw new Error('a\\u0000b') $$ language plv8",
    `!XX000 a
CONTEXT: undefined() LINE 1:  throw new Error('a\\u0000b') `,
  ],
  [
    'a constraint: its name is lost',
    "create table t (a int constraint k check (a > 0)); do $$ plv8.execute('insert into t values (-1)') $$ language plv8",
    `!23514 new row for relation "t" violates check constraint "k"
DETAIL: Failing row contains (-1).
CONTEXT: SQL statement "insert into t values (-1)"
undefined() LINE 1:  plv8.execute('insert into t values (-1)') `,
  ],
  [
    'memory that runs out',
    'do $$ const a = []; for (;;) a.push({ a: 1, b: [1, 2] }) $$ language plv8',
    dies(`!XX000 Out of memory error
DETAIL: The limit is 256 MB.
HINT: Raise plv8.memory_limit, or work on less at a time.`),
  ],
  [
    'a buffer that is too big',
    'do $$ try { new ArrayBuffer(2e9) } catch (e) { throw e.name + e.message } $$ language plv8',
    `!XX000 RangeErrorArray buffer allocation failed
CONTEXT: undefined() LINE 1:  try { new ArrayBuffer(2e9) } catch (e) { throw e.name + e.message } `,
  ],
  [
    'endless recursion',
    'do $$ const f = () => f(); f() $$ language plv8',
    `!XX000 RangeError: Maximum call stack size exceeded
CONTEXT: undefined() LINE 1:  const f = () => f(); f() `,
  ],
  [
    'a domain of arrays as a column',
    `do $$ try { plv8.execute("select '{1,2}'::few as v") } catch (e) { throw e.message.replace(/\\d/g, '') } $$ language plv8`,
    `!XX000 cannot determine element type of array: 
CONTEXT: undefined() LINE 1:  try { plv8.execute("select '{1,2}'::few as v") } catch (e) { throw e.message.replace(/\\d/g, '') } `,
  ],
  [
    'what no V8 of plv8 has',
    "create function f() returns text language plv8 as $$return ['structuredClone', 'TextEncoder', 'setTimeout', 'queueMicrotask', 'performance', 'btoa', 'fetch', 'require', 'process'].filter((n) => n in globalThis).join()$$; select f()",
    '',
  ],
];
