import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failure } from '../../harness/database.ts';
import { hasWorkers, useCluster, type NodeDatabase } from '../../harness/cluster.ts';
import { CHECKSUM, holdMove, MOVING_TABLES, PHASES, type Scene } from '../../harness/moves.ts';
import { backendPid } from '../../harness/sessions.ts';
import { waitUntil } from '../../harness/wait-until.ts';

describe.skipIf(!hasWorkers())('moves of shards', () => {
  const { db, nodes } = useCluster({ nodes: 3, added: 2 });
  let sum: string;
  const scene: Scene = {
    coordinator: () => db.connect(),
    node: (port) => (nodes.find((n) => n.port === port) as NodeDatabase).connect(),
  };
  const portOf = (shard: bigint): Promise<number> =>
    db.value('select nodeport from citus_shards where shardid = $1', [shard]);
  const nodeId = (port: number): Promise<number> =>
    db.value('select nodeid from _tessera_catalog.pg_dist_node where nodeport = $1', [port]);
  const shardOf = (table: string, remainder = 0): Promise<bigint> =>
    db.value(
      'select shardid from _tessera_catalog.pg_dist_shard where logicalrelid = $1::regclass and coalesce(remainder, 0) = $2',
      [table, remainder],
    );
  /** The shard and two nodes: where it is, and another one. */
  const route = async (table: string, remainder = 0) => {
    const shard = await shardOf(table, remainder);
    const from = await portOf(shard);
    const to = (nodes.slice(0, 2).find((n) => n.port !== from) as NodeDatabase).port;
    return { shard, from, to, sql: '' };
  };
  const moveSql = async (r: { shard: bigint; from: number; to: number }, mode = 'auto'): Promise<string> =>
    `select citus_move_shard_placement(${r.shard}, ${await nodeId(r.from)}, ${await nodeId(r.to)}, '${mode}')`;

  /** Everything on the nodes that no placement and no subscription in use accounts for. */
  const leftovers = async (): Promise<string[]> => {
    const placed = await db.column(
      `select format('%s %s', n.nodeport, s.shard_name) from _tessera_catalog.pg_dist_shard s join _tessera_catalog.pg_dist_placement p using (shardid)
       join _tessera_catalog.pg_dist_node n on n.groupid = p.groupid`,
    );
    const found: string[] = [];
    for (const node of nodes) {
      const names = (
        await node.query(
          `select 'slot ' || slot_name as name from pg_replication_slots where database = current_database()
           union all select 'subscription ' || subname from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database()
           union all select 'publication ' || pubname from pg_publication
           union all select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`,
        )
      ).map((r) => `${node.port} ${r.name}`);
      found.push(...names.filter((n) => !placed.includes(n)));
      const here = placed.filter((p) => p.startsWith(`${node.port} `));
      expect(here.filter((p) => !names.includes(p))).toEqual([]);
    }
    return found;
  };
  const expectClean = async (): Promise<void> => {
    const notices = await db.notices('call citus_cleanup_orphaned_resources()');
    expect(await db.query('select object_name, message from _tessera_catalog.pg_dist_cleanup')).toEqual([]);
    expect(notices.filter((n) => n.severity !== 'NOTICE')).toEqual([]);
    expect(await leftovers()).toEqual([]);
    expect(await db.column('select status from _tessera_catalog.shard_transfer')).toEqual([]);
  };
  const expectIntact = async (): Promise<void> => {
    expect(await db.value(CHECKSUM)).toBe(sum);
  };

  beforeAll(async () => {
    for (const sql of MOVING_TABLES) await db.query(sql);
    await db.query(`create table plain (k int, v text)`);
    await db.query(`select create_distributed_table('plain', 'k', shard_count => 2, colocate_with => 'none')`);
    await db.query(`insert into plain select i, 'p' || i from generate_series(1, 100) i`);
    sum = await db.value(CHECKSUM);
  });

  afterAll(async () => {
    await expectClean();
  });

  for (const mode of ['auto', 'force_logical', 'block_writes'])
    test(`take all colocated tables along, with everything they have (${mode})`, async () => {
      const r = await route('parent');
      await db.query(await moveSql(r, mode));
      expect(await portOf(r.shard)).toBe(r.to);
      expect(await portOf(await shardOf('child'))).toBe(r.to);
      await expectIntact();
      await expectClean();
      const there = nodes.find((n) => n.port === r.to) as NodeDatabase;
      const child = await db.value('select shard_name from _tessera_catalog.pg_dist_shard where shardid = $1', [
        await shardOf('child'),
      ]);
      expect(
        await there.query(
          `select contype::text as kind, convalidated as valid from pg_constraint where conrelid = $1::text::regclass and contype in ('p', 'f', 'c') order by 1`,
          [child],
        ),
      ).toEqual([
        { kind: 'c', valid: true },
        { kind: 'f', valid: true },
        { kind: 'p', valid: true },
      ]);
      expect(
        await there.query(
          `select (select count(*)::int from pg_index where indrelid = $1::text::regclass and indisvalid) as indexes,
             (select count(*)::int from pg_statistic_ext where stxrelid = $1::text::regclass) as statistics,
             (select count(*)::int > 0 from pg_stats where tablename = $1::text) as analyzed`,
          [child],
        ),
      ).toEqual([{ indexes: 2, statistics: 1, analyzed: true }]);
      // Writers find the shard where it is now.
      await db.query(`update parent set v = v || '!'; update parent set v = rtrim(v, '!')`);
      await expectIntact();
    });

  test('by name and port do the same', async () => {
    const r = await route('parent', 1);
    await db.query(
      `select citus_move_shard_placement(${r.shard}, '127.0.0.1', ${r.from}, '127.0.0.1', ${r.to}, shard_transfer_mode => 'force_logical')`,
    );
    expect(await portOf(r.shard)).toBe(r.to);
    await expectIntact();
  });

  test('are refused before anything begins', async () => {
    const [, , third] = nodes as [NodeDatabase, NodeDatabase, NodeDatabase];
    const r = await route('parent');
    const [source, target] = [await nodeId(r.from), await nodeId(r.to)];
    const inactive = await db.value(`select citus_add_inactive_node('127.0.0.1', ${third.port})`);
    await db.query(`select citus_set_coordinator_host('127.0.0.1')`);
    const coordinator = await db.value('select citus_coordinator_nodeid()');
    const operations = await db.value('select last_value from _tessera_catalog.pg_dist_operationid_seq');
    const cases: [string, string, RegExp | undefined][] = [
      [`${r.shard}, ${source}, ${source}`, '22023', undefined],
      [`null, ${source}, ${target}`, '22023', undefined],
      [`1, ${source}, ${target}`, '42704', undefined],
      [`${r.shard}, ${source}, 999`, 'P0002', undefined],
      [`${r.shard}, '127.0.0.1', ${r.from}, 'nowhere', 1`, '42704', undefined],
      [`${r.shard}, ${inactive}, ${target}`, '22000', /citus_shards/],
      [`${r.shard}, ${source}, ${inactive}`, '0A000', /citus_activate_node/],
      [`${r.shard}, ${source}, ${coordinator}`, '0A000', /citus_set_node_property/],
      [`${await shardOf('kinds')}, ${source}, ${target}`, '0A000', undefined],
      [
        `${await shardOf('plain')}, ${await nodeId(await portOf(await shardOf('plain')))}, ${coordinator}`,
        '0A000',
        undefined,
      ],
    ];
    for (const [args, code, hint] of cases) {
      const e = await db.error(`select citus_move_shard_placement(${args})`);
      expect([args, e.code]).toEqual([args, code]);
      if (hint !== undefined) expect(e.hint).toMatch(hint);
    }
    // A node without copies of the reference tables that foreign keys need.
    await db.query(`select citus_activate_node('127.0.0.1', ${third.port})`);
    expect(await db.error(`select citus_move_shard_placement(${r.shard}, ${source}, ${inactive})`)).toMatchObject({
      code: '55000',
      hint: expect.stringContaining('replicate_reference_tables'),
    });
    expect(await db.value('select last_value from _tessera_catalog.pg_dist_operationid_seq')).toBe(operations);
    await db.query('select replicate_reference_tables()');
    await db.query(await moveSql({ ...r, to: third.port }));
    await db.query(await moveSql({ ...r, from: third.port, to: r.from }));
    await expectIntact();
  });

  test('without a replica identity are refused in mode auto, and nothing begins', async () => {
    const r = await route('plain');
    const operations = await db.value('select last_value from _tessera_catalog.pg_dist_operationid_seq');
    const e = await db.error(await moveSql(r));
    expect(e.code).toBe('0A000');
    expect(e.hint).toContain('block_writes');
    expect(await db.value('select last_value from _tessera_catalog.pg_dist_operationid_seq')).toBe(operations);
    expect(await portOf(r.shard)).toBe(r.from);
  });

  test('are the business of the owner of all tables of the group', async () => {
    const role = await db.role('mover');
    const session = await db.as(role);
    const r = await route('parent');
    expect((await failure(session, await moveSql(r))).code).toBe('42501');
    await db.query(`grant create on schema public to ${role}`);
    await session.query('create table own (k int primary key)');
    await session.query(`select create_distributed_table('own', 'k', shard_count => 2, colocate_with => 'none')`);
    await session.query('insert into own select generate_series(1, 100)');
    for (const mode of ['auto', 'block_writes']) {
      const own = await route('own');
      await session.query(await moveSql(own, mode));
      expect(await portOf(own.shard)).toBe(own.to);
    }
    expect((await session.query('select count(*)::int as n from own')).rows).toEqual([{ n: 100 }]);
    await session.query('drop table own');
    await expectClean();
  });

  test('that are done already only warn', async () => {
    const r = await route('parent');
    await db.query(await moveSql(r));
    const notices = await db.notices(await moveSql(r));
    expect(notices).toEqual([{ severity: 'WARNING', message: expect.stringContaining('is already on node') }]);
    expect(await portOf(r.shard)).toBe(r.to);
  });

  test('are refused in a transaction that has changed the tables, or needs another snapshot', async () => {
    const r = await route('parent');
    const sql = await moveSql(r);
    const session = await db.connect();
    const inTransaction = async (begin: string, before: string): Promise<string | undefined> => {
      await session.query(begin);
      await session.query(before);
      const { code } = await failure(session, sql);
      await session.query('rollback');
      return code;
    };
    expect(await inTransaction('begin', `insert into parent values (100000, 'x')`)).toBe('25001');
    expect(await inTransaction('begin', 'alter table child add column late int')).toBe('25001');
    expect(await inTransaction('begin isolation level repeatable read', 'select 1')).toBe('25001');
    expect(await inTransaction('begin', await moveSql(await route('parent', 2)))).toBe('0A000');
    expect(await portOf(r.shard)).toBe(r.from);
    // What was written elsewhere does not matter, nor does reading.
    await session.query('begin');
    await session.query('create table elsewhere (k int)');
    await session.query('select count(*) from parent');
    await session.query(sql);
    await session.query('commit');
    expect(await portOf(r.shard)).toBe(r.to);
    await expectIntact();
    await expectClean();
  });

  test('undo everything when the transaction is rolled back', async () => {
    for (const mode of ['auto', 'block_writes']) {
      const r = await route('parent');
      await db.query('begin');
      await db.query(await moveSql(r, mode));
      expect(await portOf(r.shard)).toBe(r.to);
      await db.query('rollback');
      expect(await portOf(r.shard)).toBe(r.from);
      await expectIntact();
      await expectClean();
      await db.query(`update parent set v = v`);
    }
  });

  test('of one shard come one at a time, and tables stay as they are meanwhile', async () => {
    const r = { ...(await route('parent')), sql: '' };
    const sql = await moveSql(r);
    const held = await holdMove(scene, { ...r, sql }, 'Copying Data');
    const refusals = [
      sql,
      'alter table parent add column w int',
      'create index on child (n)',
      'drop table child',
      `create table joining (k int primary key); select create_distributed_table('joining', 'k', colocate_with => 'parent')`,
    ];
    for (const refused of refusals) {
      const e = await db.error(refused);
      expect([refused, e.code]).toEqual([refused, '55P03']);
      expect(e.hint).toMatch(/again/);
    }
    expect(await db.query('select shardid, status from get_rebalance_progress() order by 1')).toEqual([
      { shardid: r.shard, status: 'Copying Data' },
      { shardid: await shardOf('child'), status: 'Copying Data' },
    ]);
    await held.release();
    expect(await held.outcome).toBeUndefined();
    expect(await portOf(r.shard)).toBe(r.to);
    expect(await db.query('select * from get_rebalance_progress()')).toEqual([]);
    await expectIntact();
    await db.query('alter table parent add column w int; alter table parent drop column w');
    await expectClean();
  });

  test('keep their target from being removed or disabled', async () => {
    const [, , third] = nodes as [NodeDatabase, NodeDatabase, NodeDatabase];
    const r = { ...(await route('parent')), to: third.port };
    const held = await holdMove(scene, { ...r, sql: await moveSql(r) }, 'Setting Up');
    try {
      for (const f of ['citus_remove_node', 'citus_disable_node'])
        expect(await db.error(`select ${f}('127.0.0.1', ${third.port})`)).toMatchObject({
          code: '55000',
          hint: expect.stringMatching(/again/),
        });
    } finally {
      await held.release();
    }
    expect(await held.outcome).toBeUndefined();
    await db.query(await moveSql({ ...r, from: r.to, to: r.from }));
    await expectIntact();
    await expectClean();
  });

  for (const mode of ['force_logical', 'block_writes'])
    test(`of several shards of one group go on side by side (${mode})`, async () => {
      const routes = await Promise.all([0, 1, 2, 3].map((i) => route('parent', i)));
      const outcomes = await Promise.all(
        routes.map(async (r) => (await db.connect()).query(await moveSql(r, mode)).then(() => 'done', String)),
      );
      expect(outcomes).toEqual(['done', 'done', 'done', 'done']);
      for (const r of routes) expect(await portOf(r.shard)).toBe(r.to);
      await expectIntact();
      await expectClean();
    });

  for (const phase of PHASES)
    test(`that are cancelled or ended in phase "${phase}" change nothing`, async () => {
      for (const end of ['pg_cancel_backend', 'pg_terminate_backend']) {
        const r = await route('parent', 1);
        const held = await holdMove(scene, { ...r, sql: await moveSql(r) }, phase);
        try {
          await db.query(`select ${end}($1)`, [held.pid]);
          expect(await held.outcome).toMatchObject(
            end === 'pg_cancel_backend' ? { code: '57014' } : { message: expect.stringMatching(/terminat/) },
          );
          await waitUntil(
            'nothing is shown any more',
            async () => (await db.query('select * from get_rebalance_progress()')).length === 0,
          );
          // A session on a node that stayed open could be used by whoever called us.
          if (end === 'pg_cancel_backend')
            expect((await held.client.query('select dblink_get_connections() as c')).rows).toEqual([{ c: null }]);
        } finally {
          await held.release();
        }
        expect(await portOf(r.shard)).toBe(r.from);
        await expectIntact();
        await waitUntil('the remnants can be dropped', async () => {
          await db.query('call citus_cleanup_orphaned_resources()');
          return (await db.value('select count(*)::int from _tessera_catalog.pg_dist_cleanup')) === 0;
        });
        await expectClean();
        await db.query('update parent set v = v');
      }
    });

  test('of a drain that is cancelled in the foreground end with it', async () => {
    const r = await route('parent');
    const source = await scene.node(r.from);
    const client = await db.connect();
    const pid = await backendPid(client);
    await source.query('begin');
    await source.query('select pg_current_xact_id()');
    const draining = failure(client, `select citus_drain_node('127.0.0.1', ${r.from}, 'force_logical')`);
    await waitUntil(
      'a move is under way',
      async () => (await db.query('select * from get_rebalance_progress()')).length > 0,
    );
    await db.query('select pg_cancel_backend($1)', [pid]);
    expect((await draining).code).toBe('57014');
    await waitUntil(
      'the move has ended',
      async () => (await db.query('select * from get_rebalance_progress()')).length === 0,
      10_000,
    );
    await source.query('commit');
    expect(await portOf(r.shard)).toBe(r.from);
    await db.query(`select citus_set_node_property('127.0.0.1', ${r.from}, 'shouldhaveshards', true)`);
    await expectClean();
  });

  test('wait for a statement that reads for long, whom they do not disturb, and let writers through meanwhile', async () => {
    const r = await route('parent');
    const reader = await db.connect();
    const writer = await db.connect();
    await reader.query('begin');
    await reader.query('select count(*) from parent');
    let over = false;
    const moving = (await db.connect()).query(await moveSql(r)).finally(() => (over = true));
    await waitUntil(
      'the switch is tried',
      async () => (await db.value('select min(status) from _tessera_catalog.shard_transfer')) === 'Completing',
    );
    let slowest = 0;
    for (let i = 0; i < 40; i++) {
      const begun = performance.now();
      await writer.query('update parent set v = v where k = $1', [1 + i]);
      slowest = Math.max(slowest, performance.now() - begun);
    }
    expect(over).toBe(false);
    expect(slowest).toBeLessThan(1000);
    expect((await reader.query('select count(*)::int as n from parent')).rows).toEqual([{ n: 400 }]);
    await reader.query('commit');
    await moving;
    expect(await portOf(r.shard)).toBe(r.to);
    await expectIntact();
    await expectClean();
  });

  test('let writers of all shards go on while the rows are copied, and take along what they write', async () => {
    const r = await route('parent');
    const held = await holdMove(scene, { ...r, sql: await moveSql(r) }, 'Copying Data');
    const begun = performance.now();
    await db.query(`update parent set v = v || '+'`);
    await db.query(`insert into parent select i, 'new' from generate_series(1001, 1100) i`);
    await db.query(`delete from parent where k between 1001 and 1090`);
    expect(performance.now() - begun).toBeLessThan(2000);
    await held.release();
    expect(await held.outcome).toBeUndefined();
    expect(await portOf(r.shard)).toBe(r.to);
    expect(
      await db.query(`select count(*)::int as n, count(*) filter (where v like '%+')::int as marked from parent`),
    ).toEqual([{ n: 410, marked: 400 }]);
    await db.query(`delete from parent where k > 1000; update parent set v = rtrim(v, '+')`);
    await expectIntact();
    await expectClean();
  });

  test('of a table without replica identity take rows that come in along, but none can be changed meanwhile', async () => {
    const r = await route('plain');
    await db.query(`insert into plain values (0, 'during')`);
    const source = await scene.node(r.from);
    await source.query('begin; select pg_current_xact_id()');
    const moving = (await db.connect()).query(await moveSql(r, 'force_logical'));
    await waitUntil(
      'the shard is published',
      async () => (await source.query('select from pg_publication')).rowCount === 1,
    );
    expect((await db.error('update plain set v = v')).code).toBe('55000');
    await db.query(`insert into plain select i, 'during' from generate_series(101, 120) i`);
    await source.query('commit');
    await moving;
    expect(await db.value('select count(*)::int from plain')).toBe(121);
    await db.query(`update plain set v = v; delete from plain where v = 'during'`);
    await expectClean();
  });

  test('with block_writes keep writers waiting and readers not', async () => {
    const r = await route('plain');
    const writer = await db.connect();
    // The target cannot be written to, so the copy waits.
    const target = await scene.node(r.to);
    let moved = false;
    const other = await db.connect();
    await other.query(`begin; insert into plain values (-1, 'before')`);
    const moving = (await db.connect()).query(await moveSql(r, 'block_writes')).finally(() => (moved = true));
    await waitUntil(
      'the move waits for the writer',
      async () => (await db.value('select min(status) from _tessera_catalog.shard_transfer')) === 'Setting Up',
    );
    const name = await db.value('select shard_name from _tessera_catalog.pg_dist_shard where shardid = $1', [r.shard]);
    await waitUntil(
      'the shard is made',
      async () => (await target.query(`select to_regclass('${name}') as t`)).rows[0].t !== null,
    );
    await target.query(`begin; lock table ${name} in access exclusive mode`);
    await other.query('commit');
    await waitUntil(
      'rows are copied',
      async () => (await db.value('select min(status) from _tessera_catalog.shard_transfer')) === 'Copying Data',
    );
    let written = false;
    const writing = writer
      .query(`insert into plain select i, 'late' from generate_series(1000, 1019) i`)
      .then(() => (written = true));
    expect(await db.value('select count(*)::int from plain')).toBe(101);
    expect(written).toBe(false);
    await target.query('commit');
    await moving;
    await writing;
    expect(moved).toBe(true);
    expect(await portOf(r.shard)).toBe(r.to);
    expect(await db.value('select count(*)::int from plain')).toBe(121);
    await db.query('delete from plain where k >= 1000 or k < 0');
    await expectClean();
  });

  test('with block_writes do not wait for a transaction on the source that waits for them', async () => {
    const r = await route('plain');
    const target = await scene.node(r.to);
    const writer = await db.connect();
    // Somewhere else on the source.
    const other = await db.value(
      `select k from parent k where (select nodeport from citus_shards where shardid = get_shard_id_for_distribution_column('parent', k.k)) = $1 limit 1`,
      [r.from],
    );
    await writer.query('begin');
    const moving = (await db.connect()).query(await moveSql(r, 'block_writes'));
    const name = await db.value('select shard_name from _tessera_catalog.pg_dist_shard where shardid = $1', [r.shard]);
    await waitUntil(
      'the shard is made',
      async () => (await target.query(`select to_regclass('${name}') as t`)).rows[0].t !== null,
    );
    await target.query(`begin; lock table ${name} in exclusive mode`);
    await waitUntil(
      'the copy waits',
      async () =>
        (await target.query(`select from pg_locks where relation = '${name}'::regclass and not granted`)).rowCount ===
        1,
    );
    await writer.query('update parent set v = v where k = $1', [other]);
    const writing = writer.query(`insert into plain values (-3, 'waited')`);
    await target.query('commit');
    await moving;
    await writing;
    await writer.query('commit');
    expect(await portOf(r.shard)).toBe(r.to);
    expect(await db.value('select count(*)::int from plain')).toBe(101);
    await db.query('delete from plain where k < 0');
    await expectClean();
  });

  test('with block_writes give way to a transaction that has read the tables and now waits to write them', async () => {
    const r = await route('plain');
    const session = await db.connect();
    await session.query('begin; select count(*) from plain');
    const moving = failure(await db.connect(), await moveSql(r, 'block_writes'));
    await waitUntil(
      'writers are kept waiting',
      async () =>
        (await db.value(
          `select count(*)::int from pg_locks where relation = 'plain'::regclass and mode = 'ExclusiveLock' and granted`,
        )) === 1,
    );
    await session.query(`insert into plain values (-2, 'after reading')`);
    await session.query('commit');
    expect((await moving).code).toBe('40P01');
    expect(await portOf(r.shard)).toBe(r.from);
    await db.query('delete from plain where k < 0');
    await expectClean();
  });

  test('say so within seconds when rows cannot be replicated', async () => {
    const r = await route('parent');
    const held = await holdMove(scene, { ...r, sql: await moveSql(r) }, 'Setting Up');
    const target = await scene.node(r.to);
    const name = await db.value('select shard_name from _tessera_catalog.pg_dist_shard where shardid = $1', [r.shard]);
    await target.query(`alter table ${name} add constraint impossible check (v = 'nothing')`);
    const begun = performance.now();
    await held.release();
    expect(await held.outcome).toMatchObject({ code: '08000', hint: expect.stringContaining('log of that node') });
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(await portOf(r.shard)).toBe(r.from);
    await expectClean();
  });

  test('leave alone what somebody else has under the name of a shard', async () => {
    const r = await route('plain');
    const target = nodes.find((n) => n.port === r.to) as NodeDatabase;
    const name = await db.value('select shard_name from _tessera_catalog.pg_dist_shard where shardid = $1', [r.shard]);
    await target.query(`create table ${name} (precious int); insert into ${name} values (1)`);
    for (const mode of ['force_logical', 'block_writes'])
      expect((await db.error(await moveSql(r, mode))).code).toBe('42P07');
    await db.query('call citus_cleanup_orphaned_resources()');
    expect(await target.value(`select precious from ${name}`)).toBe(1);
    await target.query(`drop table ${name}`);
    await expectClean();
  });
});
