import { callAs, currentUser } from '../../engine/session.ts';
import { requireReadCommitted } from '../../engine/isolation.ts';
import { maybeOne, notice, run } from '../../engine/spi.ts';
import { displayed, literal, qualified } from '../../lib/quote.ts';
import { oidOf } from '../../hypertable/index.ts';
import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import { compressChunk } from '../chunk/compress-chunk.ts';
import { decompressChunk } from '../chunk/decompress-chunk.ts';
import { alreadyCompressed, notCompressed } from '../chunk/failures.ts';
import { findCompressed, openChunk, requireSettings, type OpenChunk } from '../segment/open-chunk.ts';
import { settleChunk } from '../chunk/settle-chunk.ts';
import { needsRecompression, recompressChunk } from '../chunk/recompress-chunk.ts';

/** Code of the owner (index expressions, checks, casts) runs with his rights, whoever calls. */
const asOwner = (chunk: OpenChunk, name: string, body: () => void): void => {
  run('select _tessera_functions.reject_own_loopback()');
  if (chunk.root.owner === currentUser()) body();
  else
    callAs(
      chunk.root.owner,
      chunk.hypertable.associated_schema_name,
      `_tessera_functions.change_compression(${chunk.relation.oid}, ${literal(name)})`,
    );
};

/** Whoever comes second sees what the first one did: the chunk may be another table by then. */
const alone = (id: number): OpenChunk => {
  run('select pg_advisory_xact_lock(hashtext($1), $2)', ['tessera compression', id]);
  return openChunk(
    maybeOne<{ oid: bigint }>('select relid::oid::int8 as oid from _tessera_catalog.chunk where id = $1', [id])?.oid ??
      null,
    'chunk',
  );
};

const change = (seen: OpenChunk, name: string): void => {
  requireReadCommitted();
  const chunk = alone(seen.id);
  const compressed = findCompressed(chunk.id);
  if (name === 'compress' && compressed === undefined)
    compressChunk(chunk, requireSettings(chunk.hypertable, chunk.root));
  if (name === 'recompress' && compressed !== undefined) recompressChunk(chunk, compressed);
  if (name === 'settle' && compressed !== undefined) {
    // Whoever has touched the chunk and not ended could fail with 40001 for rows that are settled under him.
    run(`lock table only ${qualified(compressed.parts.tail)} in access exclusive mode nowait`);
    settleChunk(compressed);
  }
  if (name === 'decompress' && compressed !== undefined) decompressChunk(chunk, compressed);
};

export const change_compression = defineFunction({
  schema: '_tessera_functions',
  name: 'change_compression',
  args: [
    { name: 'chunk', type: 'bigint', doc: 'OID of the chunk' },
    { name: 'action', type: 'text', doc: 'compress, recompress, decompress or settle' },
  ],
  returns: returnsScalar('text'),
  volatility: 'volatile',
  summary: 'The work behind compress_chunk() and its like, as the owner of the hypertable.',
  privileges: 'owner of the hypertable',
  handler: (oid: bigint, action: string): null => {
    const chunk = openChunk(oid, 'chunk');
    asOwner(chunk, action, () => change(chunk, action));
    return null;
  },
});

const CHUNK_RESULT = 'the chunk, or null when there was nothing to do';
const LOCKS =
  'EXCLUSIVE on the chunk while it is read, so that writers wait and readers do not; then ACCESS EXCLUSIVE on the hypertable in short attempts';

/** The chunk by its name: its OID is another one afterwards. */
const regclassOf = (chunk: OpenChunk): string => displayed(chunk.relation);

