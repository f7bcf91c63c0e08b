import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type pg from 'pg';
import { hasWorkers, useCluster } from '../../harness/cluster.ts';
import { random } from '../../harness/random.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('row security of distributed tables', () => {
  const cluster = useCluster({ nodes: 2 });
  const { db, nodes } = cluster;
  let tenant = '';
  let clerk = '';
  let as: pg.Client;

  const code = (sql: string): Promise<string> =>
    as.query(sql).then(
      () => 'done',
      (e: { code: string; message: string }) => `${e.code} ${e.message}`,
    );
  const DENIED = (table: string, policy = ''): string =>
    `42501 new row violates row-level security policy${policy === '' ? '' : ` "${policy}"`} for table "${table}"`;

  beforeAll(async () => {
    tenant = await db.role('tenant');
    clerk = await db.role('clerk');
    await db.query(`create table rl (id int primary key, t int, v text, g int generated always as (t * 10) stored);
      select create_distributed_table('rl', 'id', shard_count => 4);
      insert into rl values (1, 1, 'a'), (2, 2, 'b'), (3, 1, 'c');
      alter table rl enable row level security;
      create policy p on rl using (t = current_setting('app.t')::int);
      grant all on rl to ${tenant}, ${clerk}`);
    as = await db.connect();
    await as.query(`set role ${tenant}; set app.t = '1'`);
  });
  afterAll(() => as.end());

  test('keeps a tenant from rows of others, whatever the statement', async () => {
    for (const sql of [
      `insert into rl values (10, 2, 'x')`,
      `insert into rl values (10, 1, 'x'), (11, 2, 'x')`,
      `insert into rl select i, 2, 'x' from generate_series(20, 30) i`,
      `insert into rl values (10, null, 'x')`,
      `insert into rl values (10, 2, 'x') on conflict do nothing`,
      `insert into rl values (10, 2, 'x') returning id`,
      `with w as (insert into rl values (10, 2, 'x') returning id) select * from w`,
      'update rl set t = 2 where id = 1',
      'update rl set t = 2',
      'update rl set t = 2 where t = 1 returning id',
      'update rl set t = x.t from (values (1, 2)) x(id, t) where x.id = rl.id',
      `do $$ begin insert into rl values (10, 2, 'x'); end $$`,
    ])
      expect([sql, await code(sql)]).toEqual([sql, DENIED('rl')]);
    await as.query('prepare p as insert into rl values ($1, $2, $3)');
    expect(await code(`execute p (10, 2, 'x')`)).toBe(DENIED('rl'));
    expect(await code('copy rl from stdin')).toMatch(/^0A000/);
    expect(
      await code('merge into rl using (values (1)) x(id) on x.id = rl.id when matched then update set t = 2'),
    ).toMatch(/^0A000|^42809/);
    expect(await db.query('select id, t, v from rl order by id')).toEqual([
      { id: 1, t: 1, v: 'a' },
      { id: 2, t: 2, v: 'b' },
      { id: 3, t: 1, v: 'c' },
    ]);
  });

  test('lets him change his own rows, and no others', async () => {
    expect((await as.query(`update rl set v = 'mine' returning id`)).rows).toHaveLength(2);
    expect((await as.query('update rl set v = $$mine$$ where id = 2')).rowCount).toBe(0);
    expect((await as.query('delete from rl where id in (2, 3)')).rowCount).toBe(1);
    await as.query(`insert into rl values (3, 1, 'c') returning g`);
    expect((await as.query('select id from rl order by id')).rows).toEqual([{ id: 1 }, { id: 3 }]);
    expect((await as.query('select count(*)::int as n from rl')).rows).toEqual([{ n: 2 }]);
  });

  test('says nothing to the owner, unless it is forced', async () => {
    const owner = await db.role('keeper');
    await db.query(`create schema ${owner} authorization ${owner}`);
    const session = await db.connect();
    await session.query(`set role ${owner}; create table ${owner}.o (id int primary key, t int);
      select create_distributed_table('${owner}.o', 'id', shard_count => 2);
      alter table ${owner}.o enable row level security; create policy p on ${owner}.o using (t = 1)`);
    await session.query(`insert into ${owner}.o values (1, 2)`);
    await session.query(`alter table ${owner}.o force row level security`);
    await expect(session.query(`insert into ${owner}.o values (2, 2)`)).rejects.toMatchObject({ code: '42501' });
    await session.query(`alter table ${owner}.o no force row level security; drop table ${owner}.o`);
    await session.end();
  });

  test('asks operators and functions of the policy, not those of whoever writes', async () => {
    await db.query(`create schema trap; grant usage, create on schema trap to ${tenant}`);
    await as.query(`create function trap.yes(int, int) returns boolean language sql as 'select true';
      create operator trap.= (function = trap.yes, leftarg = int, rightarg = int);
      set search_path to trap, pg_catalog, public`);
    expect(await code(`insert into public.rl values (10, 2, 'x')`)).toBe(DENIED('rl'));
    expect((await as.query('show search_path')).rows).toEqual([{ search_path: 'trap, pg_catalog, public' }]);
    await as.query(`insert into public.rl values (10, 1, 'x'); delete from public.rl where id = 10`);
    expect((await as.query('show search_path')).rows).toEqual([{ search_path: 'trap, pg_catalog, public' }]);
    await as.query('reset search_path');
  });

  test('moves with the shards, and stays over every other way of distributing', async () => {
    const [shard] = await db.query(
      `select shardid::text as id, nodename as name, nodeport as port from citus_shards where table_name = 'rl'::regclass order by shardid limit 1`,
    );
    const target = nodes.find((n) => n.port !== shard?.port);
    await db.query(
      `select citus_move_shard_placement(${shard?.id}, '127.0.0.1', ${shard?.port}, '127.0.0.1', ${target?.port}, 'block_writes')`,
    );
    expect(await db.column('select * from _tessera_functions.unguarded_tables()')).toEqual([]);
    const tryAll = async (): Promise<void> => {
      for (let id = 100; id < 120; id++) expect(await code(`insert into rl values (${id}, 2, 'x')`)).toBe(DENIED('rl'));
    };
    await tryAll();
    await db.query(`select alter_distributed_table('rl', shard_count => 3)`);
    await tryAll();
    await db.query(`select undistribute_table('rl')`);
    expect(await db.column(`select tgname from pg_trigger where tgrelid = 'rl'::regclass`)).toEqual([]);
    await tryAll();
    await db.query(`select create_distributed_table('rl', 'id', shard_count => 2)`);
    await tryAll();
    await db.query('alter table rl disable row level security');
    expect(await db.column(`select tgname from pg_trigger where tgrelid = 'rl'::regclass`)).toEqual([]);
    await db.query('alter table rl enable row level security');
    await tryAll();
  });

  test('is missed by the doctor where nobody checks', async () => {
    const doctor = (): Promise<unknown[]> =>
      db.query(`select status, hint from tessera.doctor() where check_name = 'row security'`);
    expect(await doctor()).toEqual([{ status: 'ok', hint: null }]);
    for (const sql of ['drop trigger tessera_row_security on rl', 'alter table rl disable trigger user']) {
      await db.query(`set tessera.maintenance = on; ${sql}; reset tessera.maintenance`);
      if (sql.startsWith('drop'))
        expect(await doctor()).toEqual([
          { status: 'error', hint: '-- as the owner of each\nselect tessera.sync_catalog();' },
        ]);
      await db.query('select tessera.sync_catalog()');
      expect(await doctor()).toEqual([{ status: 'ok', hint: null }]);
      expect(await code(`insert into rl values (10, 2, 'x')`)).toBe(DENIED('rl'));
    }
  });

  test('is PostgreSQL’s own for reference tables, whose copies follow', async () => {
    await db.query(`create table rr (id int primary key, t int); select create_reference_table('rr');
      alter table rr enable row level security; create policy p on rr using (t = current_setting('app.t')::int); grant all on rr to ${tenant}`);
    expect(await code('insert into rr values (1, 2)')).toBe(DENIED('rr'));
    await as.query('insert into rr values (1, 1)');
    expect(await code('update rr set t = 2')).toBe(DENIED('rr'));
    expect(
      await db.column(
        `select result from run_command_on_placements('rr', 'select string_agg(id || $$ $$ || t, $$,$$) from %s')`,
      ),
    ).toEqual(['1 1', '1 1']);
    await db.query('drop table rr');
  });

  test('decides as PostgreSQL does, with policies at random', async () => {
    const next = random(20_011);
    const below = (n: number): number => next() % n;
    const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
    await db.query(`create table "Plain t" (id int, t int, v text); create table "Far t" (like "Plain t"); create table allowed (t int);
      select create_distributed_table('"Far t"', 'id', shard_count => 3);
      alter table "Plain t" enable row level security; alter table "Far t" enable row level security;
      grant all on "Plain t", "Far t", allowed to ${tenant}, ${clerk}; insert into allowed values (1), (3)`);
    const both = async (sql: string): Promise<unknown[]> => {
      const outcomes = [];
      for (const name of ['Plain t', 'Far t'])
        outcomes.push(
          await as.query(sql.replaceAll('$t', `"${name}"`)).then(
            (r) => r.rowCount,
            (e: { code: string; message: string }) => `${e.code} ${e.message.replace(name, '$t')}`,
          ),
        );
      return outcomes;
    };
    for (let round = 0; round < 12; round++) {
      await as.query('reset role');
      for (const { name } of await db.query(
        `select polname as name from pg_policy where polrelid = '"Plain t"'::regclass`,
      ))
        await db.query(`drop policy ${name} on "Plain t"; drop policy ${name} on "Far t"`);
      await db.query('truncate "Plain t"');
      await db.query('delete from "Far t"');
      await both(`insert into $t select i, i % 5, 'v' from generate_series(1, 20) i`);
      const condition = (): string =>
        pick([
          't < 3',
          't in (select a.t from allowed a)',
          'exists (select from allowed a where a.t = $t.t)',
          'true',
          `v <> 'no'`,
          'id % 2 = 0',
          'null',
        ]);
      for (let i = 0; i < 1 + below(4); i++) {
        const command = pick(['all', 'all', 'select', 'insert', 'update', 'delete']);
        const parts = `as ${pick(['permissive', 'permissive', 'restrictive'])} for ${command} to ${pick(['public', tenant, clerk])} ${
          command === 'insert' || (below(4) === 0 && command !== 'select' && command !== 'delete')
            ? ''
            : `using (${condition()})`
        } ${command === 'select' || command === 'delete' || (command !== 'insert' && below(2) === 0) ? '' : `with check (${condition()})`}`;
        for (const t of ['"Plain t"', '"Far t"'])
          await db.query(`create policy p${i} on ${t} ${parts.replaceAll('$t', t)}`);
      }
      await as.query(`set role ${tenant}`);
      for (let i = 0; i < 8; i++) {
        const sql = pick([
          `insert into $t values (${below(50)}, ${below(5)}, '${pick(['v', 'no'])}')`,
          `update $t set t = ${below(5)}, v = '${pick(['v', 'no'])}' where id = ${1 + below(20)}`,
          `update $t set t = t + 1 where t < ${below(5)}`,
          `delete from $t where id = ${1 + below(20)}`,
          'select * from $t',
        ]);
        const [plain, far] = await both(sql);
        expect([round, sql, far]).toEqual([round, sql, plain]);
      }
      await as.query('reset role');
      expect(await db.query('select * from "Far t" order by 1, 2, 3')).toEqual(
        await db.query('select * from "Plain t" order by 1, 2, 3'),
      );
    }
  }, 120_000);
});
