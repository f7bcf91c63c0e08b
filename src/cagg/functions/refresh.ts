import { PLUS_INFINITY, type Range } from '../../lib/internal-time.ts';
import { literal } from '../../lib/quote.ts';
import { defineFunction, returnsScalar, type FunctionDeclaration } from '../../udf/define-function.ts';
import { findCaggById, openOwnCagg, type Cagg } from '../query/cagg.ts';
import { notCagg, notCaggOwner } from '../query/failures.ts';
import { DataRange, moveThreshold, runBatch, type RefreshOptions } from '../refresh/materialize.ts';
import {
  asOwner,
  endRefresh,
  leftToOthers,
  optionsOf,
  planBatchesOf,
  refreshedAtOnce,
  sayUpToDate,
  windowOf,
} from '../refresh/refresh.ts';

/** What the steps of a refresh hand on, as jsonb; times as text. */
export interface RefreshPlan {
  readonly cagg: number;
  readonly start: string;
  /** null: there is nothing to refresh. */
  readonly end: string | null;
  readonly force: boolean;
  readonly buckets: string | null;
  readonly most: number | null;
  readonly newest: boolean;
  /** Times of the raw rows, where a step has asked for them. */
  readonly data?: readonly [string, string] | null | undefined;
}

export const planOf = (cagg: Cagg, window: Range, options: RefreshOptions, most: number | null): RefreshPlan => ({
  cagg: cagg.id,
  start: window.start.toString(),
  end: window.end.toString(),
  force: options.force,
  buckets: options.bucketsPerBatch === null ? null : options.bucketsPerBatch.toString(),
  most,
  newest: options.newestFirst,
});

/** Each step opens the continuous aggregate anew: it may have gone since. */
const opened = (plan: RefreshPlan): Cagg => {
  const cagg = findCaggById(plan.cagg);
  if (cagg === undefined) throw notCagg(`materialization ${plan.cagg}`);
  if (!cagg.owned) throw notCaggOwner(cagg.view.name);
  return cagg;
};

const windowIn = (plan: RefreshPlan): Range => ({
  start: BigInt(plan.start),
  end: plan.end === null ? PLUS_INFINITY : BigInt(plan.end),
});
const dataIn = (cagg: Cagg, { data }: RefreshPlan): DataRange =>
  new DataRange(cagg, data && { start: BigInt(data[0]), end: BigInt(data[1]) });
const optionsIn = (plan: RefreshPlan): RefreshOptions => ({
  force: plan.force,
  bucketsPerBatch: plan.buckets === null ? null : BigInt(plan.buckets),
  newestFirst: plan.newest,
});

export const refresh_plan = defineFunction({
  schema: '_tessera_functions',
  name: 'refresh_plan',
  args: [
    { name: 'continuous_aggregate', type: 'bigint', doc: 'OID of the view' },
    { name: 'window_start', type: 'text', doc: 'as the user gave it' },
    { name: 'window_end', type: 'text', doc: 'as the user gave it' },
    { name: 'type', type: 'text', doc: 'common type of the two' },
    { name: 'force', type: 'boolean', doc: 'as the user gave it' },
    { name: 'options', type: 'jsonb', doc: 'as the user gave them' },
  ],
  returns: returnsScalar('jsonb'),
  volatility: 'volatile',
  summary: 'Checks the arguments of refresh_continuous_aggregate() and returns what its steps need.',
  privileges: 'owner of the continuous aggregate',
  handler: (
    oid: bigint | null,
    start: string | null,
    end: string | null,
    type: string,
    force: boolean | null,
    given: Readonly<Record<string, unknown>> | null,
  ): RefreshPlan => {
    const cagg = openOwnCagg(oid);
    const { options, mostBatches } = optionsOf(given, force === true);
    return planOf(cagg, windowOf(cagg, start, end, type), options, mostBatches);
  },
});

const PLAN_ARGUMENT = { name: 'plan', type: 'jsonb', doc: 'as refresh_plan() returns it' } as const;

/** A step runs with the rights of the owner, whoever began the refresh. */
const step = (
  name: string,
  summary: string,
  extra: FunctionDeclaration['args'],
  body: (cagg: Cagg, plan: RefreshPlan, ...rest: never[]) => unknown,
): FunctionDeclaration =>
  defineFunction({
    schema: '_tessera_functions',
    name,
    args: [PLAN_ARGUMENT, ...extra],
    returns: returnsScalar('jsonb'),
    volatility: 'volatile',
    summary,
    privileges: 'owner of the continuous aggregate',
    handler: (plan: RefreshPlan, ...rest: never[]): unknown => {
      const cagg = opened(plan);
      if (cagg.runByOwner) return body(cagg, plan, ...rest);
      const args = [plan, ...rest].map((a) => `${literal(JSON.stringify(a))}::jsonb`).join(', ');
      const [result] = asOwner(cagg, `_tessera_functions.${name}(${args})`);
      return result === undefined ? null : (JSON.parse(result) as unknown);
    },
  });

export const refresh_threshold = step(
  'refresh_threshold',
  'First step of a refresh: moves the invalidation threshold up to the end of the window and hands logged changes on.',
  [],
  (cagg, plan): RefreshPlan => {
    const all = dataIn(cagg, plan);
    const window = moveThreshold(cagg, windowIn(plan), all);
    if (window === null) {
      sayUpToDate(cagg);
      return { ...plan, end: null };
    }
    const data = all.known && ([all.known.start.toString(), all.known.end.toString()] as const);
    return { ...plan, end: window.end.toString(), data };
  },
);

/** Start, end, and whether it is the last. */
type Step = readonly [string, string, boolean];

const stepsOf = (batches: readonly Range[]): Step[] =>
  batches.map((b, i) => [b.start.toString(), b.end.toString(), i === batches.length - 1]);

export const refresh_batches = step(
  'refresh_batches',
  'Second step of a refresh: cuts what is stale in the window into batches and returns them in internal time; null when so little was stale that it has materialized it.',
  [],
  (cagg, plan): Step[] | null => {
    if (refreshedAtOnce(cagg, windowIn(plan), optionsIn(plan))) return null;
    const batches = planBatchesOf(cagg, windowIn(plan), optionsIn(plan), dataIn(cagg, plan));
    if (batches.length === 0) sayUpToDate(cagg);
    return stepsOf(batches.slice(0, plan.most ?? batches.length));
  },
);

export const refresh_batch = step(
  'refresh_batch',
  'Third step of a refresh, for each batch: materializes it. True when nothing of the refresh is left.',
  [{ name: 'batch', type: 'jsonb', doc: 'one of those refresh_batches() returned' }],
  (cagg, plan, ...rest): boolean => {
    const [[start, end, last]] = rest as unknown as [Step];
    runBatch(cagg, { start: BigInt(start), end: BigInt(end) }, plan.force);
    if (!last || (plan.most === null && leftToOthers(cagg, windowIn(plan)).length > 0)) return false;
    endRefresh(cagg);
    return true;
  },
);

export const refresh_rest = step(
  'refresh_rest',
  'Fourth step of a refresh: what is left of the window to those who refresh parts of it, as batches.',
  [],
  (cagg, plan): Step[] => (plan.most === null ? stepsOf(leftToOthers(cagg, windowIn(plan))) : []),
);

export const refresh_end = step(
  'refresh_end',
  'Last step of a refresh: it is under way no longer.',
  [],
  (cagg): boolean => {
    endRefresh(cagg);
    return true;
  },
);
