import { request } from '../../catalog/catalog-writer.ts';
import { withLockRetry } from '../../engine/lock-retry.ts';
import { inMaintenance, withSettings } from '../../engine/session.ts';
import { maybeOne, one, run } from '../../engine/spi.ts';
import {
  assignTriggerDdl,
  captureCompressed,
  chunkKeys,
  clearTriggerDdl,
  copyGrants,
  createListChunk,
  findRelation,
  flushCapture,
  internalSql,
  keyColumns,
  partNames,
  relationOid,
  storedColumns,
  truncateTriggerDdl,
  timeDimension,
  watchIfResults,
  withoutCapture,
} from '../../hypertable/index.ts';
import { displayed, ident, identList, literal, qualified, type RelationName } from '../../lib/quote.ts';
import { changedMeanwhile, notValidated } from './failures.ts';
import { FOR_TEXT } from '../segment/column-codec.ts';
import { keyFunctionDdl, keyTriggerDdl, type GuardedKey } from './key-guard.ts';
import { modifyFunctionDdl, modifyTriggerDdl } from './modify-guard.ts';
import { makeReaders } from './make-readers.ts';
import { chunkParts, rangeOf, shapeOf, type ChunkParts, type OpenChunk } from '../segment/open-chunk.ts';
import {
  createRemote,
  createResidue,
  createRowsView,
  createSegmentIndexes,
  createSegments,
  insertCounted,
  sideOf,
  TAIL_SIDE,
  type SegmentsShape,
} from '../segment/segments-ddl.ts';
import { readerDdl } from '../segment/reader-ddl.ts';
import type { CompressionSettings } from '../settings/settings-plan.ts';
import { planSlices, type RowSpread } from '../segment/slice-plan.ts';

const DAY = 86_400_000_000n;

/** Under these the rows reach the codecs in their order, and as text that any session reads back as it was. */
export const encoding = <T>(body: () => T): T =>
  withSettings(
    {
      ...FOR_TEXT,
      enable_hashagg: 'off',
      max_parallel_workers_per_gather: '0',
      jit: 'off',
      work_mem: one<{ kb: string }>(
        `select greatest(setting::int8, (select setting::int8 from pg_settings where name = 'maintenance_work_mem'))::text as kb
         from pg_settings where name = 'work_mem'`,
      ).kb,
    },
    body,
  );

const spreadOf = (chunk: OpenChunk, settings: CompressionSettings): RowSpread => {
  const time = timeDimension(chunk.hypertable);
  const column = ident(time.column_name);
  const by = settings.segmentBy.map(ident);
  const row = one<{ rows: bigint; groups: bigint; first: bigint | null; last: bigint | null }>(
    `select coalesce(sum(n), 0)::int8 as rows, count(*) as groups, ${internalSql('min(a)', time.type)} as first,
       ${internalSql('max(b)', time.type)} as last
     from (select count(*) as n, min(${column}) as a, max(${column}) as b from only ${qualified(chunk.relation)}
       ${by.length === 0 ? 'having count(*) > 0' : `group by ${by.join(', ')}`}) g`,
  );
  return {
    rows: row.rows,
    groups: row.groups,
    first: row.first ?? 0n,
    last: row.last ?? 0n,
    unit: time.type === 'date' ? DAY : 1n,
  };
};

interface Sizes {
  readonly heap: bigint;
  readonly toast: bigint;
  readonly index: bigint;
}

export const sizesOf = (table: RelationName): Sizes =>
  one<Sizes>(
    `select pg_relation_size(c.oid) as heap, coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0) as toast,
       pg_indexes_size(c.oid) as index
     from pg_class c where c.oid = $1::regclass`,
    [qualified(table)],
  );

const oidOf = (name: RelationName): bigint => {
  const oid = relationOid(name.schema, name.name);
  if (oid === undefined) throw new Error(`${qualified(name)} was not created`);
  return oid;
};

interface Loopback {
  readonly server: string;
  readonly login: string;
  readonly member: boolean;
}

export const loopbackOf = (chunk: OpenChunk): Loopback => request<Loopback>('loopback', { relid: chunk.root.oid });

/**
 * By rights of its own the login reads and writes on where it could not be made a member of the owner, or where REASSIGN OWNED, of
 * which no event trigger hears, has made another role the owner. What logged in for an owner before him loses its rights.
 */
