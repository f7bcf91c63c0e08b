import { expect, test } from 'vitest';
import { formatBytes, formatProgress } from '../../../src/cli/convert-chunks.ts';

test('bytes have the unit in which they are short', () => {
  expect([0, 1023, 1024, 1536, 150 * 1024 ** 2, 3 * 1024 ** 5].map(formatBytes)).toEqual([
    '0 B',
    '1023 B',
    '1.0 kB',
    '1.5 kB',
    '150 MB',
    '3072 TB',
  ]);
});

test('the line says how far it is and how long it will take', () => {
  const p = { done: 3, total: 12, before: 3 * 1024 ** 2, after: 1024, failed: [] };
  expect(formatProgress(p, 6000)).toBe(`[${'#'.repeat(8)}${' '.repeat(22)}] 3/12 chunks  3.0 MB -> 1.0 kB  18 s left`);
  expect(formatProgress({ ...p, done: 12, failed: [{ chunk: 'c', message: 'm' }] }, 6000)).toBe(
    `[${'#'.repeat(30)}] 12/12 chunks  3.0 MB -> 1.0 kB  1 failed`,
  );
  expect(formatProgress({ ...p, done: 0, total: 0 }, 0)).toContain('0/0');
});
