import { describe, expect, it } from 'vitest';
import { failure, useDatabase } from '../../harness/database.ts';

const db = useDatabase();

const text = (expression: string): Promise<unknown> => db.value(`select (${expression})::text`);

const expectEach = async (cases: readonly (readonly [string, string | null])[]): Promise<void> => {
  await db.query(`set timezone = 'UTC'`);
  for (const [expression, expected] of cases) {
    expect(await text(expression), expression).toBe(expected);
  }
};

describe('time_bucket of fixed widths', () => {
  it('counts from Monday 2000-01-03 and floors below it', () =>
    expectEach([
      [`time_bucket('7 days', timestamp '2020-06-03 05:00')`, '2020-06-01 00:00:00'],
      [`time_bucket('7 days', timestamp '1999-12-31')`, '1999-12-27 00:00:00'],
      [`time_bucket('7 days', timestamp '1999-12-27')`, '1999-12-27 00:00:00'],
      [`time_bucket('7 days', timestamptz '2020-06-03 05:00+00')`, '2020-06-01 00:00:00+00'],
      [`time_bucket('7 days', date '2020-06-03')`, '2020-06-01'],
      [`time_bucket('1 week', date '1999-12-26')`, '1999-12-20'],
      [`time_bucket('5 minutes', timestamp '1969-12-31 23:59:59.999999')`, '1969-12-31 23:55:00'],
      [`time_bucket('1 microsecond', timestamp '1969-12-31 23:59:59.999999')`, '1969-12-31 23:59:59.999999'],
      [`time_bucket('24 hours', date '2020-06-03')`, '2020-06-03'],
    ]));

  it('takes an origin of the type of ts', () =>
    expectEach([
      [`time_bucket('7 days', timestamp '2020-06-03', timestamp '2020-01-01')`, '2020-06-03 00:00:00'],
      [
        `time_bucket('1 day', timestamptz '2020-06-03 01:00+00', timestamptz '2020-01-01 02:00+00')`,
        '2020-06-02 02:00:00+00',
      ],
      [`time_bucket('7 days', date '2020-06-03', date '2020-01-04')`, '2020-05-30'],
      [`time_bucket('1 day', timestamp '2019-06-03 01:00', timestamp '2020-01-01 02:00')`, '2019-06-02 02:00:00'],
    ]));

  it('moves every bucket by an offset, in UTC for timestamptz', async () => {
    await expectEach([
      [`time_bucket('1 day', timestamp '2020-06-03 01:00', interval '6 hours')`, '2020-06-02 06:00:00'],
      [`time_bucket('7 days', date '2020-06-01', interval '1 day')`, '2020-05-26'],
      [`time_bucket('1 month', date '2020-06-01', interval '1 day')`, '2020-05-02'],
      [`time_bucket('3 months', date '2020-06-01', interval '1 month')`, '2020-05-01'],
      [`time_bucket('1 day', timestamptz '2020-06-03 01:00+00', interval '-3 hours')`, '2020-06-02 21:00:00+00'],
    ]);
    await db.query(`set timezone = 'Europe/Berlin'`);
    expect(
      await text(`time_bucket('1 day', timestamptz '2020-03-29 12:00+00', interval '1 day') at time zone 'UTC'`),
    ).toBe('2020-03-29 00:00:00');
  });

  it('returns infinities as they are', () =>
    expectEach([
      [`time_bucket('1 day', timestamp 'infinity')`, 'infinity'],
      [`time_bucket('1 day', timestamptz '-infinity')`, '-infinity'],
      [`time_bucket('1 day', date 'infinity')`, 'infinity'],
      [`time_bucket('1 month', timestamptz '-infinity')`, '-infinity'],
      [`time_bucket('1 month', date '-infinity')`, '-infinity'],
      [`time_bucket('1 day', timestamptz 'infinity', 'Europe/Berlin')`, 'infinity'],
      [`time_bucket('1 hour', timestamptz '-infinity', 'Europe/Berlin', "offset" => '5 min')`, '-infinity'],
    ]));

  it('does not depend on the time zone or date style of the session', async () => {
    const bucket = `extract(epoch from time_bucket('1 day', timestamptz '2020-06-03 01:00+00'))::bigint`;
    await db.query(`set timezone = 'UTC'`);
    const utc = await text(bucket);
    await db.query(`set timezone = 'Asia/Kolkata'; set datestyle = 'SQL, DMY'`);
    expect(await text(bucket)).toBe(utc);
    await db.query('reset datestyle');
  });
});

