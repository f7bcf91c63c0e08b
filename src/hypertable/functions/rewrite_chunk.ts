import { findHypertableById } from '../../catalog/hypertable.ts';
import { request } from '../../catalog/catalog-writer.ts';
import { info, maybeOne, notice, one, query, run } from '../../engine/spi.ts';
import { requireReadCommitted } from '../../engine/isolation.ts';
import { withLockRetry } from '../../engine/lock-retry.ts';
import { callAs, currentUser, inMaintenance, withSettings } from '../../engine/session.ts';
import { displayed, ident, identList, literal, qualified, type RelationName } from '../../lib/quote.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { captureHeap, flushCapture } from '../capture/capture.ts';
import { copyGrants, foreignKeyDefinitions, indexDefinitions } from '../chunk/chunk-definitions.ts';
import { copyReplicaIdentity } from '../chunk/create-chunk.ts';
import { compressedChunk, noOrderIndex, notChunk, wrongOrderIndex } from '../chunk/failures.ts';
import { notOwner } from '../dimension/failures.ts';
import { nullArgument } from '../../lib/failures.ts';
import { oidOf } from '../dimension/open-hypertable.ts';
import { createChunkTable } from '../table/partition-ddl.ts';
import { findRelation, storedColumns, type Relation } from '../table/relation.ts';
import { watchIfResults } from '../capture/results-trigger.ts';
import { requireTablespace } from '../chunk/tablespace.ts';

interface Chunk {
  readonly id: number;
  readonly hypertableId: number;
  readonly relation: Relation;
  readonly root: Relation;
  readonly parent: Relation;
  readonly bounds: string;
  readonly associatedSchema: string;
}

const nameOf = (oid: bigint): string =>
  one<{ name: string }>('select $1::int8::oid::regclass::text as name', [oid]).name;

const openChunk = (oid: bigint | null): Chunk => {
  if (oid === null) throw nullArgument('chunk');
  const row = maybeOne<{
    id: number;
    hypertableId: number;
    oid: bigint;
    root: bigint;
    parent: bigint;
    bounds: string;
    schema: string;
  }>(
    `select c.id, c.hypertable_id as "hypertableId", c.relid::oid::int8 as oid, h.relid::oid::int8 as root,
       i.inhparent::int8 as parent, pg_get_expr(r.relpartbound, r.oid) as bounds,
       h.associated_schema_name as schema
     from _tessera_catalog.chunk c join _tessera_catalog.hypertable h on h.id = c.hypertable_id
     join pg_class r on r.oid = c.relid join pg_inherits i on i.inhrelid = c.relid
     where c.relid = $1::int8::oid and not c.dropped`,
    [oid],
  );
  if (row === undefined) throw notChunk(nameOf(oid));
  const [relation, root, parent] = [findRelation(row.oid), findRelation(row.root), findRelation(row.parent)];
  if (relation === undefined || root === undefined || parent === undefined) throw notChunk(nameOf(oid));
  if (!root.owned) throw notOwner(displayed(root));
  if (relation.kind === 'p') throw compressedChunk(displayed(relation));
  return {
    id: row.id,
    hypertableId: row.hypertableId,
    relation,
    root,
    parent,
    bounds: row.bounds,
    associatedSchema: row.schema,
  };
};

/** The index of the chunk by which to order it: the one given, of the chunk or of its root, or the one CLUSTER marked. */
const orderIndex = (chunk: Chunk, index: string | null): RelationName => {
  const found = query<{ schema: string; name: string; usable: boolean }>(
    `select n.nspname as schema, c.relname as name,
       i.indisvalid and i.indpred is null and (select amname = 'btree' from pg_am where oid = c.relam) as usable
     from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
     where i.indrelid = $1::int8::oid
       and case when $2::text is null then i.indisclustered
           else i.indexrelid = $2::regclass or $2::regclass in (select relid from pg_partition_ancestors(i.indexrelid)) end`,
    [chunk.relation.oid, index],
  )[0];
  if (found === undefined) {
    if (index === null) throw noOrderIndex(displayed(chunk.relation));
    throw wrongOrderIndex(index, displayed(chunk.relation));
  }
  if (!found.usable) throw wrongOrderIndex(found.name, displayed(chunk.relation));
  return found;
};

/** ORDER BY of an index: its columns and expressions with direction and place of nulls. */
const orderBy = (index: RelationName): string =>
  one<{ list: string }>(
    `select string_agg(
       pg_get_indexdef(i.indexrelid, k, false) || case when i.indoption[k - 1] & 1 = 1 then ' desc' else ' asc' end
         || case when i.indoption[k - 1] & 2 = 2 then ' nulls first' else ' nulls last' end, ', ' order by k) as list
     from pg_index i, generate_series(1, i.indnkeyatts) k where i.indexrelid = $1::regclass`,
    [qualified(index)],
  ).list;