export const letLogin = (chunk: OpenChunk, parts: ChunkParts): void => {
  const { login, member } = loopbackOf(chunk);
  const { sequence, grants, former } = one<{ sequence: string; grants: boolean; former: string[] }>(
    `select pg_get_serial_sequence($1, '_ts_meta_id') as sequence,
       not has_schema_privilege($2, n.oid, 'USAGE') and (not $3 or has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION')) as grants,
       array(select distinct r.rolname::text from aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
         where r.rolname ~ '^tessera_loopback_\\d+_\\d+$' and r.rolname <> $2) as former
     from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1::regclass`,
    [qualified(parts.segments), login, member],
  );
  const tables = [parts.segments, parts.residue, parts.view, parts.tail].map(qualified).join(', ');
  for (const role of former) {
    run(`revoke all on ${tables} from ${ident(role)}`);
    run(`revoke all on sequence ${sequence} from ${ident(role)}`);
  }
  const to = `to ${ident(login)}`;
  if (grants) run(`grant usage on schema ${ident(parts.segments.schema)} ${to}`);
  run(`grant select, update on ${qualified(parts.segments)} ${to}`);
  run(`grant select, insert, update on ${qualified(parts.residue)} ${to}`);
  run(`grant select, update, delete on ${qualified(parts.view)} ${to}`);
  run(`grant select on ${qualified(parts.tail)} ${to}`);
  run(`grant usage on sequence ${sequence} ${to}`);
};

const guardedKeys = (chunk: OpenChunk, parts: ChunkParts): GuardedKey[] =>
  chunkKeys(chunk.hypertable.id)
    .filter((k) => k.kind !== 'f')
    .map((k) => ({ name: k.name, columns: keyColumns(parts.tail, k) }));

/** How rows of the view are changed; the chunk must be in its place by now, since its bounds are checked. */
export const letModify = (chunk: OpenChunk, parts: ChunkParts): void => {
  const { inside } = one<{ inside: string }>(`select pg_get_partition_constraintdef($1::regclass) as inside`, [
    qualified(chunk.relation),
  ]);
  run(
    modifyFunctionDdl(parts, {
      chunkId: chunk.id,
      chunk: displayed(chunk.relation),
      columns: storedColumns(chunk.root.oid),
      keys: guardedKeys(chunk, parts),
      inside,
    }),
  );
  run(modifyTriggerDdl(parts));
  letLogin(chunk, parts);
};

/** A row that goes into the tail must not have the key of a compressed one. */
export const guardKeys = (chunk: OpenChunk, parts: ChunkParts, shape: SegmentsShape): void => {
  const keys = guardedKeys(chunk, parts);
  if (keys.length === 0) return;
  const names = partNames(chunk.hypertable);
  run(keyFunctionDdl(parts, chunk.id, names, shape, storedColumns(chunk.root.oid), keys));
  for (const ddl of keyTriggerDdl(parts, chunk.id)) run(ddl);
  for (const table of [chunk.relation, parts.tail]) run(clearTriggerDdl(table, names));
};

/**
 * What happened to the heap since it was read: rows the snapshot did not see are kept, for the tail. If one is missing
 * that it did see, the segments hold what was deleted or updated meanwhile.
 */
const keepLateRows = (chunk: OpenChunk, heap: RelationName, tail: RelationName, read: Read): (() => void) => {
  const snapshot = `${literal(read.snapshot)}::pg_snapshot`;
  // Asked once for each transaction that wrote rows. Nearly all are older than any that ran then, which is told
  // cheaply; what is in progress is our own.
  const writers = `(select w.x, w.n, case
        when age(w.x) > (select age(pg_snapshot_xmin(${snapshot})::xid)) then true
        when pg_visible_in_snapshot(_tessera_functions.whole_xid(w.x), ${snapshot}) then true
        else pg_xact_status(_tessera_functions.whole_xid(w.x)) = 'in progress' end as seen
      from (select h.xmin as x, count(*) as n from only ${qualified(heap)} h group by h.xmin) w) w`;
  const found = one<{ old: bigint; late: bigint }>(
    `select coalesce(sum(n) filter (where seen), 0)::int8 as old, coalesce(sum(n) filter (where not seen), 0)::int8 as late
     from ${writers}`,
  );
  if (found.old !== read.rows) throw changedMeanwhile(displayed(chunk.relation));
  if (found.late === 0n) return () => undefined;
  const columns = identList(storedColumns(chunk.root.oid));
  run(
    `create temporary table tessera_late as select ${columns} from only ${qualified(heap)} h
     where h.xmin = any(array(select x from ${writers} where not seen))`,
  );
  return () => {
    run(
      `insert into ${qualified(tail)} (${columns}) overriding system value select ${columns} from pg_temp.tessera_late`,
    );
    run('drop table pg_temp.tessera_late');
  };
};

