import { describe, expect, it } from 'vitest';
import { useDatabase } from '../../harness/database.ts';

const db = useDatabase();

/** Park-Miller: the same numbers in every run. */
const numbers = (seed: number): ((below: number) => number) => {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return Math.floor((state / 2147483647) * below);
  };
};

const floorTo = (value: bigint, width: bigint): bigint => {
  let rest = value % width;
  if (rest < 0n) rest += width;
  return value - rest;
};

const utc = (year: number, month: number, day = 1): bigint => {
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  return BigInt(date.getTime()) * 1000n;
};

const MONDAY = utc(2000, 0, 3);

/** Text PostgreSQL reads as the instant of so many microseconds since 1970, years 1 to 9999. */
const instant = (micros: bigint): string => {
  const millis = floorTo(micros, 1000n) / 1000n;
  return `${new Date(Number(millis)).toISOString().slice(0, 23)}${String(micros - millis * 1000n).padStart(3, '0')}+00`;
};

const someInstants = (next: (below: number) => number, count: number, from: bigint, to: bigint): bigint[] =>
  Array.from({ length: count }, () => {
    const span = to - from;
    const at = from + ((BigInt(next(1e9)) * 1_000_000_000n + BigInt(next(1e9))) * span) / 1_000_000_000_000_000_000n;
    return next(4) === 0 ? floorTo(at, 3_600_000_000n) : at;
  });

const bucketed = async (call: string, instants: readonly bigint[]): Promise<bigint[]> => {
  const rows = await db.query(
    `select (extract(epoch from ${call}) * 1000000)::bigint::text as micros
     from unnest($1::text[]) with ordinality as given(at, place), lateral (select at::timestamptz as ts) as read
     order by place`,
    [instants.map(instant)],
  );
  return rows.map((row) => BigInt(String(row.micros)));
};

const MICROS = { us: 1n, ms: 1000n, s: 1_000_000n, min: 60_000_000n, h: 3_600_000_000n, d: 86_400_000_000n };

describe('time_bucket agrees with a count by hand', () => {
  it('for random fixed widths, origins and times', async () => {
    const next = numbers(20200601);
    for (let round = 0; round < 60; round++) {
      const unit = (['us', 'ms', 's', 'min', 'h', 'd'] as const)[next(6)] ?? 's';
      const count = 1 + next(unit === 'us' ? 1_000_000 : 400);
      const width = BigInt(count) * MICROS[unit];
      const instants = someInstants(next, 50, utc(1, 0), utc(9999, 0));
      const origin = round % 3 === 0 ? MONDAY : (someInstants(next, 1, utc(1900, 0), utc(2100, 0))[0] ?? MONDAY);
      const call =
        round % 3 === 0
          ? `time_bucket('${width} us'::interval, ts)`
          : `time_bucket('${width} us'::interval, ts, '${instant(origin)}'::timestamptz)`;
      expect(await bucketed(call, instants), call).toEqual(instants.map((at) => floorTo(at - origin, width) + origin));
    }
  });

  it('for random numbers of months', async () => {
    const next = numbers(7);
    for (let round = 0; round < 40; round++) {
      const months = 1 + next(40);
      const instants = someInstants(next, 50, utc(1, 0), utc(9999, 0));
      const origin = round % 2 === 0 ? 0 : next(600) - 300;
      const call = `time_bucket('${months} months', ts, timestamptz '${instant(utc(2000, origin, 1 + next(28)))}')`;
      expect(await bucketed(call, instants), call).toEqual(
        instants.map((at) => {
          const date = new Date(Number(floorTo(at, 1000n) / 1000n));
          let index = (date.getUTCFullYear() - 2000) * 12 + date.getUTCMonth();
          while ((index - origin) % months !== 0) index--;
          return utc(2000, index);
        }),
      );
    }
  });

  it('for random integers of each type', async () => {
    const next = numbers(99);
    for (const [type, limit] of [
      ['smallint', 32767n],
      ['integer', 2147483647n],
      ['bigint', 9223372036854775807n],
    ] as const) {
      const some = (): bigint =>
        ((BigInt(next(1e9)) * 1_000_000_000n + BigInt(next(1e9))) * limit) / 1_000_000_000_000_000_000n;
      const cases = Array.from({ length: 300 }, () => {
        const width = next(2) === 0 ? BigInt(1 + next(100)) : some() / 8n + 1n;
        const offset = some() * (next(2) === 0 ? 1n : -1n);
        return { width, offset, ts: (some() / 2n) * (next(2) === 0 ? 1n : -1n) };
      });
      const rows = await db.query(
        `select time_bucket(width::${type}, ts::${type}, "offset"::${type})::text as bucket,
           time_bucket(width::${type}, ts::${type})::text as plain
         from unnest($1::text[], $2::text[], $3::text[]) with ordinality as given(width, ts, "offset", place) order by place`,
        [cases.map((c) => String(c.width)), cases.map((c) => String(c.ts)), cases.map((c) => String(c.offset))],
      );
      expect(rows).toEqual(
        cases.map((c) => ({
          bucket: String(floorTo(c.ts - c.offset, c.width) + c.offset),
          plain: String(floorTo(c.ts, c.width)),
        })),
      );
    }
  });

  it.each(['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'])('by the clock of %s', async (zone) => {
    const clock = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    const local = (at: bigint): bigint => {
      const whole = floorTo(at, 1_000_000n);
      const part = Object.fromEntries(
        clock.formatToParts(new Date(Number(whole / 1000n))).map((p) => [p.type, Number(p.value)]),
      );
      return (
        BigInt(
          Date.UTC(
            part.year ?? 0,
            (part.month ?? 0) - 1,
            part.day ?? 0,
            part.hour ?? 0,
            part.minute ?? 0,
            part.second ?? 0,
          ),
        ) *
          1000n +
        (at - whole)
      );
    };
    /** As PostgreSQL reads a local time: the later of two, and in a gap by the clock before it. */
    const instantOf = (wanted: bigint): bigint => {
      const shifts = [-1n, 0n, 1n].map((day) => local(wanted + day * MICROS.d) - (wanted + day * MICROS.d));
      const exact = shifts.map((shift) => wanted - shift).filter((at) => local(at) === wanted);
      return exact.length > 0 ? (exact.sort((a, b) => (a < b ? -1 : 1)).at(-1) ?? 0n) : wanted - (shifts[0] ?? 0n);
    };
    const next = numbers(31);
    for (const [width, micros] of [
      ['10 min', 10n * MICROS.min],
      ['15 min', 15n * MICROS.min],
      ['1 hour', MICROS.h],
      ['2 hours', 2n * MICROS.h],
      ['6 hours', 6n * MICROS.h],
      ['1 day', MICROS.d],
      ['7 days', 7n * MICROS.d],
    ] as const) {
      const instants = someInstants(next, 200, utc(2005, 0), utc(2024, 0));
      for (let year = 2010; year < 2020; year++) {
        for (const month of [2, 3, 9, 10]) {
          for (let day = 1; day <= 31; day += 1)
            instants.push(utc(year, month, day) + BigInt(next(24 * 3600)) * MICROS.s);
        }
      }
      const call = `time_bucket('${width}', ts, '${zone}')`;
      const got = await bucketed(call, instants);
      const wrong = instants.flatMap((at, i) => {
        let start = instantOf(floorTo(local(at) - MONDAY, micros) + MONDAY);
        while (start > at) start -= micros;
        return got[i] === start ? [] : [`${instant(at)}: ${instant(got[i] ?? 0n)}, expected ${instant(start)}`];
      });
      expect(wrong, call).toEqual([]);
    }
  });
});
