import { request } from '../../catalog/catalog-writer.ts';
import { callAs, currentUser } from '../../engine/session.ts';
import { log, maybeOne, notice, one } from '../../engine/spi.ts';
import { isIntegerTime } from '../../lib/internal-time.ts';
import { displayed, literal } from '../../lib/quote.ts';
import { defineFunction, returnsScalar, returnsVoid } from '../../udf/define-function.ts';
import { checkTimezone, setNextStart } from '../../jobs/index.ts';
import { addPolicy, removePolicy } from '../policy/add-policy.ts';
import { timeDimension } from '../dimension/dimensions.ts';
import { badPolicyConfig, notIndexOf } from '../policy/failures.ts';
import { nullArgument } from '../../lib/failures.ts';
import { oidOf, openOwnHypertable, type OpenHypertable } from '../dimension/open-hypertable.ts';
import { hypertableOf, reorderQueue, type Config } from '../policy/policy-kinds.ts';
import { indexOfChunk, reorderChunk } from './rewrite_chunk.ts';

const TITLE = 'reorder policy';

/** The name of an index of the hypertable as SQL writes it. */
const findIndex = ({ hypertable, root }: OpenHypertable, index: string): string => {
  const found = maybeOne<{ name: string }>(
    `select i.indexrelid::regclass::text as name
     from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
     where i.indrelid = $1::int8::oid and c.relname = $2 and i.indpred is null and a.amname = 'btree'`,
    [root.oid, index],
  );
  if (found === undefined) throw notIndexOf(index, hypertable.table_name);
  return found.name;
};

const schedule = (open: OpenHypertable): string => {
  const time = timeDimension(open.hypertable);
  return isIntegerTime(time.type)
    ? '4 days'
    : one<{ text: string }>(`select ($1::int8 / 2 * interval '1 microsecond')::text as text`, [time.interval]).text;
};

export const add_reorder_policy = defineFunction({
  schema: '_tessera_functions',
  name: 'add_reorder_policy',
  args: [
    { name: 'relation', type: 'bigint', doc: 'OID of the hypertable' },
    { name: 'index_name', type: 'name', doc: 'one of its indexes' },
    { name: 'if_not_exists', type: 'boolean', doc: 'NOTICE or WARNING instead of an error when there is one' },
    { name: 'initial_start', type: 'text', doc: 'start of a fixed schedule' },
    { name: 'timezone', type: 'text', doc: 'its time zone' },
  ],
  returns: returnsScalar('integer'),
  volatility: 'volatile',
  summary: 'Registers a reorder policy; the work behind add_reorder_policy().',
  privileges: 'owner of the hypertable, who must be able to log in',
  handler: (
    oid: bigint | null,
    index: string | null,
    ifNotExists: boolean | null,
    initialStart: string | null,
    timezone: string | null,
  ): number => {
    const open = openOwnHypertable(oid);
    if (index === null) throw nullArgument('index_name');
    findIndex(open, index);
    if (timezone !== null) checkTimezone(timezone);
    return addPolicy(open, {
      title: TITLE,
      name: 'Reorder Policy',
      job_type: 'reorder',
      schedule_interval: schedule(open),
      max_retries: -1,
      retry_period: '5 minutes',
      proc_name: 'policy_reorder',
      check_schema: '_tessera_functions',
      check_name: 'policy_reorder_check',
      initial_start: initialStart,
      timezone,
      ifNotExists,
      config: { index_name: index },
    });
  },
});

export const remove_reorder_policy = defineFunction({
  schema: 'api',
  name: 'remove_reorder_policy',
  args: [
    { name: 'hypertable', type: 'regclass', doc: 'the hypertable' },
    { name: 'if_exists', type: 'boolean', default: 'false', doc: 'a NOTICE instead of an error when there is none' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Removes the reorder policy of a hypertable with its job and statistics.',
  errors: 'TS001 not a hypertable, 42704 no such policy, 42501 not the owner',
  privileges: 'owner of the hypertable',
  handler: (table: string | null, ifExists: boolean | null): void =>
    removePolicy(openOwnHypertable(oidOf(table)), 'policy_reorder', TITLE, ifExists === true),
});

const indexName = (config: Config): string => {
  if (typeof config?.index_name !== 'string') throw badPolicyConfig('It has no text under "index_name".');
  return config.index_name;
};

/** True when the job runs in this session by its schedule, not by run_job(). */
const runsHere = (jobId: number): boolean =>
  maybeOne('select from _tessera_catalog.bgw_job_stat where job_id = $1 and pid = pg_backend_pid()', [jobId]) !==
  undefined;

export const policy_reorder = defineFunction({
  schema: '_tessera_functions',
  name: 'policy_reorder',
  args: [
    { name: 'job_id', type: 'integer', doc: 'the job' },
    { name: 'config', type: 'jsonb', doc: 'hypertable_id, index_name' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary:
    'What the job of a reorder policy runs: reorders the oldest chunk it has not reordered yet, of those before the two newest slices, and starts again at once while there are more.',
  privileges: 'owner of the hypertable',
  locks: 'as reorder_chunk()',
  handler: (jobId: number, config: Config): void => {
    const open = hypertableOf(config);
    if (open.root.owner !== currentUser()) {
      callAs(
        open.root.owner,
        open.hypertable.associated_schema_name,
        `_tessera_functions.policy_reorder(${jobId}, ${literal(JSON.stringify(config))})`,
      );
      return;
    }
    const index = findIndex(open, indexName(config));
    const [next, ...later] = reorderQueue(jobId, open);
    if (next === undefined) {
      notice(`no chunk of hypertable "${open.hypertable.table_name}" is to be reordered`);
      return;
    }
    log(`job ${jobId}: reordering chunk ${displayed(next)}`);
    reorderChunk(next.oid, indexOfChunk(next.oid, index));
    request('job.note_chunk', { job_id: jobId, chunk_id: next.id });
    if (later.length > 0 && runsHere(jobId)) setNextStart(jobId, 'now');
  },
});

export const policy_reorder_check = defineFunction({
  schema: '_tessera_functions',
  name: 'policy_reorder_check',
  args: [{ name: 'config', type: 'jsonb', doc: 'configuration of a reorder policy' }],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Raises an error when a reorder policy could not work with the configuration.',
  privileges: 'owner of the hypertable',
  handler: (config: Config): void => {
    findIndex(hypertableOf(config), indexName(config));
  },
});
