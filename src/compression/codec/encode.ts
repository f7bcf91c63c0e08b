import { elementsOf, writeArray } from './array.ts';
import { MAX_ROWS, type Rows, type ValueKind } from './column.ts';
import { decimalWords } from './decimal.ts';
import { writeInt4DeltaDelta, writeInt8DeltaDelta } from './delta-delta.ts';
import { dictionaryWords } from './dictionary.ts';
import { boolsOf, bytesOfRows, float4sOf, float8sOf, int4sOf, int8sOf, nullsOf, textsOfRows } from './gather.ts';
import { writeGorilla } from './gorilla.ts';
import { type Algorithm, HEADER_WORDS, seal } from './header.ts';
import { writeNullBitmap } from './null-bitmap.ts';
import { PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { writeSimple8b } from './simple8b.ts';
import { numericWords } from './numeric.ts';
import { WordWriter } from './word-writer.ts';

/** A kind of values and whether to look for repeated ones; the rest of the algorithm follows from the kind. */
export interface Codec {
  readonly kind: ValueKind;
  readonly algorithm: Algorithm;
}

/** Decimals where they take less room than Gorilla; for noise the first value already says that they do not. */
const writeFloats = (out: WordWriter, values: Float32Array | Float64Array): Algorithm => {
  const decimals = decimalWords(values);
  const start = out.length;
  writeGorilla(out, values);
  if (decimals === undefined || decimals.length >= out.length - start) return 'gorilla';
  out.truncate(start);
  out.append(decimals, decimals.length);
  return 'decimal';
};

/** Writes the values and returns the algorithm that was used in the end. */
const writeValues = (out: WordWriter, codec: Codec, rows: Rows, count: number): Algorithm => {
  switch (codec.kind) {
    case 'int4':
      writeInt4DeltaDelta(out, int4sOf(rows, count));
      return 'delta-delta';
    case 'int8':
      writeInt8DeltaDelta(out, int8sOf(rows, count));
      return 'delta-delta';
    case 'float4':
      return writeFloats(out, float4sOf(rows, count));
    case 'float8':
      return writeFloats(out, float8sOf(rows, count));
    case 'bool':
      writeSimple8b(out, boolsOf(rows, count), undefined, count);
      return 'boolean';
    default: {
      const values = codec.kind === 'bytes' ? bytesOfRows(rows, count) : textsOfRows(rows, count, codec.kind);
      const better =
        codec.algorithm === 'dictionary'
          ? dictionaryWords(codec.kind, values)
          : codec.algorithm === 'decimal'
            ? numericWords(values as readonly string[])
            : undefined;
      if (better !== undefined) {
        out.append(better, better.length);
        return codec.algorithm;
      }
      writeArray(out, elementsOf(codec.kind, values));
      return 'array';
    }
  }
};

/** The payload of one column of a segment; null when every row is null, which the column says by being null itself. */
export const encode = (codec: Codec, rows: Rows): Uint8Array | null => {
  if (rows.length > MAX_ROWS)
    throw new PgError({
      sqlstate: SQLSTATE.internalError,
      message: `a segment of ${rows.length} rows is larger than ${MAX_ROWS}`,
    });
  const { nulls, count } = nullsOf(rows);
  if (count === 0) return null;
  const out = new WordWriter();
  out.reserve(HEADER_WORDS);
  if (nulls !== undefined) writeNullBitmap(out, nulls);
  const algorithm = writeValues(out, codec, rows, count);
  return seal(out.finish(), { algorithm, kind: codec.kind, hasNulls: nulls !== undefined, rows: rows.length });
};
