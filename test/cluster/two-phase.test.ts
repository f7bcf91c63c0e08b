import type pg from 'pg';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hasWorkers, useCluster, type NodeDatabase } from '../harness/cluster.ts';
import { failure } from '../harness/database.ts';
import { backendPid } from '../harness/sessions.ts';
import { serverAddress } from '../harness/server.ts';
import { waitUntil } from '../harness/wait-until.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('changes on several nodes', () => {
  const { db, nodes } = useCluster();
  const [first, second, third] = nodes as [NodeDatabase, NodeDatabase, NodeDatabase];

  const preparedOn = async (node: NodeDatabase): Promise<string[]> =>
    (await node.query('select gid from pg_prepared_xacts where database = current_database() order by gid')).map(
      (r) => r.gid as string,
    );
  const prepared = async (): Promise<string[]> => (await Promise.all(nodes.map(preparedOn))).flat();
  const records = (): Promise<number> => db.value('select count(*)::int from _tessera_catalog.remote_txn');

  /** The second phase is over, and nothing is left of it. */
  const settled = (): Promise<void> =>
    waitUntil('the second phase is over', async () => (await prepared()).length === 0 && (await records()) === 0);

  /** On how many of the nodes a shard of t has the column. */
  const nodesWith = async (column: string): Promise<number> => {
    const found = await Promise.all(
      nodes.map((n) =>
        n.value(
          `select count(*)::int from pg_attribute where attrelid in (select oid from pg_class where relname ~ '^t_\\d+$') and attname = $1
           and not attisdropped`,
          [column],
        ),
      ),
    );
    return found.filter((n) => n > 0).length;
  };

  const nodesWithEach = async (columns: string[]): Promise<number[]> => {
    const counts: number[] = [];
    for (const column of columns) counts.push(await nodesWith(column));
    return counts;
  };

  const finisher = async (): Promise<string> =>
    `tessera_loopback_${await db.value('select oid from pg_database where datname = current_database()')}_0`;

  /** Runs statements that leave transactions prepared, because nobody gets in to end them. */
  const withoutFinisher = async (body: () => Promise<void>): Promise<void> => {
    await db.query(`alter role ${await finisher()} nologin`);
    await body();
    await db.query(`alter role ${await finisher()} login`);
  };

  beforeAll(async () => {
    await db.query(`create table t (k int primary key, v int)`);
    await db.query(`select create_distributed_table('t', 'k', shard_count => 3)`);
    for (const n of nodes)
      expect(await n.value(`select count(*)::int from pg_class where relname ~ '^t_\\d+$' and relkind = 'r'`)).toBe(1);
  });

  // A transaction that one test left open would block the next.
  afterEach(() => db.query('rollback').then(settled));

  test('are committed on all of them, and nothing of the commit remains', async () => {
    expect(await db.notices('alter table t add column everywhere int')).toEqual([]);
    await settled();
    expect(await nodesWith('everywhere')).toBe(3);
  });

  test('are visible to the next statement, which waits for the second phase', async () => {
    for (let i = 0; i < 5; i++) {
      await db.query(`alter table t add column fresh int default ${i}`);
      await db.query('insert into t (k) select generate_series(1, 30)');
      expect(await db.value('select sum(fresh)::int from t')).toBe(30 * i);
      await db.query('delete from t');
      await db.query('alter table t drop column fresh');
    }
  });

  test('are made on none of them when one has the name already', async () => {
    const shard = await third.value(`select relname from pg_class where relname ~ '^t_\\d+$' and relkind = 'r'`);
    await third.query(`create table ${shard.replace(/^t_/, 'taken_')} ()`);
    const refused = await db.error('create index taken on t (v)');
    expect(refused).toMatchObject({ code: '42P07', detail: expect.stringContaining(`127.0.0.1:${third.port}`) });
    expect(await prepared()).toEqual([]);
    expect(await db.value(`select to_regclass('taken')`)).toBeNull();
    for (const n of [first, second])
      expect(await n.value(`select count(*)::int from pg_class where relname ~ '^taken'`)).toBe(0);
    await third.query(`drop table ${shard.replace(/^t_/, 'taken_')}`);
    await db.query('create index taken on t (v)');
    await db.query('drop index taken');
  });

  test('are made on none of them when one does not get its lock', async () => {
    const server = await db.value(`select srvname from pg_foreign_server where srvname ~ '^tessera_node_2_\\d+$'`);
    const options = await db.value(
      `select substr(o, 9) from pg_foreign_server, unnest(srvoptions) o where srvname = $1 and o like 'options=%'`,
      [server],
    );
    await db.query(`alter server ${server} options (set options '-c lock_timeout=300ms')`);
    const reader = await second.connect();
    const shard = await second.value(`select relname from pg_class where relname ~ '^t_\\d+$' and relkind = 'r'`);
    await reader.query(`begin; select from ${shard}`);
    const refused = await db.error('alter table t add column locked int');
    expect(refused).toMatchObject({
      code: '55P03',
      detail: expect.stringContaining(`127.0.0.1:${second.port}`),
      hint: expect.stringContaining('commit in between'),
    });
    expect(await prepared()).toEqual([]);
    await reader.end();
    await db.query(`alter server ${server} options (set options '${options}')`);
    expect(await nodesWith('locked')).toBe(0);
    expect(
      await db.column(`select attname from pg_attribute where attrelid = 't'::regclass and attname = 'locked'`),
    ).toEqual([]);
  });

  test('are taken back on nodes that have prepared when a later one cannot', async () => {
    await db.query('begin');
    await db.query('alter table t add column half int');
    const [gid] = await db.column(
      `select format('tessera-1-%s-%s-2-%s', _tessera_functions.cluster_origin(), pg_current_xact_id(), s.oid)
       from pg_foreign_server s where srvname ~ '^tessera_node_2_\\d+$'`,
    );
    await second.query(`begin; create table squatter (); prepare transaction '${gid}'`);
    const refused = await db.error('commit');
    expect(refused).toMatchObject({ code: '42710', detail: expect.stringContaining(`127.0.0.1:${second.port}`) });
    expect(await preparedOn(first)).toEqual([]);
    await settled();
    expect(await nodesWith('half')).toBe(0);
    expect(await second.value(`select to_regclass('squatter')`)).toBeNull();
  });

  test('go with the transaction that is rolled back, by whatever means', async () => {
    await db.query('begin; alter table t add column gone int; rollback');
    const session = await db.connect();
    await session.query('begin; alter table t add column gone int');
    await session.end();
    expect((await db.error('begin; alter table t add column gone int; select 1/0')).code).toBe('22012');
    await db.query('rollback');
    await settled();
    expect(await nodesWith('gone')).toBe(0);
    expect(await db.value('select count(*)::int from _tessera_catalog.remote_command')).toBe(0);
  });

  test('go with the savepoint that is rolled back', async () => {
    await db.query(`begin;
      alter table t add column before int;
      savepoint a;
      alter table t add column within int;
      rollback to a;
      alter table t add column after int;
      savepoint b;
      alter table t add column inner_kept int;
      release b;
      commit`);
    await settled();
    expect(await nodesWithEach(['before', 'within', 'after', 'inner_kept'])).toEqual([3, 0, 3, 3]);
  });

  test('are rolled back when another deferred constraint fails after they were prepared', async () => {
    await db.query(`
      create table guard (n int);
      create function refuse() returns trigger language plpgsql as $$
      begin
        raise exception 'prepared: %, synchronous_commit: %',
          (select n from dblink('host=127.0.0.1 user=postgres port=${first.port} dbname=${db.name}',
             'select count(*)::int from pg_prepared_xacts where database = current_database()') x(n int)),
          current_setting('synchronous_commit');
      end $$;
      create constraint trigger refuse after insert on guard deferrable initially deferred for each row execute function refuse()`);
    await db.query('set synchronous_commit = off');
    const refused = await db.error('begin; alter table t add column refused int; insert into guard values (1); commit');
    await db.query('rollback; reset synchronous_commit');
    // A commit that a crash could still lose must not be carried out on nodes.
    expect(refused.message).toBe('prepared: 1, synchronous_commit: local');
    await settled();
    expect(await nodesWith('refused')).toBe(0);
    await db.query('drop table guard; drop function refuse');
  });

  test('that are prepared before the commit must be the last ones', async () => {
    await db.query('begin; alter table t add column early int; set constraints all immediate');
    expect((await prepared()).length).toBe(3);
    await db.query('alter table t add column too_late int');
    expect(await db.error('commit')).toMatchObject({ code: '55000', hint: 'Commit before further changes.' });
    await db.query('rollback');
    await settled();
    expect(await nodesWithEach(['early', 'too_late'])).toEqual([0, 0]);
    await db.query('begin; set constraints all immediate; alter table t add column early int');
    expect((await prepared()).length).toBe(0);
    await db.query('alter table t add column second_one int; commit');
    await settled();
    expect(await nodesWithEach(['early', 'second_one'])).toEqual([3, 3]);
  });

  test('of reference tables wait for the commit, whatever has been said about constraints', async () => {
    await db.query('create table r (id int primary key); select create_reference_table($$r$$)');
    await db.query('begin; set constraints all immediate; insert into r values (1)');
    await db.query('insert into r values (2)');
    expect(await prepared()).toEqual([]);
    await db.query('savepoint a; insert into r values (3); rollback to a; delete from r where id = 1; commit');
    await settled();
    const copy = await db.value(
      `select shard_name from _tessera_catalog.pg_dist_shard where logicalrelid = 'r'::regclass`,
    );
    for (const n of nodes) expect(await n.query(`select id from ${copy}`)).toEqual([{ id: 2 }]);
    await db.query('drop table r');
  });

  test('that are prepared in a savepoint go with it, though the transaction commits', async () => {
    await db.query(`begin;
      savepoint a;
      alter table t add column undone int;
      set constraints all immediate;
      rollback to a;
      commit`);
    await settled();
    expect(await nodesWith('undone')).toBe(0);
    expect(
      await db.value(`select count(*)::int from pg_attribute where attrelid = 't'::regclass and attname = 'undone'`),
    ).toBe(0);
  });

  test('follow a transaction that is itself prepared', async () => {
    for (const [verdict, column] of [
      ['commit', 'kept'],
      ['rollback', 'lost'],
    ] as const) {
      await db.query(`begin; alter table t add column ${column} int; prepare transaction '${db.name}'`);
      expect((await prepared()).length).toBe(3);
      expect(await db.value('select tessera.heal_nodes()')).toBe(0);
      expect((await prepared()).length).toBe(3);
      await db.query(`${verdict} prepared '${db.name}'`);
      await settled();
    }
    expect(await nodesWithEach(['kept', 'lost'])).toEqual([3, 0]);
  });

  test('that nobody has ended are ended by healing, which anybody may do', async () => {
    await withoutFinisher(async () => {
      const warned = await db.notices('alter table t add column healed int');
      expect(warned).toEqual([
        { severity: 'WARNING', message: expect.stringContaining('will be committed by the next healing') },
      ]);
      expect((await prepared()).length).toBe(3);
      expect(
        await db.query('select nodeport, decision from tessera_information.prepared_transactions order by 1'),
      ).toEqual(nodes.map((n) => ({ nodeport: n.port, decision: 'commit' })).sort((a, b) => a.nodeport - b.nodeport));
      const plain = await db.as(await db.role('healer'));
      expect((await plain.query('select tessera.heal_nodes(1) as n')).rows).toEqual([{ n: 1 }]);
      expect((await plain.query('select recover_prepared_transactions() as n')).rows).toEqual([{ n: 2 }]);
      expect((await plain.query('select tessera.heal_nodes() as n')).rows).toEqual([{ n: 0 }]);
      expect((await failure(plain, 'select tessera.heal_nodes(999)')).code).toBe('P0002');
    });
    expect(await prepared()).toEqual([]);
    expect(await records()).toBe(0);
    expect(await nodesWith('healed')).toBe(3);
  });

  test('are not healed while their transaction is open', async () => {
    const writer = await db.connect();
    await writer.query('begin; alter table t add column open_one int; set constraints all immediate');
    expect(await db.value('select tessera.heal_nodes()')).toBe(0);
    expect((await writer.query('select tessera.heal_nodes() as n')).rows).toEqual([{ n: 0 }]);
    expect((await prepared()).length).toBe(3);
    await writer.query('commit');
    await settled();
    expect(await nodesWith('open_one')).toBe(3);
    await writer.end();
  });

  test('are healed under REPEATABLE READ as far as the snapshot sees', async () => {
    await withoutFinisher(async () => {
      const old = await db.connect();
      await old.query('begin isolation level repeatable read; select 1');
      await db.query('alter table t add column unseen int');
      expect((await old.query('select tessera.heal_nodes() as n')).rows).toEqual([{ n: 0 }]);
      expect((await prepared()).length).toBe(3);
      const fresh = await db.connect();
      await fresh.query('begin isolation level repeatable read; select 1');
      expect((await fresh.query('select tessera.heal_nodes(1) as n')).rows).toEqual([{ n: 1 }]);
      await db.query('select 1');
      // The records go from under the snapshot.
      const other = await db.connect();
      await fresh.query('commit; begin isolation level repeatable read; select 1');
      expect((await other.query('select tessera.heal_nodes() as n')).rows).toEqual([{ n: 2 }]);
      expect((await fresh.query('select tessera.heal_nodes() as n')).rows).toEqual([{ n: 0 }]);
      await fresh.query('commit');
      expect((await old.query('select tessera.heal_nodes() as n')).rows).toEqual([{ n: 0 }]);
      await old.query('commit');
    });
    await settled();
    expect(await nodesWith('unseen')).toBe(3);
  });

  test('end at once although another transaction is older than they are', async () => {
    const old = await db.connect();
    await old.query('begin isolation level repeatable read; select pg_current_xact_id()');
    await db.query('alter table t add column younger int');
    await settled();
    await old.query('commit');
  });

  test('of two sessions that end them at the same moment are ended once', async () => {
    await withoutFinisher(async () => {
      const healers = await Promise.all(Array.from({ length: 4 }, () => db.connect()));
      for (let i = 0; i < 4; i++) {
        await db.query(`create index race_${i} on t (v)`);
        const counts = await Promise.all(healers.map((h) => h.query('select tessera.heal_nodes() as n')));
        const last = await db.value('select tessera.heal_nodes()');
        expect(counts.reduce((sum, c) => sum + c.rows[0].n, last)).toBe(3);
      }
      await Promise.all(healers.map((h) => h.end()));
    });
    await settled();
    for (const n of nodes) expect(await n.value(`select count(*)::int from pg_class where relname ~ '^race_'`)).toBe(4);
    await db.query('drop index race_0, race_1, race_2, race_3');
  });

  test('of others on the same nodes are left alone', async () => {
    const origin = await db.value('select _tessera_functions.cluster_origin()');
    const foreign = [
      'of another application',
      'tessera-1-ffffffffffff-5-1-1',
      `tessera-2-${origin}-5-1-1`,
      `tessera-1-${origin}-5-1-1-1-1`,
      `tessera-1-${origin}-what`,
      `tessera-1-${origin}-123456789012345678901234567890-1-1`,
      // Not begun yet, as far as this database knows.
      `tessera-1-${origin}-999999999999999-1-1`,
    ];
    for (const [i, gid] of foreign.entries())
      await first.query(`begin; create table foreign_${i} (); prepare transaction '${gid}'`);
    // Ours and aborted: nothing says that it was committed.
    await first.query(`begin; create table orphan (); prepare transaction 'tessera-1-${origin}-700-1-1'`);
    expect(await db.value('select tessera.heal_nodes()')).toBe(1);
    await db.query('alter table t add column beside int');
    await waitUntil('the second phase is over', async () => (await records()) === 0);
    expect((await preparedOn(first)).sort()).toEqual([...foreign].sort());
    for (const gid of foreign) await first.query(`rollback prepared '${gid}'`);
    expect(await first.value(`select to_regclass('orphan')`)).toBeNull();
  });

  test('are finished again after somebody has locked the finisher out', async () => {
    await db.query(`alter role ${await finisher()} nologin`);
    await db.query('alter table t add column mended int');
    await db.query(`call _tessera_functions.policy_cluster(6, '{}')`);
    expect(await prepared()).toEqual([]);
    expect(await db.notices('alter table t add column mended_too int')).toEqual([]);
    await settled();
    expect(await nodesWith('mended_too')).toBe(3);
  });

  test('are finished where PUBLIC may not connect', async () => {
    await db.query(`revoke connect on database ${db.name} from public`);
    await db.query(`drop owned by ${await finisher()}; alter role ${await finisher()} nologin`);
    await db.query('alter table t add column private int');
    await db.query(`call _tessera_functions.policy_cluster(6, '{}')`);
    expect(await db.notices('alter table t add column private_too int')).toEqual([]);
    await settled();
    await db.query(`grant connect on database ${db.name} to public`);
  });

  describe('and a role without rights', () => {
    let eve: pg.Client;
    let shard: string;

    beforeAll(async () => {
      const role = await db.role('eve');
      await db.query(`create schema eve authorization ${role}`);
      eve = await db.as(role);
      await eve.query(`set search_path = eve, public; create table e (k int primary key);
        select create_distributed_table('e', 'k', shard_count => 3)`);
      shard = await first.value(`select relname from pg_class where relname ~ '^e_\\d+$' and relkind = 'r'`);
    });

    const connections = async (): Promise<string[]> =>
      (await eve.query('select coalesce(dblink_get_connections(), $${}$$) as c')).rows[0].c;

    test('finds no connection to use after a statement that was cancelled on a node', async () => {
      const holder = await first.connect();
      await holder.query(`begin; lock table eve.${shard} in access exclusive mode`);
      const waiting = (): Promise<boolean> =>
        first.value(
          `select exists (select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database())`,
        );
      const pid = await backendPid(eve);
      const sized = failure(eve, `select citus_total_relation_size('e')`);
      await waitUntil('the node makes it wait', waiting);
      await db.query('select pg_cancel_backend($1)', [pid]);
      await holder.query('rollback');
      expect((await sized).code).toBe('57014');
      expect(await connections()).toEqual([]);
      await holder.query(`begin; lock table eve.${shard} in access exclusive mode`);
      const altered = failure(eve, 'alter table e add column c int');
      await waitUntil('the node makes it wait', waiting);
      await db.query('select pg_cancel_backend($1)', [pid]);
      expect((await altered).code).toBe('57014');
      // It must not get its lock later on, and prepare what nobody waits for any more.
      await waitUntil('the node does not go on with it', async () => !(await waiting()), 5000);
      await holder.end();
      expect((await connections()).filter((c) => c !== 'tessera_finisher')).toEqual([]);
      await settled();
      expect(
        await first.value(
          `select count(*)::int from pg_attribute where attrelid = 'eve.${shard}'::regclass and attname = 'c'`,
        ),
      ).toBe(0);
    });

    test('gains nothing from the connection of the finisher', async () => {
      await eve.query('alter table e add column d int');
      await settled();
      expect(await connections()).toEqual(['tessera_finisher']);
      for (let i = 0; i < 2; i++) await eve.query(`select from dblink_get_result('tessera_finisher') as t(r text)`);
      const there = (sql: string): Promise<pg.QueryResult> =>
        eve.query(`select r from dblink('tessera_finisher', $1) as t(r text)`, [sql]);
      const user = (await there('select session_user')).rows[0].r;
      expect(user).toBe(await finisher());
      expect(
        (
          await there(`select string_agg(rolname, ',') from pg_auth_members m join pg_roles r on r.oid = m.roleid
          where m.member = session_user::regrole`)
        ).rows[0].r,
      ).toBeNull();
      for (const sql of [
        'select k::text from eve.e',
        'select authinfo from _tessera_catalog.pg_dist_authinfo',
        `insert into _tessera_catalog.remote_command (nodeid, server, command) values (1, 'tessera_node_1', 'select 1')`,
        'delete from _tessera_catalog.remote_txn',
        `create role mallory`,
        `alter role postgres password 'x'`,
        `set role postgres`,
      ])
        expect([sql, (await failure(eve, `select dblink('tessera_finisher', $1)`, [sql])).code]).toEqual([
          sql,
          '42501',
        ]);
    });

    test('cannot queue commands, record decisions or use what works on nodes', async () => {
      for (const sql of [
        `insert into _tessera_catalog.remote_command (nodeid, server, command) values (1, 'tessera_node_1', 'drop table t')`,
        `update _tessera_catalog.remote_command set command = 'drop table t'`,
        'select * from _tessera_catalog.remote_command',
        `insert into _tessera_catalog.remote_txn values ('tessera-1-00-5-1-1', 1, 'x')`,
        'delete from _tessera_catalog.remote_txn',
        'truncate _tessera_catalog.remote_txn',
        `insert into _tessera_catalog.pg_dist_cleanup (operation_id, object_type, object_name, node_group_id, policy_type) values (0, 1, 't', 1, 0)`,
        'delete from _tessera_catalog.pg_dist_origin',
        'select tessera.adopt_nodes()',
        `select dblink_connect('x', (select srvname::text from pg_foreign_server where srvname = 'tessera_node_1_10'))`,
      ])
        expect([sql, (await failure(eve, sql)).code]).toEqual([sql, '42501']);
      // There is a user mapping for nobody but the owner of the extension.
      for (const sql of [
        `select dblink_connect('x', 'tessera_node_1')`,
        `select dblink('tessera_finisher', $$select dblink_connect('x', 'tessera_node_1')$$)`,
        `select _tessera_functions.ensure_owner_server(1, 'pg_monitor')`,
      ])
        expect([sql, (await failure(eve, sql)).code]).toEqual([sql, '42704']);
      await eve.query('select _tessera_functions.prepare_remote_transactions()').catch(() => undefined);
      await eve.query(`select _tessera_functions.finish_remote_transaction('7', array[1, 999])`);
      const seen: string[] = [];
      eve.on('notice', (n) => void seen.push(n.message ?? ''));
      await eve.query(`select _tessera_functions.heal_some_nodes(array[1])`);
      expect(seen).toEqual([expect.stringContaining('user mapping not found')]);
    });

    test('is not heeded when it passes another connection off as a node', async () => {
      const { port, user } = serverAddress();
      const session = await db.connect();
      // As dblink lets any role do that has a password for somewhere.
      await session.query(
        `select dblink_connect('tessera_node_1', 'host=127.0.0.1 port=${port} user=${user} dbname=${db.name}')`,
      );
      await session.query(`set session authorization ${(await eve.query('select session_user as s')).rows[0].s}`);
      await withoutFinisher(async () => {
        await db.query('alter table t add column genuine int');
        expect((await session.query('select tessera.heal_nodes() as n')).rows).toEqual([{ n: 3 }]);
      });
      expect((await session.query('select dblink_get_connections() as c')).rows).toEqual([{ c: null }]);
      expect(await nodesWith('genuine')).toBe(3);
    });
  });
});
