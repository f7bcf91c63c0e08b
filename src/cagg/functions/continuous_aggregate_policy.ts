import { checkTimezone, registerPolicy } from '../../jobs/index.ts';
import { oidOf, removePolicy, type Config } from '../../hypertable/index.ts';
import { notice } from '../../engine/spi.ts';
import { displayed } from '../../lib/quote.ts';
import { formatInternal } from '../../lib/internal-time.ts';
import { defineFunction, returnsScalar, returnsVoid } from '../../udf/define-function.ts';
import { matHypertable, openOwnCagg } from '../query/cagg.ts';
import { leftovers } from '../refresh/materialize.ts';
import { addPolicyOf, caggOfConfig, policyWindow, PROC, TITLE, type PolicyOptions } from '../refresh/refresh-policy.ts';
import { optionsOf, wholeBuckets } from '../refresh/refresh.ts';
import { planOf, type RefreshPlan } from './refresh.ts';

export const add_continuous_aggregate_policy = defineFunction({
  schema: '_tessera_functions',
  name: 'add_continuous_aggregate_policy',
  args: [
    { name: 'continuous_aggregate', type: 'bigint', doc: 'OID of the view' },
    { name: 'options', type: 'jsonb', doc: 'the other arguments of add_continuous_aggregate_policy() by name' },
  ],
  returns: returnsScalar('integer'),
  volatility: 'volatile',
  summary: 'Registers a policy that refreshes; the work behind add_continuous_aggregate_policy().',
  privileges: 'owner of the continuous aggregate, who must be able to log in',
  handler: (oid: bigint | null, o: PolicyOptions): number => {
    if (o.timezone != null) checkTimezone(o.timezone);
    return addPolicyOf(openOwnCagg(oid), o);
  },
});

export const remove_continuous_aggregate_policy = defineFunction({
  schema: 'api',
  name: 'remove_continuous_aggregate_policy',
  args: [
    { name: 'continuous_aggregate', type: 'regclass', doc: 'its view' },
    { name: 'if_not_exists', type: 'boolean', default: 'false', doc: 'an older name of if_exists' },
    { name: 'if_exists', type: 'boolean', default: 'null', doc: 'a NOTICE instead of an error when there is none' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Removes the job that refreshes a continuous aggregate, with its statistics.',
  errors: '0A000 no continuous aggregate, 42704 no such policy, 42501 not the owner',
  privileges: 'owner of the continuous aggregate',
  handler: (view: string | null, ifNotExists: boolean | null, ifExists: boolean | null): void =>
    removePolicy(matHypertable(openOwnCagg(oidOf(view))), PROC, TITLE, ifExists ?? ifNotExists === true),
});

const ownOptions = (config: Config) => {
  const { buckets_per_batch, max_batches_per_execution, refresh_newest_first } = config ?? {};
  return optionsOf({ buckets_per_batch, max_batches_per_execution, refresh_newest_first }, false);
};

/** Null when there is no whole bucket in the window at present. */
const planNow = (config: Config): RefreshPlan | null => {
  const cagg = caggOfConfig(config);
  const { options, mostBatches } = ownOptions(config);
  const window = wholeBuckets(cagg, policyWindow(cagg, config));
  if (window !== null) return planOf(cagg, window, options, mostBatches);
  notice(`no whole bucket of continuous aggregate "${displayed(cagg.view)}" is in the window of the policy`);
  return null;
};

export const policy_refresh_plan = defineFunction({
  schema: '_tessera_functions',
  name: 'policy_refresh_plan',
  args: [{ name: 'config', type: 'jsonb', doc: 'configuration of the policy' }],
  returns: returnsScalar('jsonb'),
  volatility: 'volatile',
  summary: 'What the job of a continuous aggregate would refresh now, for the steps of a refresh; null for nothing.',
  privileges: 'owner of the continuous aggregate',
  handler: planNow,
});

export const policy_refresh_continuous_aggregate_check = defineFunction({
  schema: '_tessera_functions',
  name: 'policy_refresh_continuous_aggregate_check',
  args: [{ name: 'config', type: 'jsonb', doc: 'configuration of the policy' }],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Raises an error when the job of a continuous aggregate could not work with the configuration.',
  privileges: 'owner of the continuous aggregate',
  handler: (config: Config): void => {
    policyWindow(caggOfConfig(config), config);
    ownOptions(config);
  },
});

registerPolicy({
  proc: PROC,
  title: TITLE,
  plan: (job) => {
    const cagg = caggOfConfig(job.config);
    const plan = planNow(job.config);
    const stale =
      plan === null ? [] : leftovers(cagg, { start: BigInt(plan.start), end: BigInt(plan.end ?? plan.start) });
    if (stale.length === 0)
      return [{ hypertable: cagg.matOid, action: null, object: null, reason: 'nothing in its window is stale' }];
    return stale.map((r) => ({
      hypertable: cagg.matOid,
      action: 'refresh',
      object: displayed(cagg.view),
      reason: `stale from ${formatInternal(r.start, cagg.timeType)} to ${formatInternal(r.end, cagg.timeType)}`,
    }));
  },
});