export const compress_chunk = defineFunction({
  schema: 'api',
  name: 'compress_chunk',
  args: [
    { name: 'uncompressed_chunk', type: 'regclass', doc: 'a chunk' },
    {
      name: 'if_not_compressed',
      type: 'boolean',
      default: 'true',
      doc: 'a NOTICE instead of an error when it is compressed already',
    },
    {
      name: 'recompress',
      type: 'boolean',
      default: 'false',
      doc: 'compress all of it anew, with the options the hypertable has now',
    },
  ],
  returns: returnsScalar('regclass'),
  volatility: 'volatile',
  summary: `Compresses a chunk into columnar segments, or merges into them what was written since. Returns ${CHUNK_RESULT}.`,
  errors:
    '0A000 compression is not enabled, 55000 not a chunk or a constraint of it is not validated, 42710 compressed already, 42501 not the owner, 55P03 no lock',
  privileges: 'owner of the hypertable',
  locks: LOCKS,
  handler: (table: string | null, ifNot: boolean | null, again: boolean | null): string | null => {
    const chunk = openChunk(oidOf(table), 'uncompressed_chunk');
    requireSettings(chunk.hypertable, chunk.root);
    const compressed = findCompressed(chunk.id);
    if (compressed === undefined) {
      asOwner(chunk, 'compress', () => change(chunk, 'compress'));
      return regclassOf(chunk);
    }
    if (again === true) {
      asOwner(chunk, 'decompress', () => change(chunk, 'decompress'));
      const reopened = openChunk(oidOf(regclassOf(chunk)), 'uncompressed_chunk');
      asOwner(reopened, 'compress', () => change(reopened, 'compress'));
      return regclassOf(chunk);
    }
    if (needsRecompression(compressed)) {
      asOwner(chunk, 'recompress', () => change(chunk, 'recompress'));
      return regclassOf(chunk);
    }
    if (ifNot === false) throw alreadyCompressed(displayed(chunk.relation));
    notice(`chunk "${displayed(chunk.relation)}" is already compressed`);
    return null;
  },
});

export const decompress_chunk = defineFunction({
  schema: 'api',
  name: 'decompress_chunk',
  args: [
    { name: 'uncompressed_chunk', type: 'regclass', doc: 'a chunk' },
    {
      name: 'if_compressed',
      type: 'boolean',
      default: 'true',
      doc: 'a NOTICE instead of an error when it is not compressed',
    },
  ],
  returns: returnsScalar('regclass'),
  volatility: 'volatile',
  summary: `Turns a compressed chunk back into a heap. Returns ${CHUNK_RESULT}.`,
  errors: '55000 not a chunk or not compressed, 42501 not the owner, 55P03 no lock, XX001 a segment is corrupt',
  privileges: 'owner of the hypertable',
  locks: LOCKS,
  handler: (table: string | null, ifCompressed: boolean | null): string | null => {
    const chunk = openChunk(oidOf(table), 'uncompressed_chunk');
    if (findCompressed(chunk.id) === undefined) {
      if (ifCompressed === false) throw notCompressed(displayed(chunk.relation));
      notice(`chunk "${displayed(chunk.relation)}" is not compressed`);
      return null;
    }
    asOwner(chunk, 'decompress', () => change(chunk, 'decompress'));
    return regclassOf(chunk);
  },
});

export const recompress_chunk = defineFunction({
  schema: '_tessera_functions',
  name: 'recompress_chunk',
  args: [
    { name: 'chunk', type: 'bigint', doc: 'OID of the chunk' },
    { name: 'if_not_compressed', type: 'boolean', doc: 'a NOTICE instead of an error where there is nothing to merge' },
  ],
  returns: returnsScalar('text'),
  volatility: 'volatile',
  summary: 'The work behind the procedure recompress_chunk().',
  privileges: 'owner of the hypertable',
  handler: (oid: bigint | null, ifNot: boolean | null): null => {
    const chunk = openChunk(oid, 'chunk');
    requireSettings(chunk.hypertable, chunk.root);
    const compressed = findCompressed(chunk.id);
    if (compressed === undefined) asOwner(chunk, 'compress', () => change(chunk, 'compress'));
    else if (needsRecompression(compressed)) asOwner(chunk, 'recompress', () => change(chunk, 'recompress'));
    else if (ifNot === false) throw alreadyCompressed(displayed(chunk.relation));
    else notice(`nothing to recompress in chunk "${displayed(chunk.relation)}"`);
    return null;
  },
});
