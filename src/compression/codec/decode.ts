import { type ArrayKind, readArray } from './array.ts';
import type { Column, ValueKind } from './column.ts';
import { CorruptPayload } from './corrupt-payload.ts';
import { readDecimals } from './decimal.ts';
import { readInt4DeltaDelta, readInt8DeltaDelta } from './delta-delta.ts';
import { readDictionary } from './dictionary.ts';
import { readFloat4Gorilla, readFloat8Gorilla } from './gorilla.ts';
import { type Header, open } from './header.ts';
import { readNullBitmap, spread } from './null-bitmap.ts';
import { readNumerics } from './numeric.ts';
import { readSimple8b } from './simple8b.ts';
import type { WordReader } from './word-reader.ts';

/** What the row of the compressed chunk says about the payload in it. */
export interface Expectation {
  readonly rows?: number;
  readonly kind?: ValueKind;
}

const readBools = (reader: WordReader, count: number): Uint8Array => {
  const bits = new Uint32Array(count);
  readSimple8b(reader, count, bits, undefined);
  const values = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const bit = bits[i]!;
    if (bit > 1) throw new CorruptPayload(`a boolean is ${bit}, neither 0 nor 1`);
    values[i] = bit;
  }
  return values;
};

const checkAlgorithm = (header: Header, ...algorithms: Header['algorithm'][]): void => {
  if (!algorithms.includes(header.algorithm))
    throw new CorruptPayload(`values of kind ${header.kind} under the algorithm ${header.algorithm}`);
};

const readValues = (header: Header, kind: ArrayKind, reader: WordReader, count: number): (string | Uint8Array)[] => {
  if (header.algorithm === 'decimal' && kind === 'text') return readNumerics(reader, count);
  checkAlgorithm(header, 'dictionary', 'array');
  return header.algorithm === 'dictionary' ? readDictionary(reader, kind, count) : readArray(reader, kind, count);
};

const readColumn = (header: Header, reader: WordReader): Column => {
  const { rows, kind } = header;
  const { nulls, present } = header.hasNulls ? readNullBitmap(reader, rows) : { nulls: undefined, present: rows };
  switch (kind) {
    case 'int4': {
      checkAlgorithm(header, 'delta-delta');
      const values = readInt4DeltaDelta(reader, present);
      return { kind, rows, nulls, values: nulls ? spread(values, nulls, new Int32Array(rows)) : values };
    }
    case 'int8': {
      checkAlgorithm(header, 'delta-delta');
      const values = readInt8DeltaDelta(reader, present);
      return { kind, rows, nulls, values: nulls ? spread(values, nulls, new BigInt64Array(rows)) : values };
    }
    case 'float4': {
      checkAlgorithm(header, 'gorilla', 'decimal');
      const values =
        header.algorithm === 'gorilla'
          ? readFloat4Gorilla(reader, present)
          : readDecimals(reader, new Float32Array(present));
      return { kind, rows, nulls, values: nulls ? spreadFloat4(values, nulls) : values };
    }
    case 'float8': {
      checkAlgorithm(header, 'gorilla', 'decimal');
      const values =
        header.algorithm === 'gorilla'
          ? readFloat8Gorilla(reader, present)
          : readDecimals(reader, new Float64Array(present));
      return { kind, rows, nulls, values: nulls ? spreadFloat8(values, nulls) : values };
    }
    case 'bool': {
      checkAlgorithm(header, 'boolean');
      const values = readBools(reader, present);
      return { kind, rows, nulls, values: nulls ? spread(values, nulls, new Uint8Array(rows)) : values };
    }
    default: {
      const values = readValues(header, kind, reader, present);
      const byRow = nulls ? spread<unknown, unknown[]>(values, nulls, new Array(rows).fill(null)) : values;
      return { kind, rows, nulls, values: byRow } as Column;
    }
  }
};

/** As bit patterns: a number on its way from one float array to another may lose the payload of a NaN. */
const spreadFloat8 = (values: Float64Array, nulls: Uint8Array): Float64Array =>
  new Float64Array(spread(new BigInt64Array(values.buffer), nulls, new BigInt64Array(nulls.length)).buffer);

const spreadFloat4 = (values: Float32Array, nulls: Uint8Array): Float32Array =>
  new Float32Array(spread(new Int32Array(values.buffer), nulls, new Int32Array(nulls.length)).buffer);

/** All rows of a payload at once, by column. */
export const decode = (payload: Uint8Array, expected: Expectation = {}): Column => {
  const { header, reader } = open(payload);
  if (expected.rows !== undefined && expected.rows !== header.rows)
    throw new CorruptPayload(`${header.rows} rows in a segment of ${expected.rows}`);
  if (expected.kind !== undefined && expected.kind !== header.kind)
    throw new CorruptPayload(`values of kind ${header.kind} in a column of kind ${expected.kind}`);
  const column = readColumn(header, reader);
  reader.end();
  return column;
};
