import type { Slice } from '../../catalog/dimension-slice.ts';
import type { Hypertable } from '../../catalog/hypertable.ts';
import { request } from '../../catalog/catalog-writer.ts';
import { hasSqlState, one, query, run } from '../../engine/spi.ts';
import { displayed, identList, ident, qualified, type RelationName } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { captureHeaps } from '../capture/capture.ts';
import { addKeys } from './chunk-keys.ts';
import { hashSlices } from '../dimension/chunk-slice-plan.ts';
import { spaceDimension, timeDimension } from '../dimension/dimensions.ts';
import { lockTableFull } from './failures.ts';
import {
  attachPartition,
  chunkName,
  createChunkTable,
  createHashPartition,
  createSpaceSliceTable,
  spaceSliceName,
} from '../table/partition-ddl.ts';
import { relationOid, storedColumns, type Relation } from '../table/relation.ts';
import { droppedChunks } from './revive-chunks.ts';
import { watchIfResults } from '../capture/results-trigger.ts';
import { attachedTablespaces, chooseTablespace } from './tablespace.ts';
import { boundsSql, insideSql } from '../table/time-sql.ts';
import { ensureTruncatedTrigger } from './truncated-trigger.ts';

interface NewChunk {
  readonly id: number;
  readonly name: RelationName;
  readonly oid: bigint;
  readonly slices: readonly { readonly dimension_id: number; readonly start: bigint; readonly end: bigint }[];
}

/** A partition of one time slice that is filled and will be attached: a chunk, or the parent of its hash chunks. */
export interface PreparedSlice {
  readonly partition: RelationName;
  readonly slice: Slice;
  readonly rows: number;
  readonly chunks: readonly NewChunk[];
}

/**
 * So many hash partitions are made with their indexes, which rows then go through: ATTACH would look for each index of each of
 * them, and takes as long as making them did. Fewer get their indexes by ATTACH, built by sorting.
 */
const INDEXED_FIRST = 32;

interface Named {
  readonly id: number;
  readonly name: RelationName;
}

/** Unused ids whose table names nobody has taken, all at once: a hash dimension may want a thousand. */
const drawChunks = (h: Hypertable, count: number): Named[] => {
  const found: Named[] = [];
  while (found.length < count) {
    const drawn = request<number[]>('draw_chunk_ids', { hypertable_id: h.id, count: count - found.length }).map(
      (id) => ({
        id,
        name: chunkName(h, id),
      }),
    );
    const taken = new Set(
      query<{ name: string }>(
        `select relname::text as name from pg_class
         where relnamespace = (select oid from pg_namespace where nspname = $1) and relname = any($2::name[])`,
        [h.associated_schema_name, drawn.map((d) => d.name.name)],
      ).map((r) => r.name),
    );
    found.push(...drawn.filter((d) => !taken.has(d.name.name)));
  }
  return found;
};

const nextChunk = (h: Hypertable): Named => drawChunks(h, 1)[0] as Named;

const oidsOf = (names: readonly RelationName[]): bigint[] =>
  query<{ oid: bigint }>(
    'select n::regclass::oid::int8 as oid from unnest($1::text[]) with ordinality u(n, o) order by o',
    [names.map(qualified)],
  ).map((r) => r.oid);

/** Hash partitions are what fills the lock table, all of which belong to one transaction. */
const withLocksFor = <T>(h: Hypertable, root: Relation, body: () => T): T => {
  try {
    return body();
  } catch (e) {
    const partitions = h.dimensions.find((d) => d.num_slices !== null)?.num_slices ?? 1;
    if (partitions > 1 && hasSqlState(e, SQLSTATE.outOfMemory))
      throw lockTableFull(displayed(root), partitions, e.message);
    throw e;
  }
};

/** Creates the table(s) of one time slice and copies into them what the source has there. */
export const prepareSlice = (h: Hypertable, root: Relation, slice: Slice, source?: RelationName): PreparedSlice =>
  withLocksFor(h, root, () => makeSlice(h, root, slice, source));

