import { beforeEach, describe, expect, test } from 'vitest';
import type pg from 'pg';
import { useDatabase } from '../harness/database.ts';
import { waitUntil } from '../harness/wait-until.ts';

const db = useDatabase();
const MANY = 12_000;
const BULK = `insert into metrics select '2024-03-01'::timestamptz + i * interval '10 s', i from generate_series(1, ${MANY}) i`;

/** The parts of the hypertable. */
let id: number;
let heap: string;
let pending: string;

beforeEach(async () => {
  await db.query(`set lock_timeout = '5s'`); // a test that failed may have left a snapshot open
  await db.query('drop table if exists child, metrics, other cascade');
  await db.query('create table metrics (time timestamptz not null, v int)');
  id = await db.value(`select hypertable_id from create_hypertable('metrics', by_range('time', interval '1 day'))`);
  heap = `_tessera_internal._hyper_${id}_default`;
  pending = `_tessera_internal._hyper_${id}_pending`;
});

const file = (): Promise<number> => db.value(`select pg_relation_filenode('${heap}')::int`);
const marks = (): Promise<number> => db.value(`select count(*)::int from ${pending}`);
const stayed = (): Promise<number> => db.value(`select count(*)::int from only ${heap}`);

/** Commits while a reader holds the default partition, so that the rows stay there. */
const leaveInDefault = async (sql: string, client: pg.Client = db.client): Promise<void> => {
  const holder = await db.connect();
  await holder.query('begin');
  await holder.query('select count(*) from metrics');
  await client.query(sql);
  await holder.query('commit');
};

/** A snapshot that holds no lock on the hypertable. */
const openSnapshot = async (): Promise<pg.Client> => {
  const client = await db.connect();
  await client.query('begin isolation level repeatable read');
  await client.query('select 1');
  return client;
};

const seen = async (client: pg.Client, where = 'true'): Promise<number> =>
  (await client.query(`select count(*)::int as n from metrics where ${where}`)).rows[0].n;

