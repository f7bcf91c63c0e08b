import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort, portTaken } from '../../../server/cluster.ts';

test('a port that somebody listens on is taken, and the next free one is found', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  expect(await portTaken(port)).toBe(true);
  expect(await freePort(port, new Set([port + 1]))).toBeGreaterThan(port + 1);
  await new Promise((resolve) => other.close(resolve));
  expect(await portTaken(port)).toBe(false);
});
