/**
 * Capture of changes for continuous aggregates. Each table in which a hypertable has rows has triggers of its own: on the
 * root they could be no constraint triggers, which PostgreSQL refuses where a partition is a foreign table.
 */
import type { Hypertable } from '../../catalog/hypertable.ts';
import { request } from '../../catalog/catalog-writer.ts';
import { withLockRetry } from '../../engine/lock-retry.ts';
import { inMaintenance, withSettings } from '../../engine/session.ts';
import { hasSqlState, maybeOne, query, run, subtransaction } from '../../engine/spi.ts';
import { MINUS_INFINITY, PLUS_INFINITY } from '../../lib/internal-time.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { ident, qualified, type RelationName } from '../../lib/quote.ts';
import { installCompressed } from './capture-compressed.ts';
import { installTriggers } from './capture-install.ts';
import {
  captureDdl,
  captureKey,
  captureTriggers,
  captureUnit,
  rangeSettings,
  type CapturedTable,
} from './capture-ddl.ts';
import { timeDimension } from '../dimension/dimensions.ts';
import type { OpenHypertable } from '../dimension/open-hypertable.ts';
import { partNames } from '../table/partition-ddl.ts';
import { relationOid } from '../table/relation.ts';

const DEFAULT_PARTITION = 0;

const heapOf = (h: Hypertable, table: RelationName, chunkId: number): CapturedTable => {
  const time = timeDimension(h);
  return { table, hypertableId: h.id, chunkId, part: 'heap', column: time.column_name, type: time.type };
};

/** SET CONSTRAINTS sees triggers whatever the snapshot is, as the catalog itself does. */
const setConstraints = (h: Hypertable, key: string, mode: 'immediate' | 'deferred'): void => {
  const names = captureTriggers(key).map((name) => qualified({ schema: h.associated_schema_name, name }));
  run(`set constraints ${names.join(', ')} ${mode}`);
};

const hasTriggers = (h: Hypertable, key: string): boolean => {
  try {
    subtransaction(() => setConstraints(h, key, 'deferred'));
    return true;
  } catch (e) {
    if (hasSqlState(e, SQLSTATE.undefinedObject)) return false;
    throw e;
  }
};

/** Whether changes of the hypertable are captured. */
export const isCaptured = (h: Hypertable): boolean =>
  maybeOne('select from _tessera_catalog.continuous_aggs_invalidation_threshold where hypertable_id = $1', [h.id]) !==
    undefined ||
  // An old snapshot does not see what others enabled meanwhile.
  (maybeOne(`select where current_setting('transaction_isolation') !~ '^read'`) !== undefined &&
    hasTriggers(h, captureKey({ hypertableId: h.id, chunkId: DEFAULT_PARTITION, part: 'heap' })));

const install = (captured: CapturedTable): void =>
  installTriggers(captured, ['insert', 'update', 'delete', 'truncate'], captureDdl(captured));

/**
 * Gives tables that hold, or will hold, rows of chunks the triggers that a captured hypertable needs there. Whether it is one is
 * asked once: there may be a thousand.
 */
export const captureHeaps = (
  h: Hypertable,
  chunks: readonly { readonly id: number; readonly name: RelationName }[],
): void => {
  if (isCaptured(h)) for (const { id, name } of chunks) install(heapOf(h, name, id));
};

export const captureHeap = (h: Hypertable, name: RelationName, id: number): void => captureHeaps(h, [{ id, name }]);

/** Runs the body, which moves rows out of or into the heap of a chunk, with all of time noted already. */
export const withoutCapture = (h: Hypertable, chunkId: number, body: () => void): void => {
  const { low, high } = rangeSettings(captureKey({ hypertableId: h.id, chunkId, part: 'heap' }));
  const { type } = timeDimension(h);
  const [from, to] =
    type === 'date'
      ? ['-2440588', '2145042905']
      : type === 'timestamp' || type === 'timestamptz'
        ? ['-10000000000000', '10000000000001']
        : ['-9223372036854775808', '9223372036854775807'];
  withSettings({ [low]: from, [high]: to }, body);
};

interface HeapRow extends RelationName {
  readonly chunkId: number;
}

