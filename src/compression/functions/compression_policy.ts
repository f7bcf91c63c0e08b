import { one } from '../../engine/spi.ts';
import { checkTimezone, registerPolicy } from '../../jobs/index.ts';
import { isIntegerTime } from '../../lib/internal-time.ts';
import { displayed } from '../../lib/quote.ts';
import {
  addPolicy,
  hypertableOf,
  oidOf,
  openOwnHypertable,
  parseLag,
  removePolicy,
  requireReachable,
  requireReachableCreation,
  timeDimension,
  type Config,
  type Lag,
  type OpenHypertable,
} from '../../hypertable/index.ts';
import { defineFunction, returnsScalar, returnsTable, returnsVoid } from '../../udf/define-function.ts';
import { checkOptions, chunksToCompress, findPolicyOf, type PlannedChunk } from '../chunk/compression-policy.ts';
import { oneAgeNeeded } from '../chunk/failures.ts';
import { nullChunk } from '../segment/failures.ts';
import { requireSettings } from '../segment/open-chunk.ts';

const TITLE = 'compression policy';

interface CompressionOptions {
  readonly relation: string | null;
  readonly compress_after: string | null;
  readonly type: string;
  readonly compress_created_before: string | null;
  readonly if_not_exists: boolean | null;
  readonly schedule_interval: string | null;
  readonly initial_start: string | null;
  readonly timezone: string | null;
  /** Given by callers of the older name. */
  readonly name?: string;
}

/** Refuses an age that no chunk can have: each run would fail. */
const requireRunnable = ({ hypertable }: OpenHypertable, config: Config): void => {
  const { compress_after, compress_created_before } = config ?? {};
  if (compress_after == null) requireReachableCreation('compress_created_before', String(compress_created_before));
  else requireReachable(hypertable, 'compress_after', compress_after as Lag);
};

const schedule = ({ hypertable }: OpenHypertable): string => {
  const time = timeDimension(hypertable);
  return isIntegerTime(time.type)
    ? '1 day'
    : one<{ text: string }>(
        `select least($1::int8 / 2 * interval '1 microsecond', interval '12 hours')::text as text`,
        [time.interval],
      ).text;
};

export const add_compression_policy = defineFunction({
  schema: '_tessera_functions',
  name: 'add_compression_policy',
  args: [{ name: 'options', type: 'jsonb', doc: 'the arguments of add_compression_policy() by name, as text' }],
  returns: returnsScalar('integer'),
  volatility: 'volatile',
  summary: 'Registers a compression policy; the work behind add_compression_policy() and its other names.',
  privileges: 'owner of the hypertable, who must be able to log in',
  handler: (o: CompressionOptions): number => {
    if (o.relation === null) throw nullChunk('hypertable');
    const open = openOwnHypertable(BigInt(o.relation));
    requireSettings(open.hypertable, open.root);
    if ((o.compress_after === null) === (o.compress_created_before === null)) throw oneAgeNeeded();
    if (o.timezone !== null) checkTimezone(o.timezone);
    const config =
      o.compress_after !== null
        ? { compress_after: parseLag(open.hypertable, 'compress_after', o.compress_after, o.type) }
        : { compress_created_before: o.compress_created_before };
    requireRunnable(open, config);
    return addPolicy(open, {
      title: TITLE,
      name: o.name ?? 'Columnstore Policy',
      job_type: 'compress_chunks',
      schedule_interval: o.schedule_interval ?? schedule(open),
      max_retries: -1,
      retry_period: '1 hour',
      proc_name: 'policy_compression',
      check_schema: '_tessera_functions',
      check_name: 'policy_compression_check',
      initial_start: o.initial_start,
      timezone: o.timezone,
      ifNotExists: o.if_not_exists,
      config,
    });
  },
});

export const remove_compression_policy = defineFunction({
  schema: 'api',
  name: 'remove_compression_policy',
  args: [
    { name: 'hypertable', type: 'regclass', doc: 'the hypertable' },
    { name: 'if_exists', type: 'boolean', default: 'false', doc: 'a NOTICE instead of an error when there is none' },
  ],
  returns: returnsScalar('boolean'),
  volatility: 'volatile',
  summary:
    'Removes the compression policy of a hypertable with its job and statistics; false when there was none. Chunks stay as they are.',
  errors: 'TS001 not a hypertable, 42704 no such policy, 42501 not the owner',
  privileges: 'owner of the hypertable',
  handler: (table: string | null, ifExists: boolean | null): boolean => {
    const open = openOwnHypertable(oidOf(table));
    const existed = findPolicyOf(open);
    removePolicy(open, 'policy_compression', TITLE, ifExists === true);
    return existed;
  },
});

export const remove_compress_chunks_policy = defineFunction({
  ...remove_compression_policy,
  name: 'remove_compress_chunks_policy',
  summary: 'The older name of remove_compression_policy().',
});

export const chunks_to_compress = defineFunction({
  schema: '_tessera_functions',
  name: 'chunks_to_compress',
  args: [{ name: 'config', type: 'jsonb', doc: 'configuration of a compression policy' }],
  returns: returnsTable(
    { name: 'chunk', type: 'bigint' },
    { name: 'name', type: 'text' },
    { name: 'action', type: 'text' },
  ),
  volatility: 'volatile',
  summary: 'The chunks a compression policy would compress or recompress now, oldest first.',
  privileges: 'owner of the hypertable',
  handler: (config: Config): { chunk: bigint; name: string; action: string }[] =>
    chunksToCompress(hypertableOf(config), config).map((c) => ({
      chunk: c.oid,
      name: displayed(c),
      action: c.action,
    })),
});

export const policy_compression_check = defineFunction({
  schema: '_tessera_functions',
  name: 'policy_compression_check',
  args: [{ name: 'config', type: 'jsonb', doc: 'configuration of a compression policy' }],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Raises an error when a compression policy could not work with the configuration.',
  privileges: 'owner of the hypertable',
  handler: (config: Config): void => {
    const open = hypertableOf(config);
    requireSettings(open.hypertable, open.root);
    const { compress_after, compress_created_before } = config ?? {};
    if ((compress_after == null) === (compress_created_before == null)) throw oneAgeNeeded();
    if (compress_after != null) parseLag(open.hypertable, 'compress_after', String(compress_after), 'text');
    else one('select $1::text::interval', [String(compress_created_before)]);
    requireRunnable(open, config);
    checkOptions(config);
  },
});

const REASONS: Readonly<Record<PlannedChunk['action'], string>> = {
  compress: 'all its rows are old enough',
  recompress: 'rows were written to it after it was compressed',
};

registerPolicy({
  proc: 'policy_compression',
  title: TITLE,
  plan: (job) => {
    const open = hypertableOf(job.config);
    const chunks = chunksToCompress(open, job.config);
    if (chunks.length === 0)
      return [
        { hypertable: open.root.oid, action: null, object: null, reason: 'no chunk is old enough and uncompressed' },
      ];
    return chunks.map((c) => ({
      hypertable: open.root.oid,
      action: `${c.action} chunk`,
      object: displayed(c),
      reason: REASONS[c.action],
    }));
  },
});