interface Rewrite {
  readonly order: RelationName | null;
  readonly tablespace: string | null;
  readonly indexTablespace: string | null;
  readonly verbose: boolean;
}

/**
 * Copies the chunk into a new table under EXCLUSIVE (readers go on, writers wait), builds what the parent has on it,
 * and only then takes ACCESS EXCLUSIVE, in short attempts, to put it in the place of the old one. The new table has
 * another OID and the old name; the catalog knows chunks by their id.
 */
const rewrite = (chunk: Chunk, plan: Rewrite): void => {
  const hypertable = findHypertableById(chunk.hypertableId);
  const old = chunk.relation;
  const copy: RelationName = { schema: old.schema, name: `tessera_rewrite_${chunk.id}` };
  run(`lock table only ${qualified(old)} in exclusive mode`);
  const reloptions = one<{ options: string[] | null }>(
    'select reloptions::text[] as options from pg_class where oid = $1::int8::oid',
    [old.oid],
  ).options;
  run(
    createChunkTable(copy, chunk.root, {
      reloptions: reloptions ?? hypertable?.chunk_reloptions ?? null,
      tablespace: plan.tablespace ?? old.tablespace,
    }),
  );
  const columns = identList(storedColumns(old.oid));
  const order = plan.order === null ? '' : ` order by ${orderBy(plan.order)}`;
  if (hypertable !== undefined) flushCapture(hypertable, [chunk.id]);
  const rows = run(`insert into ${qualified(copy)} (${columns}) select ${columns} from only ${qualified(old)}${order}`);
  const indexes = indexDefinitions(old);
  const foreignKeys = foreignKeyDefinitions(old);
  copyGrants(old, copy);
  if (hypertable !== undefined) {
    captureHeap(hypertable, copy, chunk.id);
    watchIfResults(hypertable, [copy]);
  }
  withLockRetry(() => {
    run(`lock table only ${qualified(chunk.parent)} in access exclusive mode`);
    run(`alter table ${qualified(chunk.parent)} detach partition ${qualified(old)}`);
    const aside: RelationName = { schema: old.schema, name: `tessera_replaced_${chunk.id}` };
    run(`alter table ${qualified(old)} rename to ${ident(aside.name)}`);
    run(`alter table ${qualified(copy)} rename to ${ident(old.name)}`);
    const place = (): void =>
      void run(`alter table ${qualified(chunk.parent)} attach partition ${qualified(old)} ${chunk.bounds}`);
    if (plan.indexTablespace === null) place();
    else withSettings({ default_tablespace: plan.indexTablespace }, place);
    const oid = oidOf(qualified(old));
    const created = oid === null ? undefined : findRelation(oid);
    if (created === undefined) throw notChunk(displayed(old));
    // Before the old table goes: a dropped table takes its chunk out of the catalog.
    request('replace_chunk', { hypertable_id: chunk.hypertableId, chunk_id: chunk.id, relid: created.oid });
    run(`drop table ${qualified(aside)}`);
    // Indexes of the chunk alone; those of the parent came with ATTACH and get their old names back.
    for (const i of indexes) {
      if (i.parent !== '') continue;
      run(
        i.constraint === null
          ? i.definition
          : `alter table ${qualified(old)} add constraint ${ident(i.constraint)} ${i.constraintDefinition}`,
      );
    }
    for (const key of foreignKeys)
      run(`alter table ${qualified(old)} add constraint ${ident(key.name)} ${key.definition}`);
    for (const i of indexDefinitions(created)) {
      const before = indexes.find((b) => b.parent !== '' && b.parent === i.parent);
      if (before !== undefined && before.name !== i.name)
        run(`alter index ${qualified({ schema: old.schema, name: i.name })} rename to ${ident(before.name)}`);
    }
    if (plan.order !== null) run(`alter table ${qualified(old)} cluster on ${ident(plan.order.name)}`);
    copyReplicaIdentity(chunk.root, created.oid);
  });
  if (plan.verbose)
    info(
      `"${displayed(old)}": rewrote ${rows} rows${plan.order === null ? '' : ` in the order of index "${plan.order.name}"`}`,
    );
};

/** A referenced chunk cannot be detached while rows point at it; CLUSTER and SET TABLESPACE work in place. */
const isReferenced = (chunk: Chunk): boolean =>
  maybeOne(`select from pg_constraint where confrelid = $1::int8::oid and contype = 'f' limit 1`, [chunk.root.oid]) !==
  undefined;

