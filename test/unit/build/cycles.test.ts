import { expect, test } from 'vitest';
import { circles } from '../../../build/checks/cycles.ts';

test('files that import one another by whatever way round are found, once each', () => {
  const imports = new Map([
    ['a', ['b', 'c']],
    ['b', ['c']],
    ['c', ['d']],
    ['d', ['b']],
    ['e', ['a', 'e']],
  ]);
  expect(circles(imports)).toEqual([
    ['b', 'c', 'd', 'b'],
    ['e', 'e'],
  ]);
});

test('what is imported twice without a circle is none', () => {
  const imports = new Map([
    ['a', ['b', 'c']],
    ['b', ['d']],
    ['c', ['d']],
  ]);
  expect(circles(imports)).toEqual([]);
});
