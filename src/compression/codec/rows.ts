import type { Column, Value } from './column.ts';

const valueAt = (column: Column, row: number): Value | null => {
  if (column.nulls?.[row] === 1) return null;
  return column.kind === 'bool' ? column.values[row] === 1 : column.values[row]!;
};

/** Row by row; over a decoded segment, because decoding all of it takes less time than starting a generator's loop. */
export function* forward(column: Column): IterableIterator<Value | null> {
  for (let row = 0; row < column.rows; row++) yield valueAt(column, row);
}

export function* backward(column: Column): IterableIterator<Value | null> {
  for (let row = column.rows - 1; row >= 0; row--) yield valueAt(column, row);
}

const TWO_TO_32 = 4_294_967_296;
const SAFE_HIGH = 2 ** 21;

/** The same int8 values as doubles, where all are exact as such: they cross into SQL faster than BigInt. */
const exactNumbers = (values: BigInt64Array): Float64Array | undefined => {
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < numbers.length; i++) {
    const high = words[2 * i + 1]!;
    if (high >= SAFE_HIGH || high < -SAFE_HIGH) return undefined;
    numbers[i] = high * TWO_TO_32 + (words[2 * i]! >>> 0);
  }
  return numbers;
};

/**
 * An ordinary array, which is what plv8 takes as a parameter of an array type (a typed array crashes it). An int8 column is
 * numbers where all of them are exact, and BigInt otherwise.
 */
export const toArray = (column: Column): (Value | null)[] => {
  const { nulls } = column;
  const source =
    column.kind === 'int8'
      ? (exactNumbers(column.values) ?? column.values)
      : (column.values as ArrayLike<Value | null>);
  const array = new Array<Value | null>(column.rows);
  if (column.kind === 'bool') for (let row = 0; row < array.length; row++) array[row] = column.values[row] === 1;
  else for (let row = 0; row < array.length; row++) array[row] = source[row]!;
  if (nulls !== undefined) for (let row = 0; row < array.length; row++) if (nulls[row] === 1) array[row] = null;
  return array;
};
