import type { Hypertable } from '../../catalog/hypertable.ts';
import { query, maybeOne, run } from '../../engine/spi.ts';
import { MINUS_INFINITY, PLUS_INFINITY, isIntegerTime, maximumOf, minimumOf } from '../../lib/internal-time.ts';
import { ident, qualified, type RelationName } from '../../lib/quote.ts';
import {
  captureResidueDdl,
  captureSegmentsDdl,
  notedTableDdl,
  readBackDdl,
  type CapturedTable,
} from './capture-ddl.ts';
import { installTriggers } from './capture-install.ts';
import { timeDimension } from '../dimension/dimensions.ts';
import { partNames, placeFunctionDdl } from '../table/partition-ddl.ts';
import { recordParts } from '../table/parts.ts';
import { findRelation, relationOid, type Relation } from '../table/relation.ts';
import { typedLiteral } from '../table/time-sql.ts';

interface CompressedRow {
  readonly chunkId: number;
  readonly chunk: bigint;
  readonly remote: bigint;
  readonly residue: bigint;
  readonly segments: bigint;
  readonly segmentBy: string[] | null;
  readonly server: string;
  readonly owner: string;
  readonly start: bigint;
  readonly end: bigint;
}

const compressedChunks = (h: Hypertable): CompressedRow[] =>
  query<CompressedRow>(
    `select c.id as "chunkId", c.relid::oid::int8 as chunk, k.remote::oid::int8 as remote, k.residue::oid::int8 as residue,
       s.compress_relid::oid::int8 as segments, s.segmentby::text[] as "segmentBy", v.srvname as server,
       pg_get_userbyid(r.relowner)::text as owner, d.range_start as start, d.range_end as end
     from _tessera_catalog.compressed_chunk k
     join _tessera_catalog.chunk c on c.id = k.chunk_id
     join _tessera_catalog.compression_settings s on s.chunk_id = k.chunk_id
     join pg_foreign_table f on f.ftrelid = k.remote join pg_foreign_server v on v.oid = f.ftserver
     join pg_class r on r.oid = k.remote
     join _tessera_catalog.chunk_constraint t on t.chunk_id = c.id
     join _tessera_catalog.dimension_slice d on d.id = t.dimension_slice_id and d.dimension_id = $2
     where c.hypertable_id = $1 order by c.id`,
    [h.id, timeDimension(h).id],
  );

const nameOf = (oid: bigint): Relation => {
  const found = findRelation(oid);
  if (found === undefined) throw new Error(`relation with OID ${oid} does not exist`);
  return found;
};

const isInstalled = (table: RelationName, prefix: string): boolean =>
  maybeOne('select from pg_trigger where tgrelid = $1::regclass and starts_with(tgname, $2) limit 1', [
    qualified(table),
    prefix,
  ]) !== undefined;

/** A foreign table cannot change its server, and the server is that of the owner. */
const makeNoted = (h: Hypertable, server: string, owner: string): void => {
  const parts = partNames(h);
  const known = maybeOne<{ server: string }>(
    `select s.srvname as server from pg_foreign_table f join pg_foreign_server s on s.oid = f.ftserver
     where f.ftrelid = to_regclass($1)`,
    [qualified(parts.noted)],
  );
  if (known?.server === server) return;
  if (relationOid(parts.noted.schema, parts.noted.name) !== undefined)
    run(`drop foreign table ${qualified(parts.noted)}`);
  run(notedTableDdl(parts, server));
  run(`alter foreign table ${qualified(parts.noted)} owner to ${ident(owner)}`);
  recordParts(h);
};

/** The tables by whose names rows of a chunk can be changed: from the foreign table up to the root. */
const ancestors = (remote: bigint): Relation[] =>
  query<{ oid: bigint }>('select relid::oid::int8 as oid from pg_partition_ancestors($1::int8::oid::regclass)', [
    remote,
  ]).map(({ oid }) => nameOf(oid));

/** Has changes of compressed rows noted, where that is not so yet. */
export const installCompressed = (h: Hypertable): void => {
  const time = timeDimension(h);
  const parts = partNames(h);
  const chunks = compressedChunks(h);
  const [any] = chunks;
  if (any === undefined) return;
  makeNoted(h, any.server, any.owner);
  // That of an earlier version does not know what is asked of it here.
  run(placeFunctionDdl(h.id, parts));
  const integer = isIntegerTime(time.type);
  for (const c of chunks) {
    const captured = (oid: bigint, part: CapturedTable['part']): CapturedTable => ({
      table: nameOf(oid),
      hypertableId: h.id,
      chunkId: c.chunkId,
      part,
      column: time.column_name,
      type: time.type,
    });
    const residue = captured(c.residue, 'residue');
    installTriggers(residue, ['insert', 'update', 'delete'], captureResidueDdl(residue));
    const segments = captured(c.segments, 'segments');
    const from = c.start === MINUS_INFINITY && integer ? minimumOf(time.type) : c.start;
    const to = c.end === PLUS_INFINITY ? (integer ? maximumOf(time.type) : c.end) : c.end - 1n;
    installTriggers(
      segments,
      c.segmentBy?.length ? ['delete', 'update'] : ['delete'],
      captureSegmentsDdl(
        segments,
        { from: typedLiteral(from, time.type), to: typedLiteral(to, time.type) },
        c.segmentBy ?? [],
      ),
    );
    for (const table of ancestors(c.remote))
      if (!isInstalled(table, `tessera_capture_${h.id}_c`))
        for (const ddl of readBackDdl(table, { hypertableId: h.id, type: time.type }, parts)) run(ddl);
  }
};