describe('a transaction that loads many rows', () => {
  test('gives the default partition a new file and leaves no mark', async () => {
    const before = await file();
    await db.query(BULK);
    expect(await file()).not.toBe(before);
    expect([await stayed(), await marks(), await db.value('select count(*)::int from metrics')]).toEqual([0, 0, MANY]);
    const again = await file();
    await db.query(BULK.replace('2024-03-01', '2025-03-01'));
    expect(await file()).not.toBe(again);
    expect(await db.value('select count(*)::int from metrics')).toBe(2 * MANY);
  });

  test('is not there for a snapshot taken before its commit', async () => {
    await db.query('begin');
    await db.query(BULK);
    const old = await openSnapshot();
    await db.query('commit');
    expect(await seen(old)).toBe(0);
    await old.query('commit');
    expect(await seen(old)).toBe(MANY);
  });

  test('leaves a row that another one left there to the snapshots that see it', async () => {
    await leaveInDefault(`insert into metrics values ('2024-01-01', -1)`);
    expect(await marks()).toBe(1);
    const before = await file();
    const old = await openSnapshot();
    await db.query(BULK);
    expect(await file()).toBe(before);
    expect(await seen(old)).toBe(1);
    await old.query('commit');
    expect(await seen(old)).toBe(MANY + 1);
    expect(await stayed()).toBe(0);
  });

  test('leaves a row that it deletes itself to the snapshots that see it', async () => {
    await leaveInDefault(`insert into metrics values ('2024-01-01', -1)`);
    const old = await openSnapshot();
    await db.query('begin');
    await db.query('delete from metrics where v = -1');
    await db.query(BULK);
    await db.query('commit');
    expect(await seen(old)).toBe(1);
    await old.query('commit');
    expect(await seen(old)).toBe(MANY);
  });

  for (const [what, sql] of [
    ['deleted', 'delete from metrics where v = -1'],
    ['updated', 'update metrics set v = -2 where v = -1'],
  ])
    test(`leaves a row that a third one ${what} meanwhile to the snapshots that see it`, async () => {
      await leaveInDefault(`insert into metrics values ('2024-01-01', -1)`);
      const old = await openSnapshot();
      await leaveInDefault(sql as string);
      await db.query(BULK);
      expect(await seen(old, 'v = -1')).toBe(1);
      await old.query('commit');
      expect(await seen(old, 'v = -1')).toBe(0);
    });

  test('leaves the last version of a row that was moved before to the snapshots that see it', async () => {
    await leaveInDefault(`insert into metrics values ('2024-01-01', -1)`);
    const old = await openSnapshot();
    expect(await db.value(`select drain_default_partition('metrics')`)).toBe(1n);
    await db.query(BULK);
    expect(await seen(old)).toBe(1);
    await old.query('commit');
    expect(await seen(old)).toBe(MANY + 1);
  });

  test('at REPEATABLE READ keeps rows that were committed after its snapshot', async () => {
    await db.query('begin isolation level repeatable read');
    await db.query('select 1');
    await leaveInDefault(`insert into metrics values ('2024-01-01', -1), ('infinity', -2)`, await db.connect());
    await db.query(BULK);
    await db.query('commit');
    expect(await db.value('select count(*)::int from metrics')).toBe(MANY + 2);
    await db.query(`select drain_default_partition('metrics')`);
    expect([await stayed(), await db.value('select count(*)::int from metrics')]).toEqual([1, MANY + 2]);
  });

  test('keeps a row whose time no chunk takes, its own or of another', async () => {
    await db.query(`insert into metrics values ('infinity', -1)`);
    expect(await marks()).toBe(1);
    await db.query(BULK);
    expect([await stayed(), await db.value('select count(*)::int from metrics')]).toEqual([1, MANY + 1]);
    await db.query('begin');
    await db.query(`insert into metrics values ('-infinity', -1)`);
    await db.query(BULK.replace('2024-03-01', '2025-03-01'));
    await db.query('commit');
    expect([await stayed(), await db.value('select count(*)::int from metrics')]).toEqual([2, 2 * MANY + 2]);
    expect(await marks()).toBe(1);
  });

  test('does not take rows away from older snapshots that came there without a mark', async () => {
    const other = await db.connect();
    await other.query(`set tessera.noted_${id} = 'on'`);
    await other.query(`insert into metrics values ('2024-01-01', -1)`);
    expect(await marks()).toBe(0);
    const old = await openSnapshot();
    await db.query(BULK);
    expect(await seen(old)).toBe(1);
    await old.query('commit');
    expect(await seen(old)).toBe(MANY + 1);
  });

  test('with savepoints keeps what was not rolled back, and nothing else', async () => {
    await db.query('begin');
    await db.query('savepoint a');
    await db.query(BULK);
    await db.query('rollback to a');
    await db.query(BULK.replace('2024-03-01', '2025-03-01'));
    await db.query('savepoint b');
    await db.query(`insert into metrics values ('2024-01-01', -1)`);
    await db.query('release b');
    await db.query('savepoint c');
    await db.query(`insert into metrics values ('2024-01-01', -2)`);
    await db.query('set constraints all immediate');
    await db.query('rollback to c');
    await db.query('commit');
    expect(await db.value('select count(*)::int from metrics')).toBe(MANY + 1);
    expect([await stayed(), await marks()]).toEqual([0, 0]);
  });

  test('that was prepared is there after COMMIT PREPARED, and not after ROLLBACK PREPARED', async () => {
    for (const end of ['rollback', 'commit']) {
      await db.query('begin');
      await db.query(BULK);
      await db.query(`prepare transaction '${db.name}'`);
      await db.query(`${end} prepared '${db.name}'`);
    }
    expect([await db.value('select count(*)::int from metrics'), await stayed(), await marks()]).toEqual([MANY, 0, 0]);
  });

  test('into two hypertables, in pieces and with constraints immediate between them, places all', async () => {
    await db.query('create table other (time timestamptz not null, v int)');
    await db.query(`select create_hypertable('other', 'time')`);
    await db.query('begin');
    await db.query(BULK);
    await db.query('set constraints all immediate');
    await db.query('set constraints all deferred');
    await db.query(BULK.replace('metrics', 'other'));
    await db.query(BULK.replace('2024-03-01', '2025-03-01'));
    await db.query(`select drain_default_partition('metrics')`);
    await db.query(BULK.replace('2024-03-01', '2026-03-01'));
    await db.query('commit');
    expect(await db.value('select count(*)::int from metrics')).toBe(3 * MANY);
    expect(await db.value('select count(*)::int from other')).toBe(MANY);
    expect([await stayed(), await marks()]).toEqual([0, 0]);
  });

  test('after draining in the same transaction leaves a mark when its later rows stay', async () => {
    const holder = await db.connect();
    const client = await db.connect();
    await client.query('begin');
    await client.query(`insert into metrics values ('2024-01-01', -1)`);
    await client.query(`select drain_default_partition('metrics')`);
    await client.query(`insert into metrics values ('infinity', -2)`);
    await client.query('commit');
    await holder.end();
    expect([await stayed(), await marks()]).toEqual([1, 1]);
  });

  test('written as a replica is placed with what comes next, and every chunk is in the catalog', async () => {
    await db.query('set session_replication_role = replica');
    await db.query(BULK);
    await db.query('reset session_replication_role');
    expect([await stayed(), await marks(), await db.value('select count(*)::int from metrics')]).toEqual([
      MANY,
      1,
      MANY,
    ]);
    await db.query(BULK.replace('2024', '2025'));
    expect([await stayed(), await db.value('select count(*)::int from metrics')]).toEqual([0, 2 * MANY]);
    expect(await db.value(`select count(*)::int from show_chunks('metrics')`)).toBe(
      await db.value(`select count(*)::int - 1 from pg_partition_tree('metrics') where isleaf`),
    );
  });
});

