/** What drop_chunks() calls, by name, where the hypertable has continuous aggregates. */
import { requireReadCommitted } from '../../engine/isolation.ts';
import { query } from '../../engine/spi.ts';
import { MINUS_INFINITY, PLUS_INFINITY, type Range } from '../../lib/internal-time.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { findCaggById, type Cagg } from '../query/cagg.ts';
import {
  deleteBuckets,
  dropMaterialized,
  materializeBuckets,
  materializeDropped,
  processCagg,
  processInvalidations,
  requireKeepable,
  requireMaterialized,
} from '../refresh/drop-chunks.ts';
import { notCagg, notCaggOwner } from '../query/failures.ts';

const HYPERTABLE = { name: 'hypertable_id', type: 'integer', doc: 'the raw hypertable' } as const;
const BEFORE = { name: 'before', type: 'bigint', doc: 'internal time before which chunks are dropped' } as const;
const CAGG = { name: 'cagg', type: 'integer', doc: 'id of the materialization hypertable' } as const;
const RANGES = { name: 'ranges', type: 'int8multirange', doc: 'internal times whose rows are dropped' } as const;
const PARTS = { name: 'parts', type: 'jsonb', doc: 'pairs of start and end in internal time, as text' } as const;
const DROPPING = 'drop chunks of a hypertable with continuous aggregates';

/** Such a step has the rights of the owner. */
const ownCagg = (id: number): Cagg => {
  const cagg = findCaggById(id);
  if (cagg === undefined) throw notCagg(`materialization ${id}`);
  if (!cagg.runByOwner) throw notCaggOwner(cagg.name);
  return cagg;
};

type Pairs = readonly (readonly [string, string])[];
const partsOf = (parts: Pairs): Range[] => parts.map(([start, end]) => ({ start: BigInt(start), end: BigInt(end) }));
const rangesOf = (ranges: string): Range[] =>
  query<Range>(
    `select coalesce(lower(r), ${MINUS_INFINITY}) as start, coalesce(upper(r), ${PLUS_INFINITY}) as end
     from unnest($1::text::int8multirange) r`,
    [ranges],
  );

export const require_keepable = defineFunction({
  schema: '_tessera_functions',
  name: 'require_keepable',
  args: [HYPERTABLE, BEFORE],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Raises 22023 where later changes of rows before some time would count for a continuous aggregate.',
  privileges: 'anybody',
  handler: (hypertableId: number, before: bigint): void => requireKeepable(hypertableId, before),
});

export const require_materialized = defineFunction({
  schema: '_tessera_functions',
  name: 'require_materialized',
  args: [HYPERTABLE, BEFORE],
  returns: returnsVoid,
  volatility: 'volatile',
  summary:
    'Raises 22023 unless continuous aggregates can keep their results of rows before some time when these are dropped.',
  privileges: 'anybody',
  handler: (hypertableId: number, before: bigint): void => requireMaterialized(hypertableId, before),
});

export const process_invalidations = defineFunction({
  schema: '_tessera_functions',
  name: 'process_invalidations',
  args: [HYPERTABLE, BEFORE],
  returns: returnsVoid,
  volatility: 'volatile',
  summary:
    'Refreshes what changed before some time in every continuous aggregate of a hypertable, in this transaction.',
  errors: '25001 not READ COMMITTED, 42501 there are changes in one of somebody else',
  privileges: 'owner of the continuous aggregates that changed',
  locks: 'advisory locks of the parts it materializes; the caller must keep writers of the chunks out',
  handler: (hypertableId: number, before: bigint): void => {
    requireReadCommitted(DROPPING);
    processInvalidations(hypertableId, before);
  },
});

export const process_cagg = defineFunction({
  schema: '_tessera_functions',
  name: 'process_cagg',
  args: [CAGG, BEFORE],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'process_invalidations() for one continuous aggregate.',
  privileges: 'its owner himself',
  handler: (id: number, before: bigint): void => processCagg(ownCagg(id), before),
});

export const materialize_dropped = defineFunction({
  schema: '_tessera_functions',
  name: 'materialize_dropped',
  args: [HYPERTABLE, RANGES, { name: 'ahead', type: 'boolean', doc: 'what was never materialized as well' }],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Refreshes what is stale of some times in every continuous aggregate of a hypertable, in this transaction.',
  errors: '25001 not READ COMMITTED, 42501 there is something in one of somebody else',
  privileges: 'owner of the continuous aggregates with something stale there',
  locks: 'advisory locks of the parts it materializes; the caller must keep writers of the chunks out',
  handler: (hypertableId: number, ranges: string, ahead: boolean): void => {
    requireReadCommitted(DROPPING);
    materializeDropped(hypertableId, rangesOf(ranges), ahead);
  },
});

export const materialize_buckets = defineFunction({
  schema: '_tessera_functions',
  name: 'materialize_buckets',
  args: [CAGG, PARTS],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'materialize_dropped() for one continuous aggregate.',
  privileges: 'its owner himself',
  handler: (id: number, parts: Pairs): void => materializeBuckets(ownCagg(id), partsOf(parts)),
});

export const drop_materialized = defineFunction({
  schema: '_tessera_functions',
  name: 'drop_materialized',
  args: [HYPERTABLE, RANGES],
  returns: returnsVoid,
  volatility: 'volatile',
  summary:
    'Deletes what every continuous aggregate of a hypertable has of some times, and has it computed again where a bucket is not wholly inside.',
  errors: '25001 not READ COMMITTED, 42501 not the owner',
  privileges: 'owner of the hypertable; where he may not change the results, all of it is computed again instead',
  locks: 'ROW EXCLUSIVE on the results; the caller must keep refreshes out by a lock on the hypertable',
  handler: (hypertableId: number, ranges: string): void => {
    requireReadCommitted(DROPPING);
    dropMaterialized(hypertableId, rangesOf(ranges));
  },
});

export const delete_buckets = defineFunction({
  schema: '_tessera_functions',
  name: 'delete_buckets',
  args: [CAGG, PARTS],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Deletes results of a continuous aggregate.',
  privileges: 'its owner himself',
  handler: (id: number, parts: Pairs): void => deleteBuckets(ownCagg(id), partsOf(parts)),
});
