import { maybeOne, one } from '../../engine/spi.ts';
import { internalSql, SQL_TYPES } from '../../hypertable/index.ts';
import { isIntegerTime, type TimeType } from '../../lib/internal-time.ts';
import { cutBucket, incompatibleBucket, nullBucketArgument } from './failures.ts';

/** Arguments of the time_bucket() call as SQL, without the time itself. */
export interface BucketArguments {
  readonly width: string;
  readonly timezone: string | null;
  readonly origin: string | null;
  readonly offset: string | null;
}

/** As continuous_aggs_bucket_function has it. */
export interface Bucket {
  readonly bucket_width: string;
  readonly bucket_origin: string | null;
  readonly bucket_offset: string | null;
  readonly bucket_timezone: string | null;
  readonly bucket_fixed_width: boolean;
  readonly bucket_period: bigint;
  readonly bucket_phase: bigint;
}

const SAMPLES: Readonly<Record<string, string>> = {
  timestamptz: `'2000-01-03 00:00+00'::pg_catalog.timestamptz`,
  timestamp: `'2000-01-03 00:00'::pg_catalog.timestamp`,
  date: `'2000-01-03'::pg_catalog.date`,
};

const sample = (type: TimeType): string => SAMPLES[type] ?? `0::pg_catalog.${type}`;

const textOf = (what: string, expression: string | null, type: string): string | null => {
  if (expression === null) return null;
  const { value } = one<{ value: string | null }>(`select (${expression})::${type}::text as value`);
  if (value === null) throw nullBucketArgument(what);
  return value;
};

/**
 * Evaluates the constant arguments and finds the grid of the buckets. `call` is the SQL of the call for a time; it raises
 * what time_bucket() has against its arguments.
 */
export const readBucket = (a: BucketArguments, type: TimeType, call: (time: string) => string): Bucket => {
  const integer = isIntegerTime(type);
  const widthType = integer ? SQL_TYPES[type] : 'interval';
  const width = textOf('width', a.width, widthType) ?? '';
  const zone = textOf('time zone', a.timezone, 'text');
  const origin = textOf('origin', a.origin, SQL_TYPES[type]);
  const offset = textOf('offset', a.offset, widthType);
  const start = one<{ value: bigint }>(`select ${internalSql(call(sample(type)), type)} as value`).value;
  const texts = { bucket_width: width, bucket_origin: origin, bucket_offset: offset, bucket_timezone: zone };
  if (integer) return onGrid(texts, BigInt(width), start);
  const { months, micros } = one<{ months: number; micros: bigint }>(
    `select (extract(year from w) * 12 + extract(month from w))::int as months,
       (extract(day from w) * 86400000000 + extract(hour from w) * 3600000000
         + extract(minute from w) * 60000000 + extract(microseconds from w))::int8 as micros
     from (select $1::text::interval as w) s`,
    [width],
  );
  if (months === 0 && zone === null) return onGrid(texts, micros, start);
  // No month is shorter than 28 days, and no change of clocks longer than three hours.
  const day = 86_400_000_000n;
  const period = months > 0 ? BigInt(months) * 28n * day - day : micros > day / 4n ? micros - day / 8n : micros;
  return { ...texts, bucket_fixed_width: false, bucket_period: period, bucket_phase: 0n };
};

type Texts = Pick<Bucket, 'bucket_width' | 'bucket_origin' | 'bucket_offset' | 'bucket_timezone'>;

const onGrid = (texts: Texts, period: bigint, start: bigint): Bucket => ({
  ...texts,
  bucket_fixed_width: true,
  bucket_period: period,
  bucket_phase: ((start % period) + period) % period,
});

const DAY = 86_400_000_000n;

/** Times that rows below a continuous aggregate have, or may have: before 1970 zones kept the time of their towns. */
const firstDay = (parentId: number): string =>
  one<{ day: string }>(
    `with recursive up(id) as (
       select $1::int
       union all
       select a.raw_hypertable_id from up join _tessera_catalog.continuous_agg a on a.mat_hypertable_id = up.id)
     select least(date '1970-01-01', min(_tessera_functions.from_internal(s.range_start, null::timestamp))::date)::text as day
     from up join _tessera_catalog.dimension d on d.hypertable_id = up.id and d.interval_length is not null
     join _tessera_catalog.dimension_slice s on s.dimension_id = d.id and s.range_start > '-9223372036854775808'::int8
       and exists (
         select from _tessera_catalog.chunk_constraint k join _tessera_catalog.chunk c on c.id = k.chunk_id
         where k.dimension_slice_id = s.id and not c.dropped)`,
    [parentId],
  ).day;

