import { expect, test } from 'vitest';
import { rowBatches, type RowFormat } from '../../../src/cli/row-batches.ts';
import { random } from '../../harness/random.ts';

/** Batches of a text that comes in pieces of the given lengths, over and over. */
const batchesOf = async (
  text: string,
  format: Partial<RowFormat>,
  pieces: readonly number[] = [3],
): Promise<[number, number, string][]> => {
  const all = Buffer.from(text);
  async function* source(): AsyncGenerator<Buffer> {
    for (let at = 0, i = 0; at < all.length; i++) {
      const length = pieces[i % pieces.length] as number;
      yield all.subarray(at, at + length);
      at += length;
    }
  }
  const found: [number, number, string][] = [];
  for await (const b of rowBatches(source(), { csv: true, skip: 0, batchRows: 2, ...format }))
    found.push([b.first, b.rows, Buffer.concat(b.data).toString()]);
  return found;
};

test('rows come in batches, the last of which may be short and without a line break', async () => {
  expect(await batchesOf('a\nbb\nccc\n', {})).toEqual([
    [1, 2, 'a\nbb\n'],
    [3, 1, 'ccc\n'],
  ]);
  expect(await batchesOf('a\nbb\nccc', {})).toEqual([
    [1, 2, 'a\nbb\n'],
    [3, 1, 'ccc'],
  ]);
  expect(await batchesOf('', {})).toEqual([]);
});

test('rows at the beginning are left out, and counted', async () => {
  expect(await batchesOf('head\na\nb\nc\n', { skip: 1 })).toEqual([
    [2, 2, 'a\nb\n'],
    [4, 1, 'c\n'],
  ]);
  expect(await batchesOf('a\nb\n', { skip: 5 })).toEqual([]);
});

test('a line break between quotes, or behind a backslash of the text form, ends no row', async () => {
  expect(await batchesOf('1,"x\ny ""z\n"""\n2,"b"\n3,c\n', {})).toEqual([
    [1, 2, '1,"x\ny ""z\n"""\n2,"b"\n'],
    [3, 1, '3,c\n'],
  ]);
  expect(await batchesOf('a\\\nb\nc\\\\\nd\n', { csv: false })).toEqual([
    [1, 2, 'a\\\nb\nc\\\\\n'],
    [3, 1, 'd\n'],
  ]);
  expect(await batchesOf('it"s\nno"csv\n', { csv: false, batchRows: 1 })).toEqual([
    [1, 1, 'it"s\n'],
    [2, 1, 'no"csv\n'],
  ]);
});

test('wherever the pieces end, the batches are the same', async () => {
  const next = random(4_711);
  const letters = ['a', '"', '\n', '\\', ',', '\n'];
  for (let round = 0; round < 200; round++) {
    const text = Array.from({ length: 40 }, () => letters[next() % letters.length]).join('');
    for (const csv of [true, false]) {
      const whole = await batchesOf(text, { csv }, [1000]);
      expect(whole.map(([, , t]) => t).join('')).toBe(text);
      expect(await batchesOf(text, { csv }, [1])).toEqual(whole);
      expect(await batchesOf(text, { csv }, [1 + (next() % 5), 1 + (next() % 7)])).toEqual(whole);
    }
  }
});
