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

/** An ordinary array, null where a row is null. */
export const toArray = (column: Column): (Value | null)[] => {
  const { nulls } = column;
  const array = new Array<Value | null>(column.rows);
  if (column.kind === 'bool') for (let row = 0; row < array.length; row++) array[row] = column.values[row] === 1;
  else {
    const values: ArrayLike<Value | null> = column.values;
    for (let row = 0; row < array.length; row++) array[row] = values[row]!;
  }
  if (nulls !== undefined) for (let row = 0; row < array.length; row++) if (nulls[row] === 1) array[row] = null;
  return array;
};
