import { request } from '../../catalog/catalog-writer.ts';
import { withLockRetry } from '../../engine/lock-retry.ts';
import { inMaintenance, withSettings } from '../../engine/session.ts';
import { hasSqlState, one, query, run } from '../../engine/spi.ts';
import {
  addKeys,
  attachPartition,
  captureHeap,
  copyGrants,
  copyReplicaIdentity,
  createChunkTable,
  findRelation,
  flushCapture,
  partNames,
  relationOid,
  storedColumns,
  watchIfResults,
  type Relation,
} from '../../hypertable/index.ts';
import { displayed, ident, identList, qualified, type RelationName } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { encoding } from './compress-chunk.ts';
import { goneMeanwhile } from './failures.ts';
import { dropTriggerFunctions } from './key-guard.ts';
import { holdersOf, shapeOf, type Compressed, type OpenChunk } from '../segment/open-chunk.ts';
import { compressedRows } from '../segment/segments-ddl.ts';

interface IndexRow {
  readonly name: string;
  /** the root index it is part of, if any */
  readonly root: string | null;
  /** all but its name and its table */
  readonly form: string;
  readonly definition: string;
  readonly constraint: string | null;
  readonly constraintDefinition: string | null;
}

const indexesOf = (table: Relation): IndexRow[] =>
  query<IndexRow>(
    `select c.relname as name, nullif(pg_partition_root(i.indexrelid)::oid, i.indexrelid)::regclass::text as root,
       case when i.indisunique then 'unique ' else '' end || substring(pg_get_indexdef(i.indexrelid) from ' USING .*$') as form,
       pg_get_indexdef(i.indexrelid) as definition, k.conname as constraint, pg_get_constraintdef(k.oid) as "constraintDefinition"
     from pg_index i join pg_class c on c.oid = i.indexrelid
     left join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = i.indrelid and k.contype in ('p', 'u', 'x')
     where i.indrelid = $1::int8::oid order by c.relname`,
    [table.oid],
  );

/** What the tail has for itself is made again on the new heap; what came from above came again, under its old name. */
const restoreIndexes = (heap: Relation, tail: RelationName, before: readonly IndexRow[]): void => {
  const made = [...indexesOf(heap)];
  for (const old of before) {
    const at = made.findIndex((i) => i.form === old.form && i.root === old.root);
    const found = at < 0 ? undefined : made.splice(at, 1)[0];
    if (found !== undefined) {
      if (found.name !== old.name)
        run(`alter index ${qualified({ schema: heap.schema, name: found.name })} rename to ${ident(old.name)}`);
    } else if (old.constraint !== null)
      run(`alter table ${qualified(heap)} add constraint ${ident(old.constraint)} ${old.constraintDefinition}`);
    else {
      // Its definition names the table it was on.
      run(`alter table ${qualified(heap)} rename to ${ident(tail.name)}`);
      run(old.definition);
      run(`alter table ${qualified(tail)} rename to ${ident(heap.name)}`);
    }
  }
};

/** Readers go on until the new heap takes the place of the chunk; writers wait from here on. */
export const lockParts = (chunk: OpenChunk, { parts }: Compressed): void => {
  try {
    withLockRetry(() => {
      run(`lock table only ${qualified(parts.tail)} in exclusive mode`);
      run(`lock table only ${qualified(parts.segments)}, ${qualified(parts.residue)} in exclusive mode`);
    });
  } catch (e) {
    if (hasSqlState(e, SQLSTATE.undefinedTable)) throw goneMeanwhile(displayed(chunk.relation));
    throw e;
  }
  // Whose loopback connection has committed, and who has not yet: he holds the lock of the tail, unless he changed the
  // foreign table directly.
  run(
    `select _tessera_functions.reject_running(x.mark) from (
       select _ts_meta_dead from ${qualified(parts.segments)} union select _ts_meta_dead from ${qualified(parts.residue)}
       union select _ts_meta_born from ${qualified(parts.residue)}) x(mark) where x.mark is not null`,
  );
};

const relationOf = (name: RelationName): Relation => {
  const oid = relationOid(name.schema, name.name);
  const found = oid === undefined ? undefined : findRelation(oid);
  if (found === undefined) throw new Error(`${qualified(name)} does not exist`);
  return found;
};

/** Runs as the owner of the hypertable. */
export const decompressChunk = (chunk: OpenChunk, compressed: Compressed): void =>
  inMaintenance(() => {
    const { parts, settings, bounds } = compressed;
    const { hypertable, root, relation, parent } = chunk;
    lockParts(chunk, compressed);
    flushCapture(hypertable, [chunk.id]);
    const tail = relationOf(parts.tail);
    const { options } = one<{ options: string[] | null }>(
      'select reloptions::text[] as options from pg_class where oid = $1::int8::oid',
      [tail.oid],
    );
    const heap: RelationName = { schema: relation.schema, name: `tessera_rewrite_${chunk.id}` };
    run(createChunkTable(heap, root, { reloptions: options, tablespace: tail.tablespace }));
    const columns = identList(storedColumns(root.oid));
    const insert = `insert into ${qualified(heap)} (${columns}) overriding system value select ${columns} from`;
    encoding(() =>
      run(
        `${insert} (${compressedRows(parts.segments, parts.residue, shapeOf(chunk, settings, bounds, parts.segments))}) r`,
      ),
    );
    run(`${insert} only ${qualified(parts.tail)}`);
    addKeys(hypertable.id, [heap]);
    captureHeap(hypertable, heap, chunk.id);
    watchIfResults(hypertable, [heap]);
    copyGrants(relation, heap);
    const indexes = indexesOf(tail);
    const aside: RelationName = { schema: relation.schema, name: `tessera_replaced_${chunk.id}` };
    withLockRetry(() => {
      request('lock_read_view', { hypertable_id: hypertable.id });
      run(`lock table only ${qualified(parent)} in access exclusive mode`);
      run(`lock table only ${qualified(partNames(hypertable).defaultPartition)} in access exclusive mode`);
      run(`alter table ${qualified(parent)} detach partition ${qualified(relation)}`);
      run(`alter table ${qualified(relation)} rename to ${ident(aside.name)}`);
      run(`alter table ${qualified(heap)} rename to ${ident(relation.name)}`);
      run(attachPartition(parent, relation, chunk.bounds));
      const created = relationOf(relation);
      request('decompress_chunk', { hypertable_id: hypertable.id, chunk_id: chunk.id, relid: created.oid });
      run(`drop table ${qualified(aside)}`);
      dropParts(compressed, false);
      restoreIndexes(created, parts.tail, indexes);
      copyReplicaIdentity(root, created.oid);
    });
  });

/** The relations beside those that are partitions; another view on them stops it unless `cascade`. */
export const dropParts = ({ parts }: Compressed, cascade: boolean): void => {
  const how = cascade ? ' cascade' : '';
  run(`drop view if exists ${qualified(parts.reader)}${how}`);
  run(`drop view ${qualified(parts.view)}${how}`);
  const holders = holdersOf(parts.segments);
  run(`drop table ${qualified(parts.segments)}${how}`);
  for (const holder of holders) run(`drop type ${holder}`);
  run(`drop table ${qualified(parts.residue)}${how}`);
  withSettings({ client_min_messages: 'warning' }, () => run(dropTriggerFunctions(parts)));
};