describe('what TRUNCATE would do to others', () => {
  test('a publication sends no TRUNCATE on', async () => {
    await db.query('alter table metrics add primary key (v, time)');
    for (const what of ['table metrics', 'all tables']) {
      await db.query(`create publication changes for ${what}`);
      const before = await file();
      await db.query(BULK.replace('2024', what === 'all tables' ? '2024' : '2025'));
      expect(await file()).toBe(before);
      expect([await stayed(), await marks()]).toEqual([0, 0]);
      await db.query('drop publication changes');
    }
    expect(await db.value('select count(*)::int from metrics')).toBe(2 * MANY);
  });

  test('a foreign key that points at the table, a trigger on TRUNCATE and a waiting trigger do not stop the rows', async () => {
    await db.query('alter table metrics add primary key (v, time)');
    await db.query('create table child (v int, time timestamptz, foreign key (v, time) references metrics)');
    await db.query(BULK);
    expect(await stayed()).toBe(0);
    await db.query('drop table child');
    await db.query(
      `create or replace function fail() returns trigger language plpgsql as $$ begin raise 'fired'; end $$`,
    );
    // As somebody made it before such triggers were refused.
    await db.query(
      `set tessera.maintenance = on; create trigger t before truncate on ${heap} execute function fail(); reset tessera.maintenance`,
    );
    await db.query(BULK.replace('2024-03-01', '2025-03-01'));
    expect(await stayed()).toBe(0);
    await db.query(`drop trigger t on ${heap}`);
    await db.query('create table other (v int primary key)');
    await db.query('insert into other select generate_series(1, 12000)');
    await db.query('alter table metrics add foreign key (v) references other deferrable initially deferred');
    await db.query(BULK.replace('2024-03-01', '2026-03-01'));
    expect([await stayed(), await db.value('select count(*)::int from metrics')]).toEqual([0, 3 * MANY]);
  });
});

