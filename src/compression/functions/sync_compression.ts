import { hypertableOid } from '../../catalog/hypertable.ts';
import { request } from '../../catalog/catalog-writer.ts';
import { callAs, currentUser, inMaintenance } from '../../engine/session.ts';
import { one, query, run } from '../../engine/spi.ts';
import { displayed, ident, literal, qualified, type RelationName } from '../../lib/quote.ts';
import {
  captureCompressed,
  chunkKeys,
  openOwnHypertable,
  relationOid,
  watchIfResults,
  type OpenHypertable,
  type Relation,
} from '../../hypertable/index.ts';

import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import { guardKeys, letLogin, letModify, loopbackOf } from '../chunk/compress-chunk.ts';
import { rowSecurity } from '../change/failures.ts';
import { findCompressed, openChunk, shapeOf, type Compressed, type OpenChunk } from '../segment/open-chunk.ts';
import { createRemote } from '../segment/segments-ddl.ts';
import { syncChunk } from '../change/sync-columns.ts';

const columnNames = (table: Relation | RelationName): string[] =>
  query<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = $1::int8::oid and attnum > 0 and not attisdropped
       and attname !~ '^_ts_meta_'`,
    ['oid' in table ? table.oid : (relationOid(table.schema, table.name) ?? null)],
  ).map((r) => r.name);

const rename = (open: OpenHypertable, chunks: readonly (readonly [OpenChunk, Compressed])[], renamed: string): void => {
  const now = columnNames(open.root);
  const known = new Set([
    ...query<{ name: string }>(
      `select unnest(coalesce(segmentby, '{}') || orderby)::text as name from _tessera_catalog.compression_settings where hypertable_id = $1
       union select unnest(columns)::text from _tessera_catalog.chunk_key where hypertable_id = $1`,
      [open.hypertable.id],
    ).map((r) => r.name),
    ...chunks.flatMap(([, c]) => columnNames(c.parts.residue)),
  ]);
  const old = [...known].find((name) => !now.includes(name));
  if (old === undefined || known.has(renamed)) return;
  for (const [, { parts, hasReader }] of chunks)
    for (const table of [parts.segments, parts.residue, parts.view, ...(hasReader ? [parts.reader] : [])])
      run(
        `alter ${table === parts.view || table === parts.reader ? 'view' : 'table'} ${qualified(table)} rename column ${ident(old)} to ${ident(renamed)}`,
      );
  request('rename_compressed', {
    hypertable_id: open.hypertable.id,
    old,
    renamed,
  });
};

/** A foreign table cannot change its server: the one of another owner needs another foreign table. */
const syncServer = (chunk: OpenChunk, { parts }: Compressed): void => {
  const { server } = loopbackOf(chunk);
  const now = one<{ server: string; options: string[] }>(
    `select s.srvname as server, f.ftoptions::text[] as options from pg_foreign_table f join pg_foreign_server s on s.oid = f.ftserver
     where f.ftrelid = $1::regclass`,
    [qualified(parts.remote)],
  );
  if (now.server !== server) {
    run(`drop foreign table ${qualified(parts.remote)}`);
    run(createRemote(parts.remote, chunk.relation, parts.view, server));
    request('repair_chunk', {
      hypertable_id: chunk.hypertable.id,
      chunk_id: chunk.id,
      remote: relationOid(parts.remote.schema, parts.remote.name),
    });
    captureCompressed(chunk.hypertable);
    watchIfResults(chunk.hypertable, [parts.remote]);
    letLogin(chunk, parts);
    return;
  }
  if (
    !now.options.includes(`schema_name=${parts.view.schema}`) ||
    !now.options.includes(`table_name=${parts.view.name}`)
  )
    run(
      `alter foreign table ${qualified(parts.remote)} options (set schema_name ${literal(parts.view.schema)}, set table_name ${literal(parts.view.name)})`,
    );
};

const syncAll = (open: OpenHypertable, renamed: string | null): void => {
  const { hypertable, root } = open;
  const { rls } = one<{ rls: boolean }>('select relrowsecurity as rls from pg_class where oid = $1::int8::oid', [
    root.oid,
  ]);
  if (rls) throw rowSecurity(displayed(root));
  const compressedChunks = (): (readonly [OpenChunk, Compressed])[] =>
    query<{ id: number; oid: bigint }>(
      `select c.id, c.relid::oid::int8 as oid from _tessera_catalog.chunk c
       join _tessera_catalog.compressed_chunk k on k.chunk_id = c.id where c.hypertable_id = $1 order by c.id`,
      [hypertable.id],
    ).flatMap(({ id, oid }) => {
      const compressed = findCompressed(id);
      return compressed === undefined ? [] : [[openChunk(oid, 'chunk'), compressed] as const];
    });
  if (renamed !== null) rename(open, compressedChunks(), renamed);
  for (const [chunk, compressed] of compressedChunks()) {
    syncServer(chunk, compressed);
    syncChunk(chunk, compressed);
    if (renamed !== null) {
      // Their functions name the columns.
      letModify(chunk, compressed.parts);
      if (chunkKeys(hypertable.id).length > 0)
        guardKeys(
          chunk,
          compressed.parts,
          shapeOf(chunk, compressed.settings, compressed.bounds, compressed.parts.segments),
        );
    }
  }
};

export const sync_compressed = defineFunction({
  schema: '_tessera_functions',
  name: 'sync_compressed',
  args: [
    { name: 'hypertable_id', type: 'integer', doc: 'id in _tessera_catalog.hypertable' },
    { name: 'renamed', type: 'name', doc: 'new name of a column that was renamed, or null' },
  ],
  returns: returnsScalar('text'),
  volatility: 'volatile',
  summary: 'Brings compressed chunks in line with what ALTER TABLE did to their hypertable, as its owner.',
  privileges: 'owner of the hypertable',
  handler: (id: number, renamed: string | null): null => {
    const oid = hypertableOid(id);
    if (oid === undefined) return null;
    const open = openOwnHypertable(oid);
    if (open.root.owner === currentUser()) inMaintenance(() => syncAll(open, renamed));
    else
      callAs(
        open.root.owner,
        open.hypertable.associated_schema_name,
        `_tessera_functions.sync_compressed(${id}, ${literal(renamed)})`,
      );
    return null;
  },
});
