import { describe, expect, test } from 'vitest';
import { rowsOfSentArray } from '../../../../src/compression/codec/sent-array.ts';

const int4 = (n: number): number[] => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const sent = (elements: readonly (readonly number[] | null)[]): Uint8Array =>
  Uint8Array.from([
    ...int4(1),
    ...int4(elements.includes(null) ? 1 : 0),
    ...int4(0),
    ...int4(elements.length),
    ...int4(1),
    ...elements.flatMap((e) => (e === null ? int4(-1) : [...int4(e.length), ...e])),
  ]);
const bytes = (text: string): number[] => [...Buffer.from(text, 'utf8')];

describe('what array_send() gives', () => {
  test('integers of two and four bytes', () => {
    expect(
      Array.from(
        rowsOfSentArray(
          sent([
            [255, 254],
            [0, 7],
          ]),
          'int4',
        ),
      ),
    ).toEqual([-2, 7]);
    expect(Array.from(rowsOfSentArray(sent([int4(-5), int4(2 ** 31 - 1)]), 'int4'))).toEqual([-5, 2 ** 31 - 1]);
  });
  test('int8 is exact with and without nulls', () => {
    const end = [127, 255, 255, 255, 255, 255, 255, 255];
    expect(Array.from(rowsOfSentArray(sent([end]), 'int8'))).toEqual([2n ** 63n - 1n]);
    expect(Array.from(rowsOfSentArray(sent([end, null, [0, 0, 0, 0, 0, 0, 0, 9]]), 'int8'))).toEqual([
      2n ** 63n - 1n,
      null,
      9,
    ]);
  });
  test('floats keep every bit where there is no null', () => {
    const nan = [0x7f, 0xf8, 0, 0, 0, 0, 0x12, 0x34];
    const values = rowsOfSentArray(sent([nan]), 'float8') as Float64Array;
    expect([...new Uint8Array(values.buffer)].reverse()).toEqual(nan);
  });
  test('text, bytes, booleans and nulls', () => {
    expect(rowsOfSentArray(sent([bytes('ä€𝄞'), null, []]), 'text')).toEqual(['ä€𝄞', null, '']);
    expect(rowsOfSentArray(sent([[1, 2], null]), 'bytes')).toEqual([Uint8Array.of(1, 2), null]);
    expect(rowsOfSentArray(sent([[1], [0], null]), 'bool')).toEqual([true, false, null]);
  });
  test('what is cut off is an error', () => {
    expect(() => rowsOfSentArray(sent([bytes('abc')]).subarray(0, 25), 'text')).toThrow('not a sent array');
    expect(() => rowsOfSentArray(Uint8Array.of(1, 2), 'text')).toThrow('not a sent array');
  });
});