const rewriteInPlace = (chunk: Chunk, plan: Rewrite): void => {
  notice('a foreign key points at the hypertable, so the chunk is rewritten in place and cannot be read meanwhile');
  withLockRetry(() => {
    const table = qualified(chunk.relation);
    if (plan.tablespace !== null) run(`alter table ${table} set tablespace ${ident(plan.tablespace)}`);
    if (plan.indexTablespace !== null)
      for (const i of indexDefinitions(chunk.relation))
        run(
          `alter index ${qualified({ schema: chunk.relation.schema, name: i.name })} set tablespace ${ident(plan.indexTablespace)}`,
        );
    if (plan.order !== null) run(`cluster ${table} using ${ident(plan.order.name)}`);
  });
};

const carryOut = (chunk: Chunk, plan: Rewrite): void => {
  requireReadCommitted();
  if (chunk.root.owner === currentUser())
    inMaintenance(() => (isReferenced(chunk) ? rewriteInPlace(chunk, plan) : rewrite(chunk, plan)));
  else
    callAs(
      chunk.root.owner,
      chunk.associatedSchema,
      `_tessera_functions.rewrite_chunk(${chunk.relation.oid}, ${literal(JSON.stringify(plan))})`,
    );
};

/** What a reorder policy does. */
export const reorderChunk = (oid: bigint, index: RelationName): void =>
  carryOut(openChunk(oid), { order: index, tablespace: null, indexTablespace: null, verbose: false });

export const indexOfChunk = (oid: bigint, index: string): RelationName => orderIndex(openChunk(oid), index);

export const rewrite_chunk = defineFunction({
  schema: '_tessera_functions',
  name: 'rewrite_chunk',
  args: [
    { name: 'chunk', type: 'bigint', doc: 'OID of the chunk' },
    { name: 'plan', type: 'jsonb', doc: 'order, tablespace, indexTablespace, verbose' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'The work behind reorder_chunk() and move_chunk(), as the owner of the hypertable.',
  privileges: 'owner of the hypertable',
  handler: (oid: bigint, plan: Rewrite): void => carryOut(openChunk(oid), plan),
});

export const reorder_chunk = defineFunction({
  schema: 'api',
  name: 'reorder_chunk',
  args: [
    { name: 'chunk', type: 'regclass', doc: 'a chunk' },
    {
      name: 'index',
      type: 'regclass',
      default: 'null',
      doc: 'a btree index of the chunk or of its hypertable; null takes the one CLUSTER marked',
    },
    { name: 'verbose', type: 'boolean', default: 'false', doc: 'an INFO message with the number of rows' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Rewrites a chunk in the order of an index. Readers wait only while the new table takes its place.',
  errors: '22023 not a chunk or an unsuitable index, 42704 no index to order by, 55P03 no lock',
  privileges: 'owner of the hypertable',
  locks: 'EXCLUSIVE on the chunk while it is copied, then ACCESS EXCLUSIVE on the hypertable in short attempts',
  handler: (table: string | null, index: string | null, verbose: boolean | null): void => {
    const chunk = openChunk(oidOf(table));
    carryOut(chunk, {
      order: orderIndex(chunk, index),
      tablespace: null,
      indexTablespace: null,
      verbose: verbose === true,
    });
  },
});

export const move_chunk = defineFunction({
  schema: 'api',
  name: 'move_chunk',
  args: [
    { name: 'chunk', type: 'regclass', doc: 'a chunk' },
    { name: 'destination_tablespace', type: 'name', doc: 'where the table goes' },
    {
      name: 'index_destination_tablespace',
      type: 'name',
      default: 'null',
      doc: 'where its indexes go; null puts them beside the table',
    },
    {
      name: 'reorder_index',
      type: 'regclass',
      default: 'null',
      doc: 'an index by which to order the rows; null keeps their order',
    },
    { name: 'verbose', type: 'boolean', default: 'false', doc: 'an INFO message with the number of rows' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Moves a chunk and its indexes to other tablespaces, and reorders it on the way if asked to.',
  errors: '22023 not a chunk or an unsuitable index, 42704 no such tablespace, 42501 no CREATE on it, 55P03 no lock',
  privileges: 'owner of the hypertable, who needs CREATE on the tablespaces',
  locks: 'as reorder_chunk()',
  handler: (
    table: string | null,
    to: string | null,
    indexTo: string | null,
    index: string | null,
    verbose: boolean | null,
  ): void => {
    const chunk = openChunk(oidOf(table));
    if (to === null) throw nullArgument('destination_tablespace');
    requireTablespace(to, chunk.root.owner);
    if (indexTo !== null) requireTablespace(indexTo, chunk.root.owner);
    const order = index === null ? null : orderIndex(chunk, index);
    carryOut(chunk, { order, tablespace: to, indexTablespace: indexTo ?? to, verbose: verbose === true });
  },
});
