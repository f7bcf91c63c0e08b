import type { Slice } from '../catalog/dimension-slice.ts';
import type { Hypertable } from '../catalog/hypertable.ts';
import { request } from '../catalog/request.ts';
import { one, query, run } from '../engine/spi.ts';
import { identList, ident, qualified, type RelationName } from '../lib/quote.ts';
import { captureHeap } from './capture.ts';
import { addKeys } from './chunk-keys.ts';
import { hashSlices } from './chunk-slice-plan.ts';
import { spaceDimension, timeDimension } from './dimensions.ts';
import {
  attachPartition,
  chunkName,
  createChunkTable,
  createHashPartition,
  createSpaceSliceTable,
  spaceSliceName,
} from './partition-ddl.ts';
import { relationOid, storedColumns, type Relation } from './relation.ts';
import { droppedChunks } from './revive-chunks.ts';
import { chooseTablespace } from './tablespace.ts';
import { boundsSql, insideSql } from './time-sql.ts';
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

/** An unused id whose table name nobody has taken. */
const nextChunk = (h: Hypertable): { id: number; name: RelationName } => {
  for (;;) {
    const id = request<number>('draw_chunk_id', { hypertable_id: h.id });
    const name = chunkName(h, id);
    if (relationOid(name.schema, name.name) === undefined) return { id, name };
  }
};

const oidOf = (name: RelationName): bigint =>
  one<{ oid: bigint }>('select $1::regclass::oid::int8 as oid', [qualified(name)]).oid;

/** Creates the table(s) of one time slice and copies into them what the source has there. */
export const prepareSlice = (h: Hypertable, root: Relation, slice: Slice, source?: RelationName): PreparedSlice => {
  const time = timeDimension(h);
  const space = spaceDimension(h);
  const storage = { reloptions: h.chunk_reloptions, tablespace: chooseTablespace(h, root, slice) };
  const chunks: NewChunk[] = [];
  const timeSlice = { dimension_id: time.id, start: slice.start, end: slice.end };
  const dropped = droppedChunks(h, slice);
  const chunkAt = (i: number): { id: number; name: RelationName } => {
    const old = dropped[i];
    if (old === undefined) return nextChunk(h);
    return { id: old.id, name: old.name ?? nextChunk(h).name };
  };
  const first = chunkAt(0);
  let partition = first.name;
  if (space === undefined || dropped.length === 1) {
    run(createChunkTable(first.name, root, storage));
    chunks.push({ id: first.id, name: first.name, oid: oidOf(first.name), slices: [timeSlice] });
  } else {
    const ranges: readonly Slice[] = dropped.length === 0 ? hashSlices(space.slices) : dropped;
    partition = spaceSliceName(h, first.id);
    if (relationOid(partition.schema, partition.name) !== undefined) partition = spaceSliceName(h, nextChunk(h).id);
    run(createSpaceSliceTable(partition, root, space.column_name));
    ranges.forEach(({ start, end }, remainder) => {
      const leaf = remainder === 0 ? first : chunkAt(remainder);
      const leafStorage = { ...storage, tablespace: chooseTablespace(h, root, slice, remainder) };
      run(createHashPartition(leaf.name, partition, ranges.length, remainder, leafStorage));
      chunks.push({
        id: leaf.id,
        name: leaf.name,
        oid: oidOf(leaf.name),
        slices: [timeSlice, { dimension_id: space.id, start, end }],
      });
    });
  }
  const columns = identList(storedColumns(root.oid));
  const rows =
    source === undefined
      ? 0
      : run(
          `insert into ${qualified(partition)} (${columns}) select ${columns} from only ${qualified(source)}
           where ${insideSql(time.column_name, slice, time.type)}`,
        );
  for (const chunk of chunks) {
    addKeys(h.id, chunk.name);
    captureHeap(h, chunk.name, chunk.id);
  }
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

/** Attaches what was prepared and records it. ATTACH takes SHARE ROW EXCLUSIVE on the root. */
export const attachSlices = (h: Hypertable, root: Relation, prepared: readonly PreparedSlice[]): void => {
  const time = timeDimension(h);
  ensureTruncatedTrigger(h, root);
  for (const p of prepared) {
    run(attachPartition(root, p.partition, boundsSql(p.slice, time.type)));
    for (const chunk of p.chunks) copyReplicaIdentity(root, chunk.oid);
  }
  request('add_chunks', {
    hypertable_id: h.id,
    chunks: prepared.flatMap((p) => p.chunks).map(({ id, oid, slices }) => ({ id, oid, slices })),
  });
};
