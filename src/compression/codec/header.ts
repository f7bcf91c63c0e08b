import { PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { CRC_START, crc32c } from './checksum.ts';
import { MAX_ROWS, type ValueKind } from './column.ts';
import { CorruptPayload } from './corrupt-payload.ts';
import { WordReader } from './word-reader.ts';

/** README.md beside this folder has the layout as a table. */
export type Algorithm = 'array' | 'dictionary' | 'gorilla' | 'delta-delta' | 'boolean' | 'decimal';

export interface Header {
  readonly algorithm: Algorithm;
  readonly kind: ValueKind;
  readonly hasNulls: boolean;
  readonly rows: number;
}

export const VERSION = 1;
export const HEADER_WORDS = 4;
const LENGTH_WORD = 2;
const CHECKSUM_WORD = 3;
const HAS_NULLS = 1;

/** The first four have the numbers they have in TimescaleDB. */
const ALGORITHMS: readonly (Algorithm | undefined)[] = [
  undefined,
  'array',
  'dictionary',
  'gorilla',
  'delta-delta',
  'boolean',
  'decimal',
];
const KINDS: readonly (ValueKind | undefined)[] = [
  undefined,
  'int4',
  'int8',
  'float4',
  'float8',
  'bool',
  'text',
  'bytes',
  'uuid',
];

/** plv8 runs on nothing else; checked because words are read in the order of the machine. */
const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

const checksumOf = (words: Int32Array): number =>
  ~crc32c(crc32c(CRC_START, words, 0, CHECKSUM_WORD), words, HEADER_WORDS, words.length);

/** Fills in the header of a payload whose sections are complete. */
export const seal = (words: Int32Array, header: Header): Uint8Array => {
  if (!isLittleEndian)
    throw new PgError({
      sqlstate: SQLSTATE.featureNotSupported,
      message: 'compression needs a little-endian machine',
    });
  const algorithm = ALGORITHMS.indexOf(header.algorithm);
  const kind = KINDS.indexOf(header.kind);
  words[0] = VERSION | (algorithm << 8) | (kind << 16) | ((header.hasNulls ? HAS_NULLS : 0) << 24);
  words[1] = header.rows;
  words[LENGTH_WORD] = 4 * words.length;
  words[CHECKSUM_WORD] = checksumOf(words);
  return new Uint8Array(words.buffer, words.byteOffset, 4 * words.length);
};

const wordsOf = (payload: Uint8Array): Int32Array => {
  const aligned = payload.byteOffset % 4 === 0 ? payload : payload.slice();
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2);
};

/** Checks the payload as a whole; what follows may rely on bytes being those that were written. */
export const open = (payload: Uint8Array): { readonly header: Header; readonly reader: WordReader } => {
  if (payload.length < 4 * HEADER_WORDS) throw new CorruptPayload(`${payload.length} bytes hold no header`);
  const words = wordsOf(payload);
  const first = words[0]!;
  const version = first & 255;
  if (version !== VERSION) throw new CorruptPayload(`format version ${version}; this release reads ${VERSION}`);
  const length = words[LENGTH_WORD]! >>> 0;
  if (length !== payload.length || length % 4 !== 0)
    throw new CorruptPayload(`${payload.length} bytes where ${length} were written`);
  const checksum = checksumOf(words);
  if (checksum !== words[CHECKSUM_WORD]) throw new CorruptPayload('the checksum does not match the bytes');
  const algorithm = ALGORITHMS[(first >>> 8) & 255];
  const kind = KINDS[(first >>> 16) & 255];
  const flags = first >>> 24;
  const rows = words[1]! >>> 0;
  if (algorithm === undefined || kind === undefined || flags > HAS_NULLS || rows === 0 || rows > MAX_ROWS)
    throw new CorruptPayload(`header word ${first >>> 0} and ${rows} rows`);
  return {
    header: { algorithm, kind, hasNulls: flags === HAS_NULLS, rows },
    reader: new WordReader(words, HEADER_WORDS),
  };
};