describe('time_bucket of months and years', () => {
  it('gives the first of a month counted from January 2000', () =>
    expectEach([
      [`time_bucket('3 months', date '2020-05-15')`, '2020-04-01'],
      [`time_bucket('1 month', timestamp '2020-05-15 10:00')`, '2020-05-01 00:00:00'],
      [`time_bucket('1 month', timestamptz '2020-05-31 23:59+00')`, '2020-05-01 00:00:00+00'],
      [`time_bucket('5 years', timestamp '1999-12-31')`, '1995-01-01 00:00:00'],
      [`time_bucket('7 months', timestamp '1999-12-31')`, '1999-06-01 00:00:00'],
      [`time_bucket('1 year', timestamp '0001-06-01 BC')`, '0001-01-01 00:00:00 BC'],
      [`time_bucket('2 years', timestamp '0002-06-01 BC')`, '0003-01-01 00:00:00 BC'],
      [`time_bucket('1 month', timestamp '0001-01-05')`, '0001-01-01 00:00:00'],
    ]));

  it('takes the month of the origin and ignores its day', () =>
    expectEach([
      [`time_bucket('3 months', date '2020-05-15', date '2020-02-20')`, '2020-05-01'],
      [`time_bucket('1 year', timestamp '2020-05-15', timestamp '1999-07-31 11:00')`, '2019-07-01 00:00:00'],
      [
        `time_bucket('1 year', timestamptz '2020-05-15 00:00+00', timestamptz '2021-07-01 00:00+00')`,
        '2019-07-01 00:00:00+00',
      ],
    ]));
});

describe('time_bucket in a time zone', () => {
  it('gives local midnights over both clock changes in Berlin', () =>
    expectEach([
      [`time_bucket('1 day', timestamptz '2021-03-28 12:00+00', 'Europe/Berlin')`, '2021-03-27 23:00:00+00'],
      [`time_bucket('1 day', timestamptz '2021-03-28 22:00+00', 'Europe/Berlin')`, '2021-03-28 22:00:00+00'],
      [`time_bucket('1 day', timestamptz '2021-10-31 22:59+00', 'Europe/Berlin')`, '2021-10-30 22:00:00+00'],
      [`time_bucket('1 day', timestamptz '2021-10-31 23:00+00', 'Europe/Berlin')`, '2021-10-31 23:00:00+00'],
      [`time_bucket('1 month', timestamptz '2021-03-31 21:59+00', 'Europe/Berlin')`, '2021-02-28 23:00:00+00'],
      [`time_bucket('1 month', timestamptz '2021-03-31 22:00+00', 'Europe/Berlin')`, '2021-03-31 22:00:00+00'],
    ]));

  it('keeps the two local hours apart when clocks go back', () =>
    expectEach([
      [`time_bucket('1 hour', timestamptz '2021-10-31 00:30+00', 'Europe/Berlin')`, '2021-10-31 00:00:00+00'],
      [`time_bucket('1 hour', timestamptz '2021-10-31 01:30+00', 'Europe/Berlin')`, '2021-10-31 01:00:00+00'],
      [`time_bucket('15 min', timestamptz '2021-10-31 00:10+00', 'Europe/Berlin')`, '2021-10-31 00:00:00+00'],
      [`time_bucket('1 hour', timestamptz '2021-11-07 05:30+00', 'America/New_York')`, '2021-11-07 05:00:00+00'],
      [`time_bucket('1 hour', timestamptz '2021-11-07 06:30+00', 'America/New_York')`, '2021-11-07 06:00:00+00'],
    ]));

  it('never gives a bucket after ts when clocks go forward', () =>
    expectEach([
      [`time_bucket('1 hour', timestamptz '2021-03-28 01:30+00', 'Europe/Berlin')`, '2021-03-28 01:00:00+00'],
      [`time_bucket('2 hours', timestamptz '2021-03-28 01:30+00', 'Europe/Berlin')`, '2021-03-28 01:00:00+00'],
      [`time_bucket('1 hour', timestamptz '2021-03-14 07:30+00', 'America/New_York')`, '2021-03-14 07:00:00+00'],
      [
        `time_bucket('1 day', timestamptz '2021-03-28 01:10+00', 'Europe/Berlin', timestamptz '2021-01-01 01:30+00')`,
        '2021-03-27 01:30:00+00',
      ],
    ]));

  it('uses origin and offset, and takes NULL for either as none', () =>
    expectEach([
      [
        `time_bucket('7 days', timestamptz '2021-06-16 12:00+00', 'Europe/Berlin', timestamptz '2021-06-01 22:00+00')`,
        '2021-06-15 22:00:00+00',
      ],
      [
        `time_bucket('1 day', timestamptz '2021-06-16 02:00+00', 'Europe/Berlin', "offset" => '6 hours')`,
        '2021-06-15 04:00:00+00',
      ],
      [
        `time_bucket('1 day', timestamptz '2021-06-16 02:00+00', 'Europe/Berlin', null, null)`,
        '2021-06-15 22:00:00+00',
      ],
      [`time_bucket('7 days', timestamptz '2021-06-16 12:00+00', 'Europe/Berlin')`, '2021-06-13 22:00:00+00'],
    ]));
});

