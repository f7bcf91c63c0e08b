import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { hasWorkers, useCluster } from '../harness/cluster.ts';
import { random } from '../harness/random.ts';
import { waitUntil } from '../harness/wait-until.ts';

const WRITERS = 4;
const MOVERS = 3;
const MOVES = 8;

/** What a writer has been told is committed: the rows of its own keys, which nobody else touches. */
class Model {
  readonly rows = new Map<number, number>();
  readonly waits: number[] = [];

  async write(session: pg.Client, rnd: () => number, own: (n: number) => number): Promise<void> {
    const key = own(rnd() % 3000);
    const [sql, apply] = this.change(key, rnd);
    const began = performance.now();
    await session.query(sql);
    this.waits.push(performance.now() - began);
    apply();
  }

  private change(key: number, rnd: () => number): [string, () => void] {
    const value = rnd() % 1_000_000;
    const both = (a: string, b: string): string => `begin; ${a}; ${b}; commit`;
    const known = this.rows.get(key);
    if (known === undefined)
      return [
        both(`insert into a values (${key}, ${value})`, `insert into b values (${key}, ${value})`),
        () => void this.rows.set(key, value),
      ];
    if (rnd() % 3 === 0)
      return [
        both(`delete from b where k = ${key}`, `delete from a where k = ${key}`),
        () => void this.rows.delete(key),
      ];
    return [
      both(`update a set v = v + ${value} where k = ${key}`, `update b set v = v + ${value} where k = ${key}`),
      () => void this.rows.set(key, known + value),
    ];
  }
}

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('moves of shards under writers', () => {
  const { db, nodes } = useCluster({ nodes: 3 });

  test('lose nothing, double nothing and hold writers up for less than a second', async () => {
    await db.query(
      'create table a (k int primary key, v int not null); create table b (k int primary key, v int not null)',
    );
    await db.query(`select create_distributed_table('a', 'k', shard_count => 6)`);
    await db.query(`select create_distributed_table('b', 'k', colocate_with => 'a')`);
    await db.query('create index on a (v)');
    const models = Array.from({ length: WRITERS }, () => new Model());
    let writing = true;
    const writer = async (model: Model, id: number): Promise<void> => {
      const session = await db.connect();
      const rnd = random(1000 + id);
      while (writing) await model.write(session, rnd, (n) => n * WRITERS + id);
    };
    const writers = models.map(writer);

    const mover = async (id: number): Promise<number> => {
      const session = await db.connect();
      const rnd = random(50 + id);
      let done = 0;
      for (let tries = 0; done < MOVES && tries < 200; tries++) {
        const { rows } = await session.query<{ shardid: bigint; nodeid: number }>(
          `select p.shardid, n.nodeid from _tessera_catalog.pg_dist_placement p join _tessera_catalog.pg_dist_node n using (groupid)
           join _tessera_catalog.pg_dist_shard s using (shardid) where s.logicalrelid = 'a'::regclass order by 1`,
        );
        const from = rows[rnd() % rows.length] as { shardid: bigint; nodeid: number };
        const to = 1 + ((from.nodeid - 1 + 1 + (rnd() % 2)) % 3);
        try {
          await session.query(
            `select citus_move_shard_placement(${from.shardid}, ${from.nodeid}, ${to}, 'force_logical')`,
          );
          done++;
        } catch (e) {
          // Another mover has the shard, or what it left there is not gone yet.
          expect(['55P03', '22000', '22023', '55000']).toContain((e as pg.DatabaseError).code);
          await session.query('call citus_cleanup_orphaned_resources()');
        }
      }
      return done;
    };
    const moved = await Promise.all(Array.from({ length: MOVERS }, (_, i) => mover(i)));
    writing = false;
    await Promise.all(writers);
    expect(moved).toEqual(Array.from({ length: MOVERS }, () => MOVES));

    const expected = models
      .flatMap((m) => [...m.rows])
      .sort(([x], [y]) => x - y)
      .map(([k, v]) => ({ k, v }));
    for (const table of ['a', 'b']) expect(await db.query(`select k, v from ${table} order by k`)).toEqual(expected);
    const waits = models.flatMap((m) => m.waits).sort((x, y) => x - y);
    expect(waits.length).toBeGreaterThan(200);
    expect(waits[Math.floor(waits.length * 0.99)]).toBeLessThan(1000);

    // Nothing is left on the nodes but the shards that are there.
    await waitUntil('the nodes are clean', async () => {
      await db.query('call citus_cleanup_orphaned_resources()');
      return (await db.value('select count(*)::int from _tessera_catalog.pg_dist_cleanup')) === 0;
    });
    for (const n of nodes) {
      expect(await n.value('select count(*)::int from pg_publication')).toBe(0);
      expect(await n.value(`select count(*)::int from pg_replication_slots where database = current_database()`)).toBe(
        0,
      );
      expect(
        await n.value(
          'select count(*)::int from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database()',
        ),
      ).toBe(0);
    }
    const there = await Promise.all(
      nodes.map((n) => n.value(`select count(*)::int from pg_class where relname ~ '^[ab]_\\d+$' and relkind = 'r'`)),
    );
    expect(there.reduce((x: number, y: number) => x + y, 0)).toBe(12);
  }, 180_000);
});
