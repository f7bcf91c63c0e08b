import { afterAll, describe, expect, test } from 'vitest';
import { hasWorkers, useCluster } from '../../harness/cluster.ts';
import { failure } from '../../harness/database.ts';
import { dump, psql } from '../../harness/psql.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('a restored copy of the coordinator', () => {
  const { db } = useCluster({ nodes: 1 });
  const name = (): string => `${db.name}_copy`;
  afterAll(() => db.query(`drop database if exists ${name()} with (force)`));

  test('reaches no node, whatever it says to its distributed tables', async () => {
    await db.query('create table t (k int primary key, v int); create table r (id int primary key)');
    await db.query(`select create_distributed_table('t', 'k', shard_count => 2)`);
    await db.query(`select create_reference_table('r')`);
    await db.query('insert into t select i, i from generate_series(1, 10) i');
    await db.query('insert into r values (1)');
    await db.query(`create database ${name()} template template0`);
    psql(name(), dump(db.name));
    const copy = await db.connectTo(name());
    for (const sql of ['select * from t', 'insert into t values (11, 11)', 'delete from t'])
      expect([sql, (await failure(copy, sql)).code]).toEqual([sql, '08001']);
    for (const sql of ['insert into r values (2)', 'alter table t add column x int'])
      expect([sql, (await failure(copy, sql)).code]).toEqual([sql, '55000']);
    expect((await copy.query('select * from r')).rows).toEqual([{ id: 1 }]);
    await copy.query('drop table t');
    await copy.end();
    expect(await db.value('select count(*)::int from t')).toBe(10);
  });
});