/**
 * Buckets by the clock of a zone over buckets of one length: PostgreSQL says of each day when it begins, which is where
 * days, weeks and months do; shorter ones are multiples of what divides a day.
 */
const checkZone = (own: Bucket, parent: Bucket, zone: string, parentId: number): void => {
  const { short } = one<{ short: bigint | null }>(
    `select case when w < interval '1 day' then (extract(epoch from w) * 1000000)::int8 end as short from (select $1::text::interval as w) s`,
    [own.bucket_width],
  );
  if (short !== null && (short % parent.bucket_period !== 0n || DAY % parent.bucket_period !== 0n))
    throw incompatibleBucket(own.bucket_width, parent.bucket_width, 'the width is no multiple.');
  const cut = maybeOne<{ day: string; at: string }>(
    `select d::date::text as day, to_char(timezone('UTC', timezone($1, d)), 'YYYY-MM-DD HH24:MI:SS') as at
     from generate_series($4::text::timestamp, timestamp '2100-01-01', interval '1 day') d
     where mod((extract(epoch from timezone($1, d)) * 1000000)::int8 - $3::int8, $2::int8) <> 0
     limit 1`,
    [zone, parent.bucket_period, parent.bucket_phase, firstDay(parentId)],
  );
  if (cut !== undefined) throw cutBucket(own.bucket_width, parent.bucket_width, zone, cut.day, cut.at);
};

/** Buckets over the buckets of another continuous aggregate: each must hold whole ones. */
export const checkParentBucket = (own: Bucket, parentId: number): void => {
  const parent = maybeOne<Bucket>(
    `select bucket_width, bucket_origin, bucket_offset, bucket_timezone, bucket_fixed_width, bucket_period, bucket_phase
     from _tessera_catalog.continuous_aggs_bucket_function where mat_hypertable_id = $1`,
    [parentId],
  );
  if (parent === undefined) throw new Error(`continuous aggregate ${parentId} has no bucket`);
  const refuse = (detail: string): never => {
    throw incompatibleBucket(own.bucket_width, parent.bucket_width, detail);
  };
  if (own.bucket_fixed_width && parent.bucket_fixed_width) {
    if (own.bucket_period % parent.bucket_period !== 0n) refuse('the width is no multiple.');
    if ((own.bucket_phase - parent.bucket_phase) % parent.bucket_period !== 0n)
      refuse('they do not begin at the same times.');
    return;
  }
  if (own.bucket_fixed_width) refuse('buckets of one length cannot hold buckets of differing length.');
  if (parent.bucket_fixed_width) {
    if (own.bucket_offset !== null || own.bucket_origin !== null) refuse('they may not begin at the same times.');
    const zone = own.bucket_timezone;
    if (zone === null || /^(UTC|GMT|Etc\/UTC)$/i.test(zone)) {
      if (DAY % parent.bucket_period !== 0n || parent.bucket_phase !== 0n) refuse('months do not begin with them.');
    } else checkZone(own, parent, zone, parentId);
    return;
  }
  if ((own.bucket_timezone ?? 'UTC') !== (parent.bucket_timezone ?? 'UTC')) refuse('they are of different time zones.');
  if (own.bucket_origin !== parent.bucket_origin || own.bucket_offset !== parent.bucket_offset)
    refuse('their origins or offsets differ.');
  const { whole } = one<{ whole: boolean }>(
    `select case when date_part('month', o) + date_part('year', o) * 12 > 0
         then date_part('month', p) + date_part('year', p) * 12 = 0 and extract(epoch from interval '1 day')::int8 % extract(epoch from p)::int8 = 0
           or date_part('month', p) + date_part('year', p) * 12 > 0
             and (date_part('month', o) + date_part('year', o) * 12)::int % (date_part('month', p) + date_part('year', p) * 12)::int = 0
         else extract(epoch from o)::int8 % extract(epoch from p)::int8 = 0 end as whole
     from (select $1::text::interval as o, $2::text::interval as p) s`,
    [own.bucket_width, parent.bucket_width],
  );
  if (!whole) refuse('the width is no multiple.');
};
