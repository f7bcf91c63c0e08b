import { hypertableOid } from '../../catalog/hypertable.ts';
import { callAs, currentUser, inMaintenance } from '../../engine/session.ts';
import { query } from '../../engine/spi.ts';
import { openOwnHypertable, type OpenHypertable } from '../../hypertable/index.ts';
import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import { guardKeys, letModify } from '../chunk/compress-chunk.ts';
import { findCompressed, openChunk, shapeOf } from '../segment/open-chunk.ts';

const remake = ({ hypertable }: OpenHypertable): void => {
  for (const { id, oid } of query<{ id: number; oid: bigint }>(
    `select c.id, c.relid::oid::int8 as oid from _tessera_catalog.chunk c
     join _tessera_catalog.compressed_chunk k on k.chunk_id = c.id where c.hypertable_id = $1 order by c.id`,
    [hypertable.id],
  )) {
    const compressed = findCompressed(id);
    if (compressed === undefined) continue;
    const chunk = openChunk(oid, 'chunk');
    const { parts, settings, bounds } = compressed;
    letModify(chunk, parts);
    guardKeys(chunk, parts, shapeOf(chunk, settings, bounds, parts.segments));
  }
};

export const sync_guards = defineFunction({
  schema: '_tessera_functions',
  name: 'sync_guards',
  args: [{ name: 'hypertable_id', type: 'integer', doc: 'id in _tessera_catalog.hypertable' }],
  returns: returnsScalar('text'),
  volatility: 'volatile',
  summary:
    'Makes the functions anew by which rows of compressed chunks are written: they name types and operators, which may have got other names.',
  privileges: 'owner of the hypertable',
  handler: (id: number): null => {
    const oid = hypertableOid(id);
    if (oid === undefined) return null;
    const open = openOwnHypertable(oid);
    if (open.root.owner === currentUser()) inMaintenance(() => remake(open));
    else callAs(open.root.owner, open.hypertable.associated_schema_name, `_tessera_functions.sync_guards(${id})`);
    return null;
  },
});