describe('time_bucket of integers', () => {
  it('floors to multiples of the width, moved by the offset', () =>
    expectEach([
      ['time_bucket(10, -1)', '-10'],
      ['time_bucket(10, 9)', '0'],
      ['time_bucket(10, -10)', '-10'],
      ['time_bucket(10, 3, 5)', '-5'],
      ['time_bucket(10, 3, 25)', '-5'],
      ['time_bucket(10, 3, -5)', '-5'],
      ['time_bucket(10::smallint, 32767::smallint)', '32760'],
      ['time_bucket(10::bigint, (-9223372036854775800)::bigint)', '-9223372036854775800'],
      ['time_bucket(9223372036854775807, 9223372036854775806)', '0'],
      ['time_bucket(2147483647, 2147483646)', '0'],
      ['time_bucket(2147483647, -2147483647)', '-2147483647'],
    ]));

  it('raises 22003 where the bucket start does not fit the type', async () => {
    for (const call of [
      'time_bucket(10::smallint, (-32768)::smallint)',
      'time_bucket(10, -2147483648)',
      'time_bucket(9223372036854775807, (-9223372036854775808)::bigint)',
      'time_bucket(10::smallint, (-32768)::smallint, 5::smallint)',
    ]) {
      expect(await db.error(`select ${call}`), call).toMatchObject({ code: '22003' });
    }
  });
});

describe('time_bucket refuses', () => {
  it.each([
    [`time_bucket(0, 5)`, '22023'],
    [`time_bucket(-1::smallint, 5::smallint)`, '22023'],
    [`time_bucket(0::bigint, 5::bigint, 1::bigint)`, '22023'],
    [`time_bucket('0 days', now())`, '22023'],
    [`time_bucket('-1 hour', timestamp '2020-01-01')`, '22023'],
    [`time_bucket('-1 month', date '2020-01-01')`, '22023'],
    [`time_bucket('0', date '2020-01-01')`, '22023'],
    [`time_bucket('-1 day', now(), 'Europe/Berlin')`, '22023'],
    [`time_bucket('1 day', now(), 'Europe/Nowhere')`, '22023'],
    [`time_bucket('1 month 1 day', now())`, '0A000'],
    [`time_bucket('1 month 1 hour', timestamp '2020-01-01')`, '0A000'],
    [`time_bucket('1 year 1 day -24 hours', timestamp '2020-01-01')`, '0A000'],
    [`time_bucket('1 month 1 day', date '2020-01-01')`, '0A000'],
    [`time_bucket('12 hours', date '2020-01-01')`, '0A000'],
    [`time_bucket('36 hours', date '2020-01-01')`, '0A000'],
    [`time_bucket('36 hours', date '2020-01-01', interval '1 day')`, '0A000'],
    [`time_bucket('1 day', date '2020-01-01', interval '1 hour')`, '0A000'],
    [`time_bucket('1 month', date '2020-01-01', "offset" => interval '1 day -24 hours')`, '0A000'],
    [`time_bucket('1 year', timestamp '4714-12-01 BC')`, '22008'],
    [`time_bucket('7 days', timestamp '4714-11-24 BC', interval '1 day')`, '22008'],
    [`time_bucket('1 day', timestamp '2020-01-01', timestamp 'infinity')`, '22008'],
    [`time_bucket('1 day', 'x'::text)`, '42883'],
    [`time_bucket(1, now())`, '42883'],
  ])('%s with %s', async (call, code) => {
    expect(await db.error(`select ${call}`)).toMatchObject({ code });
  });

  it('a width known only at run time with the same error and its value', async () => {
    expect(
      await db.error(`select time_bucket(w, now()) from unnest(array[interval '1 day', '-2 days']) as w`),
    ).toMatchObject({ code: '22023', detail: 'The width given is -2 days.' });
    expect(
      await db.error(`select time_bucket(w, now()) from unnest(array[interval '1 month 1 day']) as w`),
    ).toMatchObject({ code: '0A000', hint: 'Use months and years alone, or days and smaller units alone.' });
  });
});

