import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

/** One value of each type a bound, an age or an interval may be given as. */
const VALUES: Readonly<Record<string, string>> = {
  date: `date '2024-01-02'`,
  timestamp: `timestamp '2024-01-02'`,
  timestamptz: `timestamptz '2024-01-02'`,
  smallint: `int2 '30'`,
  integer: '30',
  bigint: `int8 '30'`,
  interval: `interval '2 days'`,
  'a number as text': `text '30'`,
  'a number with a point as text': `'30.5'`,
  'a year as a literal': `'2024'`,
  'a length as a literal': `'2 days'`,
  'a time as a literal': `'2024-01-02'`,
  'a literal that is neither': `'junk'`,
  numeric: '1.5',
  'double precision': `float8 '30'`,
  boolean: 'true',
  'time of day': `time '10:00'`,
};

const MOMENTS = ['date', 'timestamp', 'timestamptz', 'a time as a literal'];
const LENGTHS = ['interval', 'a length as a literal'];
const NUMBERS = ['smallint', 'integer', 'bigint', 'a number as text', 'a year as a literal'];

interface Fit {
  readonly calendar: readonly string[];
  readonly integer: readonly string[];
}
const BOUND: Fit = { calendar: [...MOMENTS, ...LENGTHS], integer: NUMBERS };
const CREATION: Fit = { calendar: [...MOMENTS, ...LENGTHS], integer: [...MOMENTS, ...LENGTHS] };
const AGE: Fit = { calendar: LENGTHS, integer: NUMBERS };
const WIDTH: Fit = { calendar: [...LENGTHS, ...NUMBERS], integer: NUMBERS };

/** t is the hypertable, c its continuous aggregate, r a table that is none. */
const CALLS: readonly (readonly [string, Fit])[] = [
  [`select drop_chunks('t', older_than => $v)`, BOUND],
  [`select drop_chunks('t', newer_than => $v)`, BOUND],
  [`select drop_chunks('t', created_before => $v)`, CREATION],
  [`select drop_chunks('t', created_after => $v)`, CREATION],
  [`select drop_chunks('c', older_than => $v)`, BOUND],
  [`select show_chunks('t', older_than => $v)`, BOUND],
  [`select show_chunks('t', newer_than => $v)`, BOUND],
  [`select show_chunks('t', created_before => $v)`, CREATION],
  [`select show_chunks('t', created_after => $v)`, CREATION],
  [`select set_chunk_time_interval('t', $v)`, WIDTH],
  [`select set_partitioning_interval('t', $v)`, WIDTH],
  [`select create_hypertable('r', 'time', chunk_time_interval => $v)`, WIDTH],
  [`select create_hypertable('r', by_range('time', $v))`, WIDTH],
  [`select add_retention_policy('t', $v)`, AGE],
  [`select add_drop_chunks_policy('t', $v, cascade_to_materializations => true)`, AGE],
  [`select add_retention_policy('c', $v)`, AGE],
  [`select add_compression_policy('t', $v)`, AGE],
  [`select add_compress_chunks_policy('t', $v)`, AGE],
  [`select add_compression_policy('c', $v)`, AGE],
  [`select add_continuous_aggregate_policy('c', $v, null, interval '1 hour')`, AGE],
  [`select add_continuous_aggregate_policy('c', null, $v, interval '1 hour')`, AGE],
  [`select alter_continuous_aggregate('c', refresh_lag => $v)`, AGE],
  [`select alter_continuous_aggregate('c', max_interval_per_job => $v)`, AGE],
  [`select alter_continuous_aggregate('c', ignore_invalidation_older_than => $v)`, AGE],
];

/** What is taken for something else than the type says would fail for another reason, or succeed. */
const outcome = async (sql: string): Promise<unknown> => {
  await db.query('begin');
  try {
    await db.query(sql);
    return 'accepted';
  } catch (e) {
    const { code, hint } = e as { code?: string; hint?: string };
    return code === '22023' && hint !== undefined ? 'refused' : `${code}: ${String(e)}`;
  } finally {
    await db.query('rollback');
  }
};

beforeAll(async () => {
  await db.query(`create function now_of_numbers() returns int language sql stable as 'select 10000'`);
  for (const [type, name] of [
    ['int', 'i'],
    ['date', 'd'],
    ['timestamp', 's'],
    ['timestamptz', 'z'],
  ]) {
    await db.query(`create schema of_${name}; set search_path = of_${name}, public`);
    await db.query(`create table r (time ${type} not null); create table t (time ${type} not null, v int)`);
    await db.query(`select create_hypertable('t', 'time'${name === 'i' ? ', chunk_time_interval => 10' : ''})`);
    if (name === 'i') await db.query(`select set_integer_now_func('t', 'public.now_of_numbers')`);
    await db.query(
      `insert into t select ${name === 'i' ? 'i' : `'2024-01-01'::${type} + i * ${name === 'd' ? 1 : `interval '1 day'`}`}, i from generate_series(1, 50) i`,
    );
    await db.query(
      `select create_continuous_aggregate('c', 'select time_bucket(${name === 'i' ? '5' : `''1 day''`}, time) as b, count(*) from t group by 1')`,
    );
    await db.query(`select set_compression('t'), set_compression('c')`);
  }
});

describe.each([
  ['int', 'i', 'integer'],
  ['date', 'd', 'calendar'],
  ['timestamp', 's', 'calendar'],
  ['timestamptz', 'z', 'calendar'],
] as const)('a time column of type %s', (_, name, kind) => {
  test.each(CALLS)('%s takes what suits it, and refuses the rest with a hint', async (sql, fit) => {
    await db.query(`set search_path = of_${name}, public; set client_min_messages = error`);
    const seen: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const [type, value] of Object.entries(VALUES)) {
      seen[type] = await outcome(sql.replace('$v', value));
      const takes = fit[kind].includes(type);
      // Microseconds that are no whole days suit no column of dates, and are refused as well.
      expected[type] = takes && !(fit === WIDTH && name === 'd' && NUMBERS.includes(type)) ? 'accepted' : 'refused';
    }
    expect(seen).toEqual(expected);
  });
});

test('drop_chunks of integers does not go by when chunks were made', async () => {
  await db.query('set search_path = of_i, public');
  expect(await db.error('select drop_chunks($$t$$, older_than => now())')).toMatchObject({
    code: '22023',
    message: 'a bound of type timestamp with time zone does not suit a time column of type integer',
    hint: 'Give an integer, in the units of the column. created_before and created_after go by when chunks were made.',
  });
  expect(await db.value('select count(*)::int from t')).toBe(50);
});

test('policies of a continuous aggregate of integers go by the integer_now function of its hypertable', async () => {
  await db.query('set search_path = of_i, public');
  await db.query(`select set_compression('c')`);
  const job = await db.value(`select add_retention_policy('c', 9890)`);
  expect(await db.column(`select show_chunks('c')`)).toHaveLength(1);
  await db.query(`call run_job(${job})`);
  expect(await db.column(`select show_chunks('c')`)).toEqual([]);
  await db.query(`select add_compression_policy('c', 100)`);
});
