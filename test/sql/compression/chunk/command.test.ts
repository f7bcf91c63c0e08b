import { expect, test } from 'vitest';
import { convertChunks, type Progress } from '../../../../src/cli/convert-chunks.ts';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

test('the command compresses chunk by chunk, reports each, goes on after one that fails, and back', async () => {
  await db.query('create table m (time timestamptz not null, v int)');
  await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(`insert into m select now() - i * interval '1 min', i from generate_series(0, 7199) i`);
  const run = async (action: 'compress' | 'decompress', olderThan?: string): Promise<Progress[]> => {
    const seen: Progress[] = [];
    await convertChunks({ client: db.client, hypertable: 'm', action, olderThan, progress: (p) => void seen.push(p) });
    return seen;
  };
  const refused = await run('compress');
  expect(refused.at(-1)?.failed.length).toBe(refused.at(-1)?.total);
  await db.query(`select set_compression('m')`);
  const seen = await run('compress', '2 days');
  const total = seen[0]?.total ?? 0;
  expect(total).toBeGreaterThanOrEqual(3);
  expect(seen.map((p) => p.done)).toEqual(Array.from({ length: total + 1 }, (_, i) => i));
  expect(seen.at(-1)?.failed).toEqual([]);
  expect(seen.at(-1)?.after).toBeLessThan(seen.at(-1)?.before ?? 0);
  expect(await db.value('select count(*)::int from tessera_information.chunks where is_compressed')).toBe(total);
  await run('decompress');
  expect(await db.value('select count(*)::int from tessera_information.chunks where is_compressed')).toBe(0);
  expect(await db.value('select count(*)::int from m')).toBe(7200);
});