const makeSlice = (h: Hypertable, root: Relation, slice: Slice, source?: RelationName): PreparedSlice => {
  const time = timeDimension(h);
  const space = spaceDimension(h);
  const storage = { reloptions: h.chunk_reloptions, tablespace: chooseTablespace(h, root, slice) };
  const chunks: NewChunk[] = [];
  const timeSlice = { dimension_id: time.id, start: slice.start, end: slice.end };
  const dropped = droppedChunks(h, slice);
  const undivided = space === undefined || dropped.length === 1;
  const ranges: readonly Slice[] = undivided ? [slice] : dropped.length === 0 ? hashSlices(space.slices) : dropped;
  const fresh = drawChunks(h, ranges.filter((_, i) => dropped[i]?.name === undefined).length);
  const named = ranges.map((_, i): Named => {
    const old = dropped[i];
    if (old?.name !== undefined) return { id: old.id, name: old.name };
    const next = fresh.shift() as Named;
    return old === undefined ? next : { id: old.id, name: next.name };
  });
  const first = named[0] as Named;
  let partition = first.name;
  if (undivided) run(createChunkTable(first.name, root, storage));
  else {
    partition = spaceSliceName(h, first.id);
    if (relationOid(partition.schema, partition.name) !== undefined) partition = spaceSliceName(h, nextChunk(h).id);
    const attached = attachedTablespaces(h);
    // In one go: a thousand statements of their own cost as much again as the tables.
    run(
      [
        createSpaceSliceTable(partition, root, space.column_name, ranges.length >= INDEXED_FIRST),
        ...named.map((leaf, remainder) =>
          createHashPartition(leaf.name, partition, ranges.length, remainder, {
            ...storage,
            tablespace: attached[remainder % attached.length] ?? root.tablespace,
          }),
        ),
      ].join(';\n'),
    );
  }
  const oids = oidsOf(named.map((n) => n.name));
  named.forEach(({ id, name }, i) => {
    const { start, end } = ranges[i] as Slice;
    const hash = undivided ? [] : [{ dimension_id: space.id, start, end }];
    chunks.push({ id, name, oid: oids[i] as bigint, slices: [timeSlice, ...hash] });
  });
  const columns = identList(storedColumns(root.oid));
  const rows =
    source === undefined
      ? 0
      : run(
          `insert into ${qualified(partition)} (${columns}) select ${columns} from only ${qualified(source)}
           where ${insideSql(time.column_name, slice, time.type)}`,
        );
  addKeys(
    h.id,
    chunks.map((c) => c.name),
  );
  captureHeaps(h, chunks);
  watchIfResults(
    h,
    chunks.map((c) => c.name),
  );
  return { partition, slice, rows, chunks };
};

/** REPLICA IDENTITY is a property of the tables that hold rows; new chunks take that of the root. */
export const copyReplicaIdentity = (root: Relation, chunk: bigint): void => {
  if (root.replicaIdentity === 'd') return;
  const { name } = one<{ name: string }>('select $1::int8::oid::regclass::text as name', [chunk]);
  if (root.replicaIdentity === 'f' || root.replicaIdentity === 'n') {
    run(`alter table ${name} replica identity ${root.replicaIdentity === 'f' ? 'full' : 'nothing'}`);
    return;
  }
  for (const row of query<{ name: string }>(
    `select c.relname as name from pg_index r
     join pg_partition_tree(r.indexrelid) t on t.isleaf join pg_index i on i.indexrelid = t.relid
     join pg_class c on c.oid = i.indexrelid
     where r.indrelid = $1::int8::oid and r.indisreplident and i.indrelid = $2::int8::oid`,
    [root.oid, chunk],
  ))
    run(`alter table ${name} replica identity using index ${ident(row.name)}`);
};

/** A chunk that comes back undivided has one slice, others of the hypertable two. */
const bySliceCount = (chunks: readonly NewChunk[]): NewChunk[][] =>
  [1, 2].map((n) => chunks.filter((c) => c.slices.length === n)).filter((of) => of.length > 0);

/** Attaches what was prepared and records it. ATTACH takes SHARE ROW EXCLUSIVE on the root. */
export const attachSlices = (h: Hypertable, root: Relation, prepared: readonly PreparedSlice[]): void =>
  withLocksFor(h, root, () => attachAndRecord(h, root, prepared));

const attachAndRecord = (h: Hypertable, root: Relation, prepared: readonly PreparedSlice[]): void => {
  const time = timeDimension(h);
  ensureTruncatedTrigger(h, root);
  for (const p of prepared) {
    run(attachPartition(root, p.partition, boundsSql(p.slice, time.type)));
    for (const chunk of p.chunks) copyReplicaIdentity(root, chunk.oid);
  }
  const chunks = prepared.flatMap((p) => p.chunks);
  for (const of of bySliceCount(chunks)) {
    const slices = of.flatMap((c) => c.slices);
    request('add_chunks', {
      hypertable_id: h.id,
      chunks: of.map((c) => c.id),
      oids: of.map((c) => c.oid),
      dimensions: slices.map((s) => s.dimension_id),
      starts: slices.map((s) => s.start),
      ends: slices.map((s) => s.end),
    });
  }
};
