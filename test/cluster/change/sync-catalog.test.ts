import { beforeAll, describe, expect, test } from 'vitest';
import { hasWorkers, useCluster } from '../../harness/cluster.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('sync_catalog() where event triggers are off', () => {
  const { db } = useCluster({ nodes: 2 });

  beforeAll(async () => {
    await db.query('create table a (k int, v int); create table b (k int, v int); create table c (k int, v int)');
    for (const name of ['a', 'b', 'c'])
      await db.query(`select create_distributed_table('${name}', 'k', shard_count => 2)`);
  });

  test('brings tables in line whatever is wrong with one between them', async () => {
    const other = await db.role('other');
    const triggers = await db.column(`select evtname from pg_event_trigger where evtname like 'tessera%'`);
    for (const t of triggers) await db.query(`alter event trigger ${t} disable`);
    await db.query(`alter table a add column w int; alter table b owner to ${other}; alter table c add column w int`);
    const said: string[] = [];
    db.client.on('notice', (n) => said.push(n.message ?? ''));
    await db.query('select tessera.sync_catalog()');
    db.client.removeAllListeners('notice');
    expect(said.join('\n')).toContain('distributed table public.b');
    for (const name of ['a', 'c']) {
      await db.query(`insert into ${name} values (1, 2, 3)`);
      expect(await db.query(`select * from ${name}`)).toEqual([{ k: 1, v: 2, w: 3 }]);
    }
    await db.query(`alter table b owner to current_user`);
    for (const t of triggers) await db.query(`alter event trigger ${t} enable`);
    await db.query('select tessera.sync_catalog(); insert into b values (1, 2)');
    expect(await db.value('select v from b where k = 1')).toBe(2);
  });
});
