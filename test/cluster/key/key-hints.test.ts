import { beforeAll, describe, expect, test } from 'vitest';
import { hasWorkers, useCluster } from '../../harness/cluster.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('statements about keys of distributed tables', () => {
  const { db } = useCluster({ nodes: 2 });

  beforeAll(async () => {
    await db.query(`create table p (id int primary key); create table c (pid int, "N o" int); create table "T b" (k int, v int);
      create table plain (id int primary key, pid int)`);
    await db.query(`select create_distributed_table('p', 'id', shard_count => 2)`);
    await db.query(`select create_distributed_table('c', 'pid', colocate_with => 'p')`);
    await db.query(`select create_distributed_table('"T b"', 'k', colocate_with => 'p')`);
  });

  const cases: readonly (readonly [string, string])[] = [
    [`create unique index on c (pid)`, `select create_distributed_key('public.c', array['pid']);`],
    [
      `create unique index if not exists x on public.c using btree ( pid , "N o" ) ;`,
      `select create_distributed_key('public.c', array['pid', 'N o']);`,
    ],
    [
      `alter table "T b" add primary key (K)`,
      `select create_distributed_key('public."T b"', array['k'], 'primary key');`,
    ],
    [
      `alter table only c add constraint "on ce" unique ("N o", pid)`,
      `select create_distributed_key('public.c', array['N o', 'pid']);`,
    ],
    [
      `alter table c add foreign key (pid) references p (id)`,
      `select create_distributed_foreign_key('public.c', array['pid'], 'p', array['id']);`,
    ],
    [
      `alter table c add constraint f foreign key (pid) references public.p`,
      `select create_distributed_foreign_key('public.c', array['pid'], 'public.p');`,
    ],
    [
      `alter table c add constraint e exclude using btree (pid with =)`,
      `-- add it between these:\nselect undistribute_table('public.c'); select create_distributed_table('public.c', 'pid');`,
    ],
  ];
  test.each(cases)('%s', async (sql, hint) => {
    expect(await db.error(sql)).toMatchObject({ code: '0A000', hint });
    await db.query('begin');
    await db.query(hint);
    await db.query('rollback');
  });

  test('that drop one name the function that does', async () => {
    const e = await db.error('alter table p drop constraint p_pkey');
    expect(e).toMatchObject({ code: '0A000', hint: `select drop_distributed_constraint('public.p', 'p_pkey');` });
    await db.query(`begin; ${e.hint} rollback`);
    expect((await db.error('alter table p drop constraint nonsense')).code).toBe('42704');
  });

  test('that make an index concurrently give the statement without it', async () => {
    const e = await db.error('create index concurrently c_no on c ("N o")');
    expect(e).toMatchObject({ code: '0A000', hint: 'create index c_no on c ("N o")' });
    await db.query(String(e.hint));
  });

  test('of other tables that refer to one say how', async () => {
    for (const sql of [
      'create table n (id int, pid int references p (id))',
      'alter table plain add foreign key (pid) references p',
      'alter table plain add column q int references public.p (id)',
    ])
      expect([sql, await db.error(sql)]).toEqual([
        sql,
        expect.objectContaining({ code: '0A000', hint: expect.stringContaining('create_distributed_foreign_key(') }),
      ]);
  });

  test('are PostgreSQL’s own business where shards have no part in it', async () => {
    await db.query(
      `create table own (id int primary key, other int unique, up int references own (id));
      create unique index on own (other); alter table own add constraint u unique (up); alter table own drop constraint u;
      create index concurrently on own (up); alter table p add constraint small check (id < 1000); alter table p drop constraint small;
      comment on table own is 'references p'; drop table own`.replace(/create index concurrently[^;]*;/, ''),
    );
    await db.query(
      `create function make() returns void language plpgsql as $$begin create table made (a int references plain (id)); end$$`,
    );
    await db.query('select make(); drop table made; drop function make()');
  });
});