/** The heap steps aside as the tail; a partitioned table of its name takes it and the foreign table in. */
const swap = (chunk: OpenChunk, parts: ChunkParts, shape: SegmentsShape, server: string, read: Read): void => {
  const { relation, parent, hypertable } = chunk;
  withLockRetry(() => {
    request('lock_read_view', { hypertable_id: hypertable.id });
    run(`lock table only ${qualified(chunk.root)} in access exclusive mode`);
    run(`lock table only ${qualified(parent)} in access exclusive mode`);
    run(`lock table only ${qualified(partNames(hypertable).defaultPartition)} in access exclusive mode`);
    run(`lock table only ${qualified(relation)} in access exclusive mode`);
    const putBack = keepLateRows(chunk, relation, parts.tail, read);
    run(`alter table ${qualified(parent)} detach partition ${qualified(relation)}`);
    run(`alter table ${qualified(relation)} rename to ${ident(parts.tail.name)}`);
    run(`truncate only ${qualified(parts.tail)}`);
    run(createListChunk(relation, parent, chunk.bounds, sideOf(timeDimension(hypertable).column_name)));
    // Before it is a partition again, so that no trigger of the hypertable fires.
    withoutCapture(hypertable, chunk.id, putBack);
    copyGrants(findRelation(relation.oid) ?? relation, relation);
    run(`alter table ${qualified(relation)} attach partition ${qualified(parts.tail)} for values in (${TAIL_SIDE})`);
    // Rows that are held there for a moment are deleted again, which a publication would refuse.
    run(`alter table only ${qualified(parts.tail)} replica identity full`);
    run(createRemote(parts.remote, relation, parts.view, server));
    run(assignTriggerDdl(relation, partNames(hypertable)));
    run(truncateTriggerDdl(relation, partNames(hypertable)));
    guardKeys(chunk, parts, shape);
    letModify(chunk, parts);
  });
};

const record = (
  chunk: OpenChunk,
  parts: ChunkParts,
  settings: CompressionSettings,
  bounds: readonly bigint[],
  sizes: object,
): void => {
  request('compress_chunk', {
    hypertable_id: chunk.hypertable.id,
    chunk_id: chunk.id,
    relid: oidOf(chunk.relation),
    tail: oidOf(parts.tail),
    remote: oidOf(parts.remote),
    residue: oidOf(parts.residue),
    rows_view: oidOf(parts.view),
    reader: oidOf(parts.reader),
    segments: oidOf(parts.segments),
    slice_bounds: bounds,
    segmentby: settings.segmentBy,
    orderby: settings.orderBy,
    sizes,
  });
};

/** By which snapshot the chunk was read, and how many rows there were. */
interface Read {
  readonly snapshot: string;
  readonly rows: bigint;
  readonly segments: bigint;
}

/** What is not enforced (since 18) is taken for granted nowhere. NOT NULL can be in want of validation since 18, too. */
const refuseNotValidated = (chunk: OpenChunk): void => {
  const found = maybeOne<{ name: string }>(
    `select conname as name from pg_constraint c where conrelid = $1::int8::oid and contype in ('c', 'n') and not convalidated
       and to_jsonb(c) ->> 'conenforced' is distinct from 'false'
     order by conname limit 1`,
    [chunk.relation.oid],
  );
  if (found !== undefined) throw notValidated(displayed(chunk.relation), found.name, displayed(chunk.root));
};

/** Runs as the owner of the hypertable. Readers and writers go on while the chunk is read; what they wrote is kept. */
export const compressChunk = (chunk: OpenChunk, settings: CompressionSettings): void =>
  inMaintenance(() => {
    withLockRetry(() => run(`lock table only ${qualified(chunk.relation)} in share update exclusive mode`));
    refuseNotValidated(chunk);
    flushCapture(chunk.hypertable, [chunk.id]);
    const { server } = loopbackOf(chunk);
    const parts = chunkParts(chunk.hypertable, chunk.id);
    const before = sizesOf(chunk.relation);
    const spread = spreadOf(chunk, settings);
    const bounds = planSlices(spread);
    const shape = shapeOf(chunk, settings, bounds, parts.segments);
    for (const ddl of createSegments(parts.segments, shape, chunk.relation.tablespace)) run(ddl);
    const columns = shape.columns.map((c) => ident(c.name)).join(', ');
    const read = encoding(() =>
      one<Read>(insertCounted(parts.segments, shape, `select ${columns} from only ${qualified(chunk.relation)}`)),
    );
    finishSegments(chunk, parts, shape);
    const view = { ...parts, chunkId: chunk.id, generation: 1n };
    run(createRowsView(view, shape));
    for (const ddl of readerDdl(view, shape, rangeOf(chunk))) run(ddl);
    const after = sizesOf(parts.segments);
    swap(chunk, parts, shape, server, read);
    makeReaders(chunk.hypertable);
    record(chunk, parts, settings, bounds, {
      uncompressed: before,
      compressed: after,
      rows: read.rows,
      segments: read.segments,
    });
    captureCompressed(chunk.hypertable);
    watchIfResults(chunk.hypertable, [chunk.relation, parts.remote]);
  });

const finishSegments = (chunk: OpenChunk, parts: ChunkParts, shape: SegmentsShape): void => {
  for (const ddl of createSegmentIndexes(parts.segments, shape)) run(ddl);
  for (const ddl of createResidue(parts.residue, chunk.root, chunk.relation.tablespace)) run(ddl);
  // Their columns are segmentby columns, so PostgreSQL itself checks them and cascades to whole segments.
  for (const key of chunkKeys(chunk.hypertable.id))
    if (key.kind === 'f')
      for (const table of [parts.segments, parts.residue]) run(`alter table ${qualified(table)} add ${key.definition}`);
  run(`analyze ${qualified(parts.segments)}`);
};
