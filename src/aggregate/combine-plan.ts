import { splitList } from '../lib/sql-clauses.ts';
import type { AggregateCall } from './query-plan.ts';

/** OIDs of PostgreSQL's own types. */
const TYPE = {
  int8: 20,
  int2: 21,
  int4: 23,
  float4: 700,
  float8: 701,
  interval: 1186,
  numeric: 1700,
} as const;
const EXACT: readonly number[] = [TYPE.int2, TYPE.int4, TYPE.int8, TYPE.numeric];
const FLOAT: readonly number[] = [TYPE.float4, TYPE.float8];

/** Whose function it is. */
export type Origin = 'postgres' | 'tessera' | 'other';

/** An aggregate as the query calls it. */
export interface CallText extends AggregateCall {
  readonly name: string;
  readonly origin: Origin;
  /** As it stands before the parenthesis, with its schema where it has one. */
  readonly called: string;
  /** What stands between its parentheses. */
  readonly args: string;
  /** The condition of FILTER, without WHERE. */
  readonly filter: string | null;
}

/** How the result of an aggregate is put together from what it, or another one, gives for each part. */
export interface Combination {
  /** What each part computes. */
  readonly partials: readonly string[];
  /** The result, given the names of the columns that have these. */
  readonly combine: (columns: readonly string[]) => string;
}

/** Of those of PostgreSQL, where the result over all is the same aggregate over the results of the parts. */
const OF_RESULTS = ['min', 'max', 'sum', 'bool_and', 'bool_or', 'every', 'bit_and', 'bit_or', 'bit_xor', 'any_value'];
/** Such for which it makes no difference how often a value comes. */
const SAME_WHEN_DISTINCT = ['min', 'max', 'bool_and', 'bool_or', 'every', 'bit_and', 'bit_or', 'any_value'];

interface Variance {
  readonly sample: boolean;
  readonly root: boolean;
}
const VARIANCES: Readonly<Record<string, Variance>> = {
  variance: { sample: true, root: false },
  var_samp: { sample: true, root: false },
  var_pop: { sample: false, root: false },
  stddev: { sample: true, root: true },
  stddev_samp: { sample: true, root: true },
  stddev_pop: { sample: false, root: true },
};

const filtered = (call: string, ...conditions: readonly (string | null)[]): string => {
  const all = conditions.filter((c) => c !== null);
  return all.length === 0 ? call : `${call} filter (where ${all.map((c) => `(${c})`).join(' and ')})`;
};

const ofResults = (c: CallText): Combination => ({
  partials: [filtered(`pg_catalog.${c.name}(${c.args})`, c.filter)],
  combine: ([part]) => `pg_catalog.${c.name}(${part})`,
});

const count = (c: CallText): Combination => ({
  ...ofResults(c),
  combine: ([part]) => `pg_catalog.sum(${part})::pg_catalog.int8`,
});

/** As PostgreSQL does it: a sum divided by a count, of the type in which it keeps the sum. */
const average = (c: CallText, type: number): Combination | undefined => {
  const over = EXACT.includes(type) ? 'numeric' : FLOAT.includes(type) || type === TYPE.interval ? 'float8' : undefined;
  if (over === undefined) return undefined;
  const value = type === TYPE.float4 ? `(${c.args})::pg_catalog.float8` : c.args;
  return {
    partials: [filtered(`pg_catalog.sum(${value})`, c.filter), filtered(`pg_catalog.count(${c.args})`, c.filter)],
    combine: ([sum, rows]) => {
      const total = `pg_catalog.sum(${sum})${over === 'numeric' ? '::pg_catalog.numeric' : ''}`;
      return `(${total} operator(pg_catalog./) pg_catalog.sum(${rows})::pg_catalog.${over})`;
    },
  };
};

/**
 * Floating-point numbers by the sums of squares around the mean of each part, which PostgreSQL itself combines for its
 * parallel workers (Youngs and Cramer 1971); exact ones by sums of values and squares, which lose nothing.
 */
