import { callAs, currentUser } from '../../engine/session.ts';
import { log, notice, one } from '../../engine/spi.ts';
import { isIntegerTime } from '../../lib/internal-time.ts';
import { literal } from '../../lib/quote.ts';
import { defineFunction, returnsScalar, returnsVoid } from '../../udf/define-function.ts';
import { checkTimezone } from '../../jobs/index.ts';
import { addPolicy, removePolicy } from '../policy/add-policy.ts';
import { dropChunks } from '../chunk/drop-chunks.ts';
import { timeDimension } from '../dimension/dimensions.ts';
import { keepNeedsDropAfter, oneAgeNeeded } from '../policy/failures.ts';
import { nullArgument } from '../../lib/failures.ts';
import { requireDroppable } from '../chunk/materializations.ts';
import { oidOf, openOwnHypertable, type OpenHypertable } from '../dimension/open-hypertable.ts';
import { cascadeOf, hypertableOf, retentionBounds, retentionPlan, type Config } from '../policy/policy-kinds.ts';
import { parseLag, requireReachable, requireReachableCreation, type Lag } from '../policy/policy-time.ts';

const TITLE = 'retention policy';

interface RetentionOptions {
  readonly relation: string | null;
  readonly drop_after: string | null;
  readonly type: string;
  readonly drop_created_before: string | null;
  readonly if_not_exists: boolean | null;
  readonly schedule_interval: string | null;
  readonly initial_start: string | null;
  readonly timezone: string | null;
  readonly cascade_to_materializations: boolean | null;
  /** Given by callers of the older name. */
  readonly cascade?: boolean | null;
  readonly name?: string;
}

/** Refuses what no run could do; an age counts from now, which for integers the user's function says at each run. */
const requireRunnable = (open: OpenHypertable, config: Config): void => {
  const { drop_after, drop_created_before } = config ?? {};
  if (drop_after == null) requireReachableCreation('drop_created_before', String(drop_created_before));
  else requireReachable(open.hypertable, 'drop_after', drop_after as Lag);
  const byTime = drop_after != null && cascadeOf(config) === false && runsAsOwner(open);
  requireDroppable(open, byTime ? retentionBounds(open.hypertable, config).older : null, cascadeOf(config));
};

const runsAsOwner = ({ hypertable, root }: OpenHypertable): boolean =>
  !isIntegerTime(timeDimension(hypertable).type) || root.owner === currentUser();

export const add_retention_policy = defineFunction({
  schema: '_tessera_functions',
  name: 'add_retention_policy',
  args: [{ name: 'options', type: 'jsonb', doc: 'the arguments of add_retention_policy() by name, as text' }],
  returns: returnsScalar('integer'),
  volatility: 'volatile',
  summary: 'Registers a retention policy; the work behind add_retention_policy() and add_drop_chunks_policy().',
  privileges: 'owner of the hypertable, who must be able to log in',
  handler: (o: RetentionOptions): number => {
    if (o.relation === null) throw nullArgument('relation');
    const open = openOwnHypertable(BigInt(o.relation));
    if ((o.drop_after === null) === (o.drop_created_before === null)) throw oneAgeNeeded();
    if (o.drop_after === null && o.cascade_to_materializations === false) throw keepNeedsDropAfter();
    if (o.timezone !== null) checkTimezone(o.timezone);
    const age =
      o.drop_after !== null
        ? { drop_after: parseLag(open.hypertable, 'drop_after', o.drop_after, o.type) }
        : { drop_created_before: o.drop_created_before };
    const config = {
      ...age,
      ...(o.cascade === true ? { cascade: true } : {}),
      // That of the older name says nothing where its caller said null, which is no default there.
      ...(o.cascade_to_materializations === null && o.name === undefined
        ? {}
        : { cascade_to_materializations: o.cascade_to_materializations }),
    };
    requireRunnable(open, config);
    return addPolicy(open, {
      title: TITLE,
      name: o.name ?? 'Retention Policy',
      job_type: 'drop_chunks',
      schedule_interval: o.schedule_interval ?? '1 day',
      max_runtime: '5 minutes',
      max_retries: -1,
      retry_period: '5 minutes',
      proc_name: 'policy_retention',
      check_schema: '_tessera_functions',
      check_name: 'policy_retention_check',
      initial_start: o.initial_start,
      timezone: o.timezone,
      ifNotExists: o.if_not_exists,
      config,
    });
  },
});

export const remove_retention_policy = defineFunction({
  schema: 'api',
  name: 'remove_retention_policy',
  args: [
    { name: 'relation', type: 'regclass', doc: 'the hypertable' },
    { name: 'if_exists', type: 'boolean', default: 'false', doc: 'a NOTICE instead of an error when there is none' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Removes the retention policy of a hypertable with its job and statistics.',
  errors: 'TS001 not a hypertable, 42704 no such policy, 42501 not the owner',
  privileges: 'owner of the hypertable',
  handler: (table: string | null, ifExists: boolean | null): void =>
    removePolicy(openOwnHypertable(oidOf(table)), 'policy_retention', TITLE, ifExists === true),
});

export const remove_drop_chunks_policy = defineFunction({
  ...remove_retention_policy,
  name: 'remove_drop_chunks_policy',
  args: [
    { name: 'hypertable', type: 'regclass', doc: 'the hypertable' },
    { name: 'if_exists', type: 'boolean', default: 'false', doc: 'a NOTICE instead of an error when there is none' },
  ],
  summary: 'The older name of remove_retention_policy().',
});

export const policy_retention = defineFunction({
  schema: '_tessera_functions',
  name: 'policy_retention',
  args: [
    { name: 'job_id', type: 'integer', doc: 'the job' },
    {
      name: 'config',
      type: 'jsonb',
      doc: 'hypertable_id, drop_after or drop_created_before, and cascade_to_materializations',
    },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'What the job of a retention policy runs: drops the chunks whose rows are all older than the policy keeps.',
  privileges: 'owner of the hypertable',
  locks: 'as drop_chunks()',
  handler: (jobId: number, config: Config): void => {
    const open = hypertableOf(config);
    if (open.root.owner !== currentUser()) {
      callAs(
        open.root.owner,
        open.hypertable.associated_schema_name,
        `_tessera_functions.policy_retention(${jobId}, ${literal(JSON.stringify(config))})`,
      );
      return;
    }
    const { chunks, results } = retentionPlan(open, config);
    if (chunks.length === 0) notice(`no chunk of hypertable "${open.hypertable.table_name}" is old enough to drop`);
    dropChunks(open, chunks, config?.cascade === true, (message) => log(`job ${jobId}: ${message}`), results);
  },
});

export const policy_retention_check = defineFunction({
  schema: '_tessera_functions',
  name: 'policy_retention_check',
  args: [{ name: 'config', type: 'jsonb', doc: 'configuration of a retention policy' }],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Raises an error when a retention policy could not work with the configuration.',
  privileges: 'owner of the hypertable',
  handler: (config: Config): void => {
    const open = hypertableOf(config);
    const { drop_after, drop_created_before } = config ?? {};
    if ((drop_after == null) === (drop_created_before == null)) throw oneAgeNeeded();
    if (drop_after == null && cascadeOf(config) === false) throw keepNeedsDropAfter();
    if (drop_after != null) parseLag(open.hypertable, 'drop_after', String(drop_after), 'text');
    else one('select $1::text::interval', [String(drop_created_before)]);
    requireRunnable(open, config);
  },
});