/** Heaps of chunks; a compressed one has its tail. */
const chunkHeaps = (h: Hypertable): HeapRow[] =>
  query<HeapRow>(
    `select c.id as "chunkId", n.nspname as schema, r.relname as name
     from _tessera_catalog.chunk c left join _tessera_catalog.compressed_chunk k on k.chunk_id = c.id
     join pg_class r on r.oid = coalesce(k.tail, c.relid) join pg_namespace n on n.oid = r.relnamespace
     where c.hypertable_id = $1 and not c.dropped order by c.id`,
    [h.id],
  );

/**
 * Has what a transaction noted of chunks, or of all, logged now. A table with deferred triggers to fire can be neither
 * dropped nor altered by the same transaction.
 */
export const flushCapture = (h: Hypertable, chunks: readonly number[] | 'all'): void => {
  if (!isCaptured(h)) return;
  const all = (): number[] => [DEFAULT_PARTITION, ...chunkHeaps(h).map((heap) => heap.chunkId)];
  for (const chunkId of chunks === 'all' ? all() : chunks) {
    const key = captureKey({ hypertableId: h.id, chunkId, part: 'heap' });
    if (!hasTriggers(h, key)) continue;
    setConstraints(h, key, 'immediate');
    setConstraints(h, key, 'deferred');
  }
};

/** Logs that any row may have changed. */
export const logEverything = ({ hypertable }: OpenHypertable): void => {
  request('log_range', {
    hypertable_id: hypertable.id,
    unit: captureUnit(timeDimension(hypertable).type),
    lowest: MINUS_INFINITY,
    highest: PLUS_INFINITY,
  });
};

/** Gives the compressed chunks of a captured hypertable what they need beside the heaps. */
export const captureCompressed = (h: Hypertable): void => {
  if (isCaptured(h)) installCompressed(h);
};

/**
 * Logs changes of the hypertable from now on. Waits for writers, and keeps new ones out until the triggers are there.
 * `step` is the smallest bucket anybody aggregates by, in internal time.
 */
export const enableCapture = (open: OpenHypertable, step: bigint): void => {
  const { hypertable, root } = open;
  const waiting = partNames(hypertable).defaultPartition;
  inMaintenance(() =>
    withLockRetry(() => {
      run(`lock table only ${qualified(root)} in share row exclusive mode`);
      run(`lock table only ${qualified(waiting)} in share row exclusive mode`);
      run(`lock table ${qualified(root)} in share row exclusive mode`);
      request('enable_capture', { hypertable_id: hypertable.id, step });
      install(heapOf(hypertable, waiting, DEFAULT_PARTITION));
      for (const heap of chunkHeaps(hypertable)) install(heapOf(hypertable, heap, heap.chunkId));
      installCompressed(hypertable);
    }),
  );
};

/** Logs changes no longer, and forgets those that were. Attempts at its locks are up to the caller. */
export const removeCapture = (open: OpenHypertable): void => {
  const { hypertable, root } = open;
  inMaintenance(() => {
    run(`lock table only ${qualified(root)} in share row exclusive mode`);
    request('disable_capture', { hypertable_id: hypertable.id });
    for (const { schema, table, name } of query<{ schema: string; table: string; name: string }>(
      `select n.nspname as schema, c.relname as table, t.tgname as name
         from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
         where starts_with(t.tgname, $2) and not t.tgisinternal and t.tgrelid in (
           select relid from pg_partition_tree($1::int8::oid::regclass)
           union all
           select x.relation
           from _tessera_catalog.compressed_chunk k join _tessera_catalog.chunk p on p.id = k.chunk_id
           join _tessera_catalog.hypertable h on h.id = p.hypertable_id
           join _tessera_catalog.compression_settings s on s.chunk_id = k.chunk_id,
             lateral (values (k.residue), (s.compress_relid)) x(relation)
           where h.relid = $1::int8::oid)
         order by c.oid, t.tgname`,
      [root.oid, `tessera_capture_${hypertable.id}_`],
    ))
      run(`drop trigger ${ident(name)} on ${qualified({ schema, name: table })}`);
    const { noted } = partNames(hypertable);
    if (relationOid(noted.schema, noted.name) !== undefined) run(`drop foreign table ${qualified(noted)}`);
  });
};

export const disableCapture = (open: OpenHypertable): void => withLockRetry(() => removeCapture(open));
