import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { handlerHash, lock } from '../../../server/root.ts';

const folder = mkdtempSync(join(tmpdir(), 'tessera-lock-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('the lock names its holder and leaves nothing behind', async () => {
  const path = join(folder, 'a.lock');
  const unlock = await lock(path);
  expect(readFileSync(path, 'utf8')).toBe(String(process.pid));
  unlock();
  expect(readdirSync(folder)).toEqual([]);
});

test('a second taker waits until the first gives the lock back', async () => {
  const path = join(folder, 'b.lock');
  const order: string[] = [];
  const unlock = await lock(path);
  const second = lock(path).then((release) => {
    order.push('second');
    release();
  });
  order.push('first gives back');
  unlock();
  await second;
  expect(order).toEqual(['first gives back', 'second']);
  expect(existsSync(path)).toBe(false);
});

test('the lock of a process that is gone is taken over', async () => {
  const path = join(folder, 'c.lock');
  writeFileSync(path, '4194305'); // above the highest pid Linux gives
  const unlock = await lock(path);
  expect(readFileSync(path, 'utf8')).toBe(String(process.pid));
  unlock();
});

test('the hash of the language handler follows its sources, not its notes', () => {
  const source = join(folder, 'handler');
  rmSync(source, { recursive: true, force: true });
  const at = mkdtempSync(source);
  writeFileSync(join(at, 'a.cc'), 'int a;');
  writeFileSync(join(at, 'README.md'), 'one');
  const before = handlerHash(at);
  writeFileSync(join(at, 'README.md'), 'two');
  expect(handlerHash(at)).toBe(before);
  writeFileSync(join(at, 'a.cc'), 'int b;');
  expect(handlerHash(at)).not.toBe(before);
});
