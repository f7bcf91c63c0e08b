import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hasWorkers, useCluster } from '../../harness/cluster.ts';
import { serverAddress } from '../../harness/server.ts';
import { waitUntil } from '../../harness/wait-until.ts';

const { db, nodes } = useCluster({ nodes: 1, added: 0 });

/** Left out where the tests run on a server of the user's that has no others beside it. */
const withWorkers = describe.skipIf(!hasWorkers());

withWorkers('a published hypertable', () => {
  const chunks = (table: string): Promise<number> =>
    db.value(`select count(*)::int from show_chunks($1::text::regclass)`, [table]);

  test.each([
    ['of its own', (t: string) => `for table ${t}`],
    ['of all tables', () => 'for all tables'],
  ])('gets chunks and lets retention drop them, with a publication %s', async (_, what) => {
    const t = `p_${randomBytes(3).toString('hex')}`;
    await db.query(`create table ${t} (at timestamptz not null, room int, line text)`);
    await db.query(`select create_hypertable('${t}', 'at')`);
    await db.query(`create publication ${t} ${what(t)}`);
    await db.query(`insert into ${t} values ('2024-01-01', 1, 'a'), ('2024-03-01', 1, 'b')`);
    expect(await chunks(t)).toBe(2);
    expect(await db.column(`select line from ${t} order by at`)).toEqual(['a', 'b']);
    expect(
      await db.value(`select count(*)::int from drop_chunks('${t}', older_than => '2024-02-15'::timestamptz)`),
    ).toBe(1);
    expect(
      await db.query(`select status, hint from tessera.doctor() where check_name = 'publications' and detail ~ '${t}'`),
    ).toEqual([{ status: 'warning', hint: `alter table public.${t} replica identity full;` }]);
    expect((await db.error(`delete from ${t}`)).code).toBe('55000');
    await db.query(`alter table ${t} replica identity full`);
    expect(
      await db.value(
        `select count(*)::int from tessera.doctor() where check_name = 'publications' and detail ~ '${t}'`,
      ),
    ).toBe(0);
    await db.query(`delete from ${t}`);
    await db.query(`drop publication ${t}`);
  });

  test('takes REPLICA IDENTITY to all its parts, those to come too', async () => {
    await db.query(
      'create table ident (at timestamptz not null, id int not null, constraint ident_key unique (at, id))',
    );
    await db.query(`select create_hypertable('ident', 'at')`);
    await db.query(`insert into ident values ('2024-01-01', 1)`);
    const identities = (): Promise<string[]> =>
      db.column(
        `select distinct c.relreplident::text from pg_partition_tree('ident') t join pg_class c on c.oid = t.relid`,
      );
    for (const [sql, letter] of [
      ['full', 'f'],
      ['using index ident_key', 'i'],
      ['full', 'f'],
    ]) {
      await db.query(`alter table ident replica identity ${sql}`);
      await db.query(
        `insert into ident select '2024-02-01'::timestamptz + count(*) * interval '1 month', 1 from ident`,
      );
      expect([...new Set(await identities())].sort()).toEqual(letter === 'i' ? ['f', 'i'] : [letter]);
    }
  });

  test('shows a subscriber each row once, as it comes and as it is moved', async () => {
    const [node] = nodes as [(typeof nodes)[0]];
    const slot = `sub_${randomBytes(4).toString('hex')}`;
    await node.query('create table chat (at timestamptz not null, room int, line text)');
    await db.query('create table chat (at timestamptz not null, room int, line text)');
    await db.query(`select create_hypertable('chat', 'at', 'room', 2)`);
    await db.query('create publication chat for table chat with (publish_via_partition_root = true)');
    // Waits for the transactions of all other tests on this server.
    await db.query(`select pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
    const { host, port, user, password } = serverAddress();
    const login = password === undefined ? '' : ` password=${password}`;
    await node.query(
      `create subscription ${slot} connection 'host=${host} port=${port} dbname=${db.name} user=${user}${login}'
       publication chat with (create_slot = false, slot_name = '${slot}', copy_data = false)`,
    );
    try {
      await db.query(
        `insert into chat select '2024-01-01'::timestamptz + i * interval '5 days', i, 'line ' || i from generate_series(1, 20) i`,
      );
      await db.query(`insert into chat values ('2024-01-06', 1, 'same'), ('2024-01-06', 1, 'same')`);
      await db.query(
        `begin; insert into chat values ('2030-01-01', 1, 'a'); insert into chat values ('2030-01-01', 1, 'b'); commit`,
      );
      await db.query('alter table chat replica identity full');
      await db.query(`update chat set line = 'moved' where line = 'b'; delete from chat where line = 'line 3'`);
      const rows = 'select at::text, room, line from chat order by 1, 2, 3';
      const wanted = await db.query(rows);
      expect(wanted.length).toBe(23);
      await waitUntil(
        'the subscriber has them all',
        async () => JSON.stringify(await node.query(rows)) === JSON.stringify(wanted),
      );
    } finally {
      await node.query(`drop subscription ${slot}`);
    }
  }, 180_000);
});
