import { expect, test } from 'vitest';
import { useDatabase } from '../../harness/database.ts';

const db = useDatabase();

const regular = (interval: string, start: string, zone: string | null, after: string): Promise<string> =>
  db.value(
    `select to_char(_tessera_functions.next_regular_start($1, $2, $3, $4) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`,
    [interval, start, zone, after],
  );

test('a fixed schedule goes on from its first start, whenever a run ended', async () => {
  expect(await regular('1 day', '2024-01-01 03:00+00', null, '2024-01-05 03:10+00')).toBe('2024-01-06 03:00:00.000000');
  expect(await regular('1 day', '2024-01-01 03:00+00', null, '2024-01-05 03:00+00')).toBe('2024-01-06 03:00:00.000000');
  expect(await regular('1 day', '2024-01-01 03:00+00', null, '2023-12-25 12:00+00')).toBe('2023-12-26 03:00:00.000000');
  expect(await regular('7 min', '2024-01-01 00:00+00', null, '2024-01-01 00:06:59.999999+00')).toBe(
    '2024-01-01 00:07:00.000000',
  );
  expect(await regular('1 us', '2024-01-01 00:00+00', null, '2024-01-01 00:00:00.5+00')).toBe(
    '2024-01-01 00:00:00.500001',
  );
});

test('months are counted from the first start, so the 31st does not wander', async () => {
  expect(await regular('1 month', '2024-01-31 12:00+00', null, '2024-02-15 00:00+00')).toBe(
    '2024-02-29 12:00:00.000000',
  );
  expect(await regular('1 month', '2024-01-31 12:00+00', null, '2024-03-01 00:00+00')).toBe(
    '2024-03-31 12:00:00.000000',
  );
  expect(await regular('1 year', '2020-02-29 00:00+00', null, '2023-01-01 00:00+00')).toBe(
    '2023-02-28 00:00:00.000000',
  );
  expect(await regular('3 months', '2024-01-15 00:00+00', null, '2025-08-20 00:00+00')).toBe(
    '2025-10-15 00:00:00.000000',
  );
});

test('days follow the clock of the time zone through a change of it', async () => {
  // Berlin goes from +01 to +02 on 2024-03-31.
  expect(await regular('1 day', '2024-03-29 03:30+01', 'Europe/Berlin', '2024-03-30 12:00+01')).toBe(
    '2024-03-31 01:30:00.000000',
  );
  expect(await regular('1 day', '2024-03-29 03:30+01', null, '2024-03-30 12:00+01')).toBe('2024-03-31 02:30:00.000000');
  expect(await regular('1 month', '2024-03-15 00:00+01', 'Europe/Berlin', '2024-03-20 00:00+01')).toBe(
    '2024-04-14 22:00:00.000000',
  );
});

test('many first starts and intervals: the next start is after the moment, and the one before it is not', async () => {
  expect(
    await db.value(`
      select count(*)::int from generate_series(1, 300) g,
        lateral (select make_interval(mins => 1 + (g * 7919) % 100000) as i, '2020-01-01'::timestamptz + g * interval '977 min' as s,
          '2022-05-05'::timestamptz + g * interval '1 day 13 min' as m) x,
        lateral (select _tessera_functions.next_regular_start(i, s, null, m) as n) y
      where not (n > m and n - i <= m and mod(extract(epoch from n - s)::numeric, extract(epoch from i)::numeric) = 0)`),
  ).toBe(0);
});

test('the wait after failures grows with them up to twenty, and to five schedule intervals at most', async () => {
  const wait = (failures: number, schedule: string): Promise<string> =>
    db.value(`select justify_hours(_tessera_functions.failure_delay('5 min', $1, $2, 0))::text`, [schedule, failures]);
  expect(await wait(1, '1 hour')).toBe('00:05:00');
  expect(await wait(3, '1 hour')).toBe('00:15:00');
  expect(await wait(20, '1 hour')).toBe('01:40:00');
  expect(await wait(400, '1 hour')).toBe('01:40:00');
  expect(await wait(9, '10 min')).toBe('00:45:00');
  expect(await wait(10, '10 min')).toBe('00:50:00');
  expect(await wait(20, '10 min')).toBe('00:50:00');
});

test('jitter stays between -0.1172 and +0.125 and reaches both ends', async () => {
  const [low, high] = Object.values(
    (
      await db.query(
        'select min(j), max(j) from (select _tessera_functions.retry_jitter() as j from generate_series(1, 5000)) x',
      )
    )[0] ?? {},
  );
  expect(low).toBe(-15 / 128);
  expect(high).toBe(16 / 128);
});