const variance = (c: CallText, type: number, { sample, root }: Variance): Combination | undefined => {
  const one = (call: string): string => filtered(call, c.filter);
  if (FLOAT.includes(type)) {
    const value = `(${c.args})::pg_catalog.float8`;
    const combined = `_tessera_functions.${root ? 'stddev' : 'var'}_${sample ? 'samp' : 'pop'}_of_parts`;
    return {
      partials: [
        one(`pg_catalog.count(${value})`),
        one(`pg_catalog.sum(${value})`),
        one(`pg_catalog.regr_sxx(${value}, ${value})`),
      ],
      combine: ([rows, sum, squares]) => `${combined}(${rows}, ${sum}, ${squares})`,
    };
  }
  if (!EXACT.includes(type)) return undefined;
  const value = `(${c.args})::pg_catalog.numeric`;
  return {
    partials: [
      one(`pg_catalog.count(${value})`),
      one(`pg_catalog.sum(${value})`),
      one(`pg_catalog.sum(${value} operator(pg_catalog.*) ${value})`),
    ],
    combine: (columns) =>
      `_tessera_functions.variance_of_sums(${columns.map((p) => `pg_catalog.sum(${p})`).join(', ')}, ${sample}, ${root})`,
  };
};

/** The first of the firsts: where no row has anything to sort by, the one of some part that has rows. */
const bookend = (c: CallText): Combination | undefined => {
  const [value, by, more] = splitList(c.args);
  if (value === undefined || by === undefined || more !== undefined) return undefined;
  const order = `order by ${by} ${c.name === 'first' ? 'asc' : 'desc'} nulls last`;
  return {
    partials: [
      `(${filtered(`pg_catalog.array_agg(${value} ${order})`, c.filter)})[1]`,
      `(${filtered(`pg_catalog.array_agg(${by} ${order})`, c.filter)})[1]`,
      filtered('pg_catalog.count(*)', c.filter),
    ],
    combine: ([first, key, rows]) => `${c.called}(${first}, ${key}) filter (where ${rows} operator(pg_catalog.>) 0)`,
  };
};

/** Each bucket is a count of its own on the parts. */
const MOST_BUCKETS = 200;

const histogram = (c: CallText): Combination | undefined => {
  const [value, min, max, buckets] = splitList(c.args);
  if (value === undefined || min === undefined || max === undefined || !/^\d+$/.test(buckets ?? '')) return undefined;
  const number = Number(buckets);
  if (number < 1 || number > MOST_BUCKETS) return undefined;
  const slot = `pg_catalog.width_bucket((${value})::pg_catalog.float8, (${min})::pg_catalog.float8, (${max})::pg_catalog.float8, ${number})`;
  return {
    partials: Array.from({ length: number + 2 }, (_, i) =>
      filtered('pg_catalog.count(*)', c.filter, `${slot} operator(pg_catalog.=) ${i}`),
    ),
    combine: (columns) => {
      const counts = columns.map((p) => `pg_catalog.sum(${p})`);
      return `case when ${counts.join(' operator(pg_catalog.+) ')} operator(pg_catalog.>) 0 then array[${counts.map((s) => `${s}::pg_catalog.int4`).join(', ')}] end`;
    },
  };
};

const UNKNOWN = 'it is not known how';

/** A reason where the call cannot be combined. */
export const combination = (c: CallText): Combination | string => {
  if (c.origin === 'other') return UNKNOWN;
  if (c.origin === 'tessera') {
    if (c.distinct || c.ordered) return 'it has DISTINCT or ORDER BY';
    if (c.name === 'first' || c.name === 'last') return bookend(c) ?? 'its arguments are not two';
    if (c.name === 'histogram')
      return histogram(c) ?? `the number of its buckets is not written as a number up to ${MOST_BUCKETS}`;
    return UNKNOWN;
  }
  if (c.distinct && !SAME_WHEN_DISTINCT.includes(c.name)) return 'with DISTINCT, parts may have values in common';
  if (c.ordered) return 'it depends on the order of all rows';
  if (c.name === 'count') return count(c);
  if (OF_RESULTS.includes(c.name)) return ofResults(c);
  const [type = 0] = c.argumentTypes;
  if (c.name === 'avg') return average(c, type) ?? UNKNOWN;
  const spread = VARIANCES[c.name];
  return (spread && variance(c, type, spread)) ?? UNKNOWN;
};
