import { describe, expect, test } from 'vitest';
import { hasWorkers, useCluster } from '../../harness/cluster.ts';
import type { Row } from '../../harness/database.ts';
import { expectNothingLeft, expectShardsFollow } from '../../harness/shards.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('tables with foreign keys between them', () => {
  const cluster = useCluster();
  const { db } = cluster;

  const keys = (table: string): Promise<Row[]> =>
    db.query(
      `select conname as name, pg_get_constraintdef(oid) as definition, convalidated as valid, obj_description(oid, 'pg_constraint') as comment
       from pg_constraint where conrelid = $1::regclass and contype = 'f' order by 1`,
      [table],
    );
  const kept = async (table: string): Promise<string[]> =>
    (
      await db.query(
        `select name from _tessera_catalog.pg_dist_key where logicalrelid = $1::regclass and kind = 'f' order by 1`,
        [table],
      )
    ).map((r) => r.name as string);
  const make = async (): Promise<void> => {
    await db.query(`create table companies (id int primary key);
      create table campaigns (company_id int not null, id int, name text, up int, primary key (company_id, id),
        constraint self foreign key (company_id, up) references campaigns,
        constraint "to ""company" foreign key (company_id) references companies (id) match full on delete cascade);
      comment on constraint "to ""company" on campaigns is 'whose';
      create table ads (company_id int not null, id int, campaign int, primary key (company_id, id),
        constraint to_campaign foreign key (company_id, campaign) references campaigns on delete set null (campaign) deferrable initially deferred,
        constraint loose foreign key (company_id) references companies not valid);
      create unique index ads_one on ads (company_id, id) where campaign > 0;
      comment on constraint ads_pkey on ads is 'one each'; comment on index ads_one is 'an index';
      comment on constraint to_campaign on ads is 'of which'; comment on constraint loose on ads is 'not "sure"'`);
  };
  const fill = (): Promise<Row[]> =>
    db.query(`insert into companies select i from generate_series(1, 20) i;
      insert into campaigns select i, j, 'c' || j, nullif(1, j) from generate_series(1, 20) i, generate_series(1, 3) j;
      insert into ads select i, j, j % 3 + 1 from generate_series(1, 20) i, generate_series(1, 5) j`);
  const TABLES = ['companies', 'campaigns', 'ads'] as const;
  const each = async <T>(ask: (table: string) => Promise<T>): Promise<T[]> => {
    const answers: T[] = [];
    for (const t of TABLES) answers.push(await ask(t));
    return answers;
  };
  const columnOf = (table: string): string => (table === 'companies' ? 'id' : 'company_id');
  const distribute = async (table: string): Promise<void> =>
    void (await db.query(
      `select create_distributed_table('${table}', '${columnOf(table)}'${table === 'companies' ? ', shard_count => 4' : ''})`,
    ));
  const dropAll = async (): Promise<void> => {
    await db.query('drop table ads, campaigns, companies');
    await expectNothingLeft(cluster);
  };

  test('are distributed one after the other, parents first, and keep their keys with all that was said of them', async () => {
    await make();
    await fill();
    const before = await each(keys);
    const rows = await db.query('select * from ads order by 1, 2');
    for (const t of TABLES) {
      await distribute(t);
      await expectShardsFollow(cluster, t);
    }
    expect(await each(kept)).toEqual([[], ['self', 'to "company'], ['loose', 'to_campaign']]);
    expect(await db.query('select * from ads order by 1, 2')).toEqual(rows);
    expect((await db.error('insert into campaigns values (99, 1)')).code).toBe('23503');
    expect((await db.error('insert into ads values (1, 99, 9)')).code).toBe('23503');
    await db.query('delete from campaigns where company_id = 2 and id = 3');
    expect(await db.value('select count(*)::int from ads where company_id = 2 and campaign is null')).toBe(2);
    await db.query(`select undistribute_table('companies', cascade_via_foreign_keys => true)`);
    expect(await each(keys)).toEqual(before);
    expect(
      await db.column(
        `select obj_description(oid, 'pg_constraint') from pg_constraint where conrelid = 'ads'::regclass and contype = 'p'`,
      ),
    ).toEqual(['one each']);
    expect(await db.value(`select obj_description('ads_one'::regclass, 'pg_class')`)).toBe('an index');
    await dropAll();
  });

  test('can be distributed in one transaction, which is rolled back as a whole, and then again', async () => {
    await make();
    const before = await each(keys);
    const all = TABLES.map(
      (t) =>
        `select create_distributed_table('${t}', '${columnOf(t)}'${t === 'companies' ? ', shard_count => 4' : ''})`,
    ).join('; ');
    expect((await db.error(`begin; ${all}; select 1 / 0`)).code).toBe('22012');
    await db.query('rollback');
    expect(await each(keys)).toEqual(before);
    await fill();
    // The shards of the second table would wait for the rows that the first has just got.
    expect(await db.error(`begin; ${all}`)).toMatchObject({
      code: '25001',
      hint: `Commit, then run: select create_distributed_table('public.campaigns', 'company_id', colocate_with => 'public.companies');`,
    });
    await db.query('rollback');
    expect(await each(keys)).toEqual(before);
    await db.query('delete from ads; delete from campaigns; delete from companies');
    await db.query(`begin; ${all}; commit`);
    await fill();
    for (const t of TABLES) await expectShardsFollow(cluster, t);
    expect(await db.value('select count(*)::int from ads')).toBe(100);
    expect((await db.error('insert into campaigns values (99, 1)')).code).toBe('23503');
    await dropAll();
  });

  test('are not left half distributed without a word: rows wait until the key is there again', async () => {
    await make();
    await fill();
    await distribute('companies');
    for (const write of [`insert into campaigns values (1, 9)`, 'update campaigns set company_id = 2 where id = 1']) {
      const e = await db.error(write);
      expect([e.code, e.message]).toEqual([
        '55000',
        'cannot write to table "campaigns" while its foreign key "to "company" is set aside',
      ]);
      expect(e.hint).toContain(
        `Run: select create_distributed_table('public.campaigns', 'company_id', colocate_with => 'public.companies');`,
      );
    }
    await db.query(`update campaigns set name = 'x' where id = 1`);
    const hint = (await db.error(`insert into campaigns values (1, 9)`)).hint as string;
    await db.query((/Run: (.*?;)/.exec(hint) as RegExpExecArray)[1] as string);
    await db.query('insert into campaigns values (1, 9)');
    const other = (await db.error(`insert into ads values (1, 9)`)).hint as string;
    await db.query((/drop trigger .*/.exec(other) as RegExpExecArray)[0]);
    await dropAll();
  });

  test('have their keys back when the first one is made a plain table again', async () => {
    await make();
    await fill();
    const before = await each(keys);
    await distribute('companies');
    expect((await keys('campaigns')).map((k) => k.name)).toEqual(['self']);
    await db.query(`select undistribute_table('companies')`);
    expect(await each(keys)).toEqual(before);
    await db.query('insert into campaigns values (1, 9)');
    expect((await db.error('insert into campaigns values (99, 1)')).code).toBe('23503');
    await dropAll();
  });

  test('say which table comes first, and how', async () => {
    await make();
    const e = await db.error(`select create_distributed_table('campaigns', 'company_id')`);
    expect([e.code, e.hint]).toEqual([
      '42P16',
      `Run first: select create_distributed_table('public.companies', 'id'); or, for a copy of it on every node: select create_reference_table('public.companies');`,
    ]);
    await db.query((/Run first: (.*?;)/.exec(e.hint as string) as RegExpExecArray)[1] as string);
    await distribute('campaigns');
    await dropAll();
  });

  test('can point at reference tables, which keep the keys to them', async () => {
    await make();
    await db.query(`create table countries (code text primary key); insert into countries values ('de');
      alter table campaigns add country text default 'de' references countries`);
    await fill();
    await db.query(`select create_reference_table('countries')`);
    for (const t of TABLES) await distribute(t);
    for (const t of TABLES) await expectShardsFollow(cluster, t);
    expect(await kept('campaigns')).toEqual(['campaigns_country_fkey', 'self', 'to "company']);
    expect((await db.error(`insert into campaigns values (1, 9, 'x', null, 'fr')`)).code).toBe('23503');
    await db.query('drop table ads, campaigns, companies, countries');
    await expectNothingLeft(cluster);
  });

  test('are refused as a whole where a key could not come back', async () => {
    await db.query(`create table a (id int primary key, b int); create table b (id int primary key references a);
      alter table a add constraint back foreign key (b) references b`);
    const cycle = await db.error(`select create_distributed_table('a', 'id')`);
    expect([cycle.code, cycle.hint]).toEqual([
      '0A000',
      'Run first: alter table public.a drop constraint "back"; and add it with create_distributed_foreign_key() after both tables are distributed.',
    ]);
    await db.query(`alter table public.a drop constraint "back"; create table p (k int, id int, primary key (k, id), unique (k));
      create table c (p int references p (k), id int)`);
    expect((await db.error(`select create_distributed_table('p', 'id')`)).code).toBe('0A000');
    await db.query(`create table n (id int references a on delete set null)`);
    expect((await db.error(`select create_distributed_table('a', 'id')`)).code).toBe('0A000');
    expect(await keys('n')).toHaveLength(1);
    expect(await keys('b')).toHaveLength(1);
    await db.query('drop table n, b, a, c, p');
    await expectNothingLeft(cluster);
  });

  test('keep rows that a key which was never validated does not fit, by the statements of a hint', async () => {
    await db.query(`create table a (id int primary key); create table b (id int); create table c (id int);
      insert into a values (1); insert into b values (7), (1); insert into c values (8), (1);
      alter table b add constraint loose foreign key (id) references a on delete cascade not valid;
      alter table c add constraint "far ""off" foreign key (id) references a on delete cascade not valid`);
    for (const [table, key, kept, statements] of [
      [
        'b',
        'loose',
        [1, 7],
        [
          'drop trigger tessera_key_set_aside_6c2f59ef on public.b;',
          `select create_distributed_table('public.b', 'id', colocate_with => 'public.a');`,
          `select create_distributed_foreign_key('public.b', array['id'], 'public.a', array['id'], on_delete => 'cascade', constraint_name => 'loose', not_valid => true);`,
        ],
      ],
      ['c', 'far "off', [1, 8], null],
    ] as const) {
      if (table === 'b') await db.query(`select create_distributed_table('a', 'id', shard_count => 4)`);
      const e = await db.error(`select create_distributed_table('${table}', 'id')`);
      expect([e.code, e.message]).toEqual([
        '23503',
        `rows of table "public.${table}" do not fit foreign key "${key}", which is NOT VALID`,
      ]);
      const run = (e.hint ?? '').replace(/^.*each statement committed: /, '').split(/(?<=;) /);
      if (statements !== null)
        expect(run.map((s) => s.replace(/aside_\w+/, ''))).toEqual(statements.map((s) => s.replace(/aside_\w+/, '')));
      for (const statement of run) await db.query(statement);
      expect(await db.column(`select id from ${table} order by 1`)).toEqual(kept);
      await expectShardsFollow(cluster, table);
      expect((await db.error(`insert into ${table} (id) values (9)`)).code).toBe('23503');
    }
    // As on a plain table: no longer there are rows that do not fit.
    await db.query(`select undistribute_table('a', cascade_via_foreign_keys => true)`);
    expect((await keys('b')).map((k) => [k.name, k.valid, k.definition])).toEqual([
      ['loose', false, 'FOREIGN KEY (id) REFERENCES a(id) ON DELETE CASCADE NOT VALID'],
    ]);
    expect((await keys('c')).map((k) => [k.name, k.valid])).toEqual([['far "off', false]]);
    expect(await db.column('select id from b order by 1')).toEqual([1, 7]);
    await db.query('drop table c, b, a');
    await expectNothingLeft(cluster);
  });

  test('keep rows that do not fit a key to a reference table, likewise', async () => {
    await db.query(`create table r (id int primary key); insert into r values (1);
      create table b (k int, id int); insert into b values (1, 7), (2, 1);
      alter table b add constraint loose foreign key (id) references r not valid`);
    await db.query(`select create_reference_table('r')`);
    const e = await db.error(`select create_distributed_table('b', 'k', shard_count => 4)`);
    expect(e.code).toBe('23503');
    for (const statement of (e.hint ?? '').replace(/^.*each statement committed: /, '').split(/(?<=;) /))
      await db.query(statement);
    expect(await db.column('select id from b order by 1')).toEqual([1, 7]);
    await expectShardsFollow(cluster, 'b');
    await db.query('drop table b, r');
    await expectNothingLeft(cluster);
  });

  test('follow renamed columns while a key is set aside', async () => {
    await make();
    await db.query(`select create_distributed_table('companies', 'id', shard_count => 4);
      alter table ads rename company_id to "Company"; alter table campaigns rename company_id to "Company"`);
    await db.query(
      `select create_distributed_table('campaigns', 'Company'); select create_distributed_table('ads', 'Company')`,
    );
    for (const t of TABLES) await expectShardsFollow(cluster, t);
    await dropAll();
  });

  test('of strangers cannot claim keys to a table by such a trigger', async () => {
    await db.query('create table mine (id int primary key)');
    const stranger = await db.role('stranger');
    await db.query(`create schema theirs authorization ${stranger}`);
    const session = await db.as(stranger);
    const argument = JSON.stringify({
      name: 'k',
      definition: 'FOREIGN KEY (id) REFERENCES %s(id)',
      columns: ['id'],
      target: 'public.mine',
      referencedColumns: ['id'],
    });
    await session.query('create table theirs.t (id int)');
    const forge = (text: string): Promise<unknown> =>
      session.query(
        `create or replace trigger forged before update of id on theirs.t for each statement execute function _tessera_functions.key_set_aside('${text}')`,
      );
    for (const text of [
      argument,
      'no json',
      '{}',
      '[]',
      'null',
      argument.replace('%s(id)', '%s(id); drop table mine'),
    ]) {
      await forge(text);
      await db.query(
        `select create_distributed_table('mine', 'id', shard_count => 4); select undistribute_table('mine')`,
      );
    }
    expect(
      await db.query(`select conname from pg_constraint where conrelid = 'theirs.t'::regclass and contype = 'f'`),
    ).toEqual([]);
    await db.query('drop table mine; drop schema theirs cascade');
    await expectNothingLeft(cluster);
  });
});