describe('a mark', () => {
  test('goes when VACUUM has left no page, and then the next load gets a new file again', async () => {
    await leaveInDefault(`insert into metrics values ('2024-01-01', -1)`);
    await db.query(BULK);
    expect(await marks()).toBe(1);
    await db.query(`vacuum ${heap}`);
    await db.query(`select drain_default_partition('metrics')`);
    expect(await marks()).toBe(0);
    const before = await file();
    await db.query(BULK.replace('2024-03-01', '2025-03-01'));
    expect(await file()).not.toBe(before);
  });

  test('of one transaction stands for those of many', async () => {
    for (let i = 1; i <= 5; i++) await leaveInDefault(`insert into metrics values ('2024-01-0${i}', ${i})`);
    expect(await marks()).toBe(5);
    await db.query(`insert into metrics values ('2024-02-01', 6), ('infinity', 7)`);
    expect([await stayed(), await marks()]).toEqual([1, 1]);
  });

  test('is there for rows that were in the table before it became a hypertable', async () => {
    await db.query('create table other (time timestamptz not null, v int)');
    await db.query(`insert into other values ('infinity', 1), ('2024-01-01', 2)`);
    const other = await db.value(`select hypertable_id from create_hypertable('other', 'time', migrate_data => true)`);
    expect(await db.value(`select count(*)::int from _tessera_internal._hyper_${other}_pending`)).toBe(1);
  });
});

test('the default partition has its time indexes in ascending order, and those of the root are valid', async () => {
  await db.query('create table other (time timestamptz not null, v int, c text)');
  await db.query('create index by_v on other (v, time desc)');
  await db.query(`create index by_c on other (c collate "C", time desc)`);
  const other = await db.value(`select hypertable_id from create_hypertable('other', 'time')`);
  expect(
    await db.column(
      `select regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', '') from pg_index
       where indrelid = '_tessera_internal._hyper_${other}_default'::regclass order by 1`,
    ),
  ).toEqual(['btree ("time")', 'btree (c COLLATE "C", "time" DESC)', 'btree (v, "time")']);
  expect(await db.value(`select bool_and(indisvalid) from pg_index where indrelid = 'other'::regclass`)).toBe(true);
  await db.query(`insert into other values ('2024-01-01', 1, 'c')`);
  expect(
    await db.column(
      `select regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', '') from pg_index
       where indrelid = (select show_chunks('other')) order by 1`,
    ),
  ).toEqual(['btree ("time" DESC)', 'btree (c COLLATE "C", "time" DESC)', 'btree (v, "time" DESC)']);
});

describe('readers while rows leave the default partition', () => {
  const reading = async (during: (client: pg.Client) => Promise<unknown>): Promise<number> => {
    const [mover, reader] = [await db.connect(), await db.connect()];
    await mover.query('begin');
    await during(mover);
    const { rows } = await reader.query('select pg_backend_pid() as pid');
    const counted = reader.query('select count(*)::int as n from metrics');
    await waitUntil('the reader waits', () =>
      db.value('select exists (select from pg_locks where pid = $1 and not granted)', [rows[0].pid]),
    );
    await mover.query('commit');
    return (await counted).rows[0].n;
  };

  test('that were there before see all of them', async () => {
    await leaveInDefault(`insert into metrics values ('2024-03-01', 1), ('2024-03-02', 2)`);
    expect(await stayed()).toBe(2);
    expect(await reading((client) => client.query(`select drain_default_partition('metrics')`))).toBe(2);
  });

  test('see them when another transaction takes them along', async () => {
    await leaveInDefault(`insert into metrics values ('2024-03-01', 1), ('2024-03-02', 2)`);
    const seen = await reading(async (client) => {
      await client.query(`insert into metrics values ('2024-03-05', 1)`);
      await client.query('set constraints all immediate');
    });
    expect(seen).toBeGreaterThanOrEqual(2);
    expect(await stayed()).toBe(0);
  });

  test('go on while a transaction places nothing but its own', async () => {
    const [mover, reader] = [await db.connect(), await db.connect()];
    await db.query(`insert into metrics values ('2024-03-01', 1)`);
    await reader.query('begin; select count(*) from only metrics');
    await mover.query(`insert into metrics values ('2024-03-05', 1)`);
    expect(await stayed()).toBe(0);
    await reader.query('commit');
  });
});