describe('time_bucket', () => {
  it('gives NULL for a NULL argument', () =>
    expectEach([
      [`time_bucket(null::interval, now())`, null],
      [`time_bucket('1 day', null::timestamp)`, null],
      [`time_bucket('1 month', null::date)`, null],
      [`time_bucket('1 day', now(), null::timestamptz)`, null],
      [`time_bucket('1 month', timestamp 'infinity', null::timestamp)`, null],
      [`time_bucket('1 day', now(), null::interval)`, null],
      [`time_bucket('1 day', now(), null::text)`, null],
      [`time_bucket('1 day', null::timestamptz, 'UTC')`, null],
      [`time_bucket(null, now(), 'UTC')`, null],
      [`time_bucket(null::int, 5)`, null],
      [`time_bucket(5, null)`, null],
      [`time_bucket(5, 5, null)`, null],
    ]));

  it('is inlined to a bare date_bin for a constant width', async () => {
    await db.query('create table readings (ts timestamptz, local timestamp, n int)');
    const output = async (expression: string): Promise<string> => {
      const rows = await db.query(`explain (verbose, costs off) select ${expression} from readings`);
      return rows.map((row) => String(row['QUERY PLAN'])).join('\n');
    };
    const fixed = await output(
      `time_bucket('1 hour', ts), time_bucket('1 day', local), time_bucket('1 h', ts, '2020-01-01'::timestamptz)`,
    );
    expect(fixed.match(/date_bin/g)).toHaveLength(3);
    expect(fixed).not.toMatch(/CASE|time_bucket/);
    for (const expression of [
      `time_bucket('1 month', ts)`,
      `time_bucket('1 day', ts, interval '1 hour')`,
      'time_bucket(5, n, 1)',
      `time_bucket('1 day', local::date)`,
    ]) {
      expect(await output(expression)).not.toContain('time_bucket');
    }
  });

  it('is immutable and parallel safe in every form, and says what it does', async () => {
    expect(
      await db.query(`
        select p.oid::regprocedure::text as wrong
        from pg_proc as p
        where p.proname = 'time_bucket'
          and (p.provolatile <> 'i' or p.proparallel <> 's' or obj_description(p.oid, 'pg_proc') is null)`),
    ).toEqual([]);
    expect(String(await db.value(`select count(*)::text from pg_proc where proname = 'time_bucket'`))).toBe('16');
  });

  it('may stand in an index and is used by it', async () => {
    await db.query(`create table indexed (ts timestamptz); create index on indexed (time_bucket('1 day', ts))`);
    await db.query(
      `insert into indexed select timestamptz '2020-01-01 00:00+00' + i * interval '1 hour' from generate_series(0, 99) as i`,
    );
    expect(await text(`select count(*) from indexed where time_bucket('1 day', ts) = '2020-01-02 00:00+00'`)).toBe(
      '24',
    );
  });

  it('can be called by a role without any grant', async () => {
    const reader = await db.connect(await db.role('reader'));
    const { rows } = await reader.query(
      `select time_bucket('3 months', date '2020-05-15')::text as quarter,
         time_bucket('1 day', timestamptz '2021-06-16 12:00+00', 'Europe/Berlin') = '2021-06-15 22:00+00' as midnight,
         time_bucket(10, 3, 5) as n`,
    );
    expect(rows).toEqual([{ quarter: '2020-04-01', midnight: true, n: -5 }]);
    expect(await failure(reader, 'select time_bucket(0, 1)')).toMatchObject({ code: '22023' });
  });
});

describe('align_to_bucket', () => {
  it('widens a range to whole buckets and leaves open ends open', () =>
    expectEach([
      [
        `_tessera_functions.align_to_bucket('1 day', tsrange('2020-01-01 05:00', '2020-01-03'))`,
        '["2020-01-01 00:00:00","2020-01-03 00:00:00")',
      ],
      [
        `_tessera_functions.align_to_bucket('1 day', tstzrange('2020-01-01 05:00+00', '2020-01-03 00:00+00', '[]'))`,
        '["2020-01-01 00:00:00+00","2020-01-04 00:00:00+00")',
      ],
      [`_tessera_functions.align_to_bucket('1 month', daterange('2020-01-05', null))`, '[2020-01-01,)'],
      [`_tessera_functions.align_to_bucket('1 month', tsrange(null, '2020-01-05'))`, '(,"2020-02-01 00:00:00")'],
      [
        `_tessera_functions.align_to_bucket('7 days', daterange('2020-01-05', '2020-01-07'))`,
        '[2019-12-30,2020-01-13)',
      ],
      [`_tessera_functions.align_to_bucket('1 day', 'empty'::tsrange)`, 'empty'],
    ]));

  it('refuses other range types and widths', async () => {
    expect(await db.error(`select _tessera_functions.align_to_bucket('1 day', int4range(1, 2))`)).toMatchObject({
      code: '0A000',
    });
    expect(
      await db.error(`select _tessera_functions.align_to_bucket('1 h', daterange('2020-01-01', '2020-01-02'))`),
    ).toMatchObject({ code: '0A000' });
    expect(
      await db.error(`select _tessera_functions.align_to_bucket('0', tsrange('2020-01-01', '2020-01-02'))`),
    ).toMatchObject({ code: '22023' });
  });
});
