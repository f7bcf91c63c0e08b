import { beforeEach, describe, expect, test } from 'vitest';
import { failure, useDatabase } from '../../../harness/database.ts';
import { waitUntil } from '../../../harness/wait-until.ts';
import { expectSame } from '../../../harness/twin.ts';

const db = useDatabase();
let n = 0;
let m = '';

/** Two devices, one row a minute for a day, all compressed, beside a plain twin with the same key. */
beforeEach(async () => {
  m = `m${++n}`;
  await db.query(
    `create table ${m} (time timestamptz not null, device text not null, v float8, note text, primary key (device, time))`,
  );
  await db.query(`select create_hypertable('${m}', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(`insert into ${m} select '2024-01-01'::timestamptz + i * interval '1 min', 'd' || d, i, 'n' || i % 7
    from generate_series(0, 1439) i, generate_series(1, 2) d`);
  await db.query(`create table ${m}_twin as select * from ${m}`);
  await db.query(`alter table ${m}_twin add primary key (device, time)`);
  await db.query(
    `select set_compression('${m}', compress_segmentby => 'device'), compress_chunk(c) from show_chunks('${m}') c`,
  );
});

const same = (): Promise<void> => expectSame(db, m, `${m}_twin`);

const residue = (): Promise<string> =>
  db.value(
    `select k.residue::text from _tessera_catalog.compressed_chunk k join _tessera_catalog.chunk c on c.id = k.chunk_id
    join _tessera_catalog.hypertable h on h.id = c.hypertable_id where h.table_name = $1`,
    [m],
  );
const places = (): Promise<string> =>
  db.value(
    `select format('%I.%I', associated_schema_name, associated_table_prefix || '_places') from _tessera_catalog.hypertable where table_name = $1`,
    [m],
  );

/** Whether a session of this database, or its loopback connection, waits for a lock. */
const someoneWaits = (mode?: string): string =>
  `select exists (select from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where not l.granted and a.datname = current_database()${mode === undefined ? '' : ` and l.mode = '${mode}'`})`;

/** Runs the statement on both tables; both must report the same number of rows. */
const both = async (sql: string): Promise<void> => {
  const counts: (number | null)[] = [];
  for (const table of [m, `${m}_twin`]) counts.push((await db.client.query(sql.replaceAll('$m', table))).rowCount);
  expect(counts[0], sql).toBe(counts[1]);
};

describe('INSERT into a compressed chunk', () => {
  test('counts and returns its rows', async () => {
    const result = await db.client.query(
      `insert into ${m} values ('2024-01-01 00:00:30+00', 'd1', 1, 'x'), ('2024-01-01 00:00:31+00', 'd3', 2, null), ('2024-02-01', 'd1', 3, 'y') returning v`,
    );
    expect([result.rowCount, result.rows.map((r) => r.v)]).toEqual([3, [1, 2, 3]]);
    expect(await db.value(`select count(*)::int from ${m}`)).toBe(2883);
  });

  test('into the chunk itself works as well', async () => {
    const chunk = await db.value(`select c::text from show_chunks('${m}') c`);
    expect((await db.client.query(`insert into ${chunk} values ('2024-01-01 00:00:30+00', 'd1', 1)`)).rowCount).toBe(1);
    expect((await db.error(`insert into ${chunk} values ('2024-02-01 00:00:30+00', 'd1', 1)`)).code).toBe('23514');
    expect((await db.error(`insert into ${chunk} values ('2024-01-01 00:01:00+00', 'd1', 1)`)).code).toBe('23505');
  });

  test('with the key of a compressed row is PostgreSQL\u2019s own error, and nothing changed', async () => {
    const e = await db.error(
      `insert into ${m} values ('2024-01-01 00:00:30+00', 'd1', 1), ('2024-01-01 00:01:00+00', 'd1', 1)`,
    );
    expect(e.code).toBe('23505');
    expect(e.detail).toBe('Key (device, "time")=(d1, 2024-01-01 00:01:00+00) already exists.');
    await same();
  });

  test('with such a key stays one, whatever settings the session has', async () => {
    await db.query('begin');
    for (const name of ['holding', 'places_held', 'taking_apart', 'taken_apart', 'writer', 'maintenance'])
      await db.query(`select set_config('tessera.${name}', 'on', true)`);
    expect((await db.error(`insert into ${m} values ('2024-01-01 00:01:00+00', 'd1', 1)`)).code).toBe('23505');
    await db.query('rollback');
    await same();
  });

  test('on conflict do nothing leaves out what is there', async () => {
    await both(`insert into $m select time + s * interval '1 s', device, -1, 'new' from ${m}_twin, generate_series(0, 1) s
      where time < '2024-01-01 00:30' on conflict do nothing`);
    await both(`insert into $m values ('2024-01-01 00:01:00+00', 'd1', 9) on conflict do nothing returning v`);
    await same();
    expect(await db.value(`select count(*)::int from ${await places()}`)).toBe(0);
  });

  test('on conflict with a target is an error of PostgreSQL', async () => {
    expect(
      (await db.error(`insert into ${m} values ('2024-01-01', 'd1') on conflict (device, time) do nothing`)).code,
    ).toBe('42P10');
  });

  test('a row trigger of the user fires once for a row that goes in, and never for one that does not', async () => {
    await db.query(`create table if not exists seen (v float8)`);
    await db.query(
      `create or replace function note() returns trigger language plpgsql as 'begin insert into public.seen values (new.v); return null; end'`,
    );
    await db.query(`create trigger note after insert on ${m} for each row execute function note()`);
    await db.query('truncate seen');
    await db.query(`insert into ${m} values ('2024-01-01 00:00:30+00', 'd1', 41)`);
    expect(
      (await db.error(`insert into ${m} values ('2024-01-01 00:01:00+00', 'd1', 42) on conflict do nothing`)).code,
    ).toBe('23505');
    expect(await db.column('select v from seen')).toEqual([41]);
  });

  test('COPY counts its rows and minds the key', async () => {
    const before = await db.value(`select count(*)::int from ${m}`);
    await db.query(`create table if not exists source (time timestamptz, device text, v float8, note text)`);
    await db.query(`truncate source`);
    await db.query(
      `insert into source select '2024-01-01 00:00:15'::timestamptz + i * interval '1 min', 'd1', i, 'copy' from generate_series(1, 100) i`,
    );
    await db.query(`insert into ${m} select * from source`);
    expect(await db.value(`select count(*)::int from ${m}`)).toBe(before + 100);
  });
});

describe('UPDATE and DELETE of compressed rows', () => {
  test('count and return their rows, where the whole command is shipped', async () => {
    await both(`update $m set v = v + 1 where device = 'd1' and time < '2024-01-01 03:00'`);
    await same();
    await both(`delete from $m where device = 'd2' and time >= '2024-01-01 20:00'`);
    await same();
    const result = await db.client.query(
      `delete from ${m} where device = 'd1' and time = '2024-01-01 00:05' returning v, note`,
    );
    expect(result.rows).toEqual([{ v: 6, note: 'n5' }]);
  });

  test('work row by row where a condition cannot be shipped', async () => {
    await both(`update $m set note = note || random()::text where v < 50 and random() < 2`);
    await db.query(`update ${m} set note = 'z' where v < 50`);
    await db.query(`update ${m}_twin set note = 'z' where v < 50`);
    await same();
    await both(`delete from $m where time < now() - interval '1 day' and v between 100 and 900`);
    await same();
    await both(`update $m set v = x.k from (values ('d1', 7), ('d2', 8), ('d1', 7)) x(d, k) where device = x.d`);
    await same();
    await both(`delete from $m using (values ('d1')) x(d) where device = x.d and time in (select max(time) from $m)`);
    await same();
  });

  test('work where a join with other compressed rows is shipped', async () => {
    const other = `${m}_other`;
    await db.query(`create table ${other} (time timestamptz not null, device text not null, k float8)`);
    await db.query(`select create_hypertable('${other}', 'time', chunk_time_interval => interval '1 day')`);
    await db.query(`insert into ${other} select time, device, v from ${m} where v < 100`);
    await db.query(
      `select set_compression('${other}', compress_segmentby => 'device'), compress_chunk(c) from show_chunks('${other}') c`,
    );
    const remote = (table: string): Promise<string> =>
      db.value(
        `select k.remote::text from _tessera_catalog.compressed_chunk k join _tessera_catalog.chunk c on c.id = k.chunk_id
        join _tessera_catalog.hypertable h on h.id = c.hypertable_id where h.table_name = $1`,
        [table],
      );
    const [target, source] = [await remote(m), await remote(other)];
    await db.query('begin');
    await db.query(`update ${m} set note = 'first' where v = 1000 and random() < 2`);
    await db.query(
      'set local enable_hashjoin = off; set local enable_mergejoin = off; set local enable_nestloop = off',
    );
    const sql = `update ${target} t set v = -s.k from ${source} s where s.time = t.time and s.device = t.device and random() < 2`;
    expect((await db.column(`explain (verbose, costs off) ${sql}`)).join('\n')).toContain('FOR UPDATE OF');
    expect((await db.client.query(sql)).rowCount).toBe(200);
    await db.query('commit');
    await db.query(`update ${m}_twin set note = 'first' where v = 1000`);
    await db.query(`update ${m}_twin set v = -v where v < 100`);
    await same();
  });

  test('are not locked by a query', async () => {
    for (const lock of ['update', 'no key update', 'share', 'key share nowait']) {
      const e = await db.error(`select v from ${m} where v < 100 for ${lock}`);
      expect([lock, e]).toEqual([
        lock,
        expect.objectContaining({ code: '0A000', message: 'rows of a compressed chunk cannot be locked by a query' }),
      ]);
    }
  });

  test('can be repeated on the same rows, across transactions and recompression', async () => {
    for (const round of [1, 2, 3]) {
      await both(`update $m set v = v * 2, note = 'r${round}' where note = 'n1' or note like 'r%'`);
      await both(`delete from $m where note = 'n${round + 1}'`);
      await same();
      if (round === 2) await db.query(`select compress_chunk(c) from show_chunks('${m}') c`);
      await same();
    }
    await db.query(`select compress_chunk(c) from show_chunks('${m}') c`);
    await same();
    expect(await db.value(`select count(*)::int from ${await residue()}`)).toBe(0);
  });

  test('are seen by the transaction itself, and undone by ROLLBACK and ROLLBACK TO', async () => {
    const all = 2880;
    const count = async (): Promise<number> => Number(await db.value(`select count(*) from ${m}`));
    await db.query('begin');
    await db.query(`delete from ${m} where device = 'd1'`);
    expect(await count()).toBe(all / 2);
    await db.query('savepoint s');
    await db.query(`update ${m} set v = -1 where device = 'd2'`);
    expect(await db.value(`select count(*)::int from ${m} where v = -1`)).toBe(all / 2);
    await db.query('rollback to s');
    expect(await db.value(`select count(*)::int from ${m} where v = -1`)).toBe(0);
    await db.query(`insert into ${m} values ('2024-01-01', 'd1', 5)`);
    expect(await count()).toBe(all / 2 + 1);
    await db.query('rollback');
    await same();
  });

  test('are settled by a job, which keeps away from chunks that are in use', async () => {
    await db.query(`update ${m} set v = -1 where device = 'd1'`);
    await db.query(`update ${m}_twin set v = -1 where device = 'd1'`);
    const marked = async (): Promise<number> =>
      db.value(
        `select count(*)::int from ${await residue()} where _ts_meta_born <> '2'::xid8 or _ts_meta_dead is not null`,
      );
    expect(await marked()).toBeGreaterThan(0);
    const user = await db.connect();
    await user.query('begin');
    await user.query(`select count(*) from ${m}`);
    await db.query('call run_job(5)');
    expect(await marked()).toBeGreaterThan(0);
    await user.query(`update ${m} set v = -2 where device = 'd1' and time < '2024-01-01 00:10'`);
    await user.query('commit');
    await db.query(`update ${m}_twin set v = -2 where device = 'd1' and time < '2024-01-01 00:10'`);
    await db.query('call run_job(5)');
    expect(await marked()).toBe(0);
    await same();
  });

  test('a row deleted may be inserted again in the same transaction', async () => {
    await db.query('begin');
    await db.query(`delete from ${m} where device = 'd1' and time = '2024-01-01 00:05'`);
    await db.query(`insert into ${m} values ('2024-01-01 00:05', 'd1', 5, 'again')`);
    await db.query('commit');
    expect(await db.column(`select note from ${m} where device = 'd1' and time = '2024-01-01 00:05'`)).toEqual([
      'again',
    ]);
  });

  test('keep the key unique and the row in its chunk', async () => {
    expect(
      (
        await db.error(
          `update ${m} set time = time + interval '1 min' where device = 'd1' and time = '2024-01-01 00:05'`,
        )
      ).code,
    ).toBe('23505');
    expect(
      await db.error(
        `update ${m} set time = time + interval '1 day' where device = 'd1' and time = '2024-01-01 00:05'`,
      ),
    ).toMatchObject({
      code: '23514',
      hint: 'Delete the row and insert it again, or decompress the chunk.',
    });
    await both(`update $m set time = time + interval '1 s' where device = 'd1'`);
    await same();
  });

  test('another transaction sees all of it or nothing, and one that changes the same rows is told to retry', async () => {
    const [a, b] = [await db.connect(), await db.connect()];
    const count = async (): Promise<number> =>
      Number((await b.query(`select count(*) as n from ${m} where device = 'd1'`)).rows[0].n);
    await a.query('begin');
    await a.query(`delete from ${m} where device = 'd1' and time < '2024-01-01 12:00'`);
    await a.query(`insert into ${m} values ('2024-01-01 00:00:30', 'd1', 1)`);
    expect(await count()).toBe(1440);
    await b.query('begin');
    const waiting = failure(b, `delete from ${m} where device = 'd1' and time < '2024-01-01 01:00'`);
    await waitUntil('it waits for the first one', async () => db.value(someoneWaits()));
    await a.query('commit');
    expect((await waiting).code).toBe('40001');
    await b.query('rollback');
    expect(await count()).toBe(721);
  });

  test('row triggers of the user fire for changes of compressed rows', async () => {
    await db.query('create table if not exists log (op text, v_old float8, v_new float8)');
    await db.query('truncate log');
    await db.query(`create or replace function log() returns trigger language plpgsql as
      'begin insert into public.log values (tg_op, old.v, case when tg_op = ''UPDATE'' then new.v end); return null; end'`);
    await db.query(
      `create or replace function twice() returns trigger language plpgsql as 'begin new.v := new.v * 2; return new; end'`,
    );
    await db.query(`create trigger log after update or delete on ${m} for each row execute function log()`);
    await db.query(`create trigger twice before update on ${m} for each row execute function twice()`);
    await db.query(`update ${m} set v = v + 1 where device = 'd1' and time = '2024-01-01 00:07'`);
    await db.query(`delete from ${m} where device = 'd1' and time = '2024-01-01 00:08'`);
    expect(await db.query('select * from log order by op')).toEqual([
      { op: 'DELETE', v_old: 8, v_new: null },
      { op: 'UPDATE', v_old: 7, v_new: 16 },
    ]);
    expect(await db.column(`select v from ${m} where device = 'd1' and time = '2024-01-01 00:07'`)).toEqual([16]);
  });

  test('a MERGE is an error of PostgreSQL', async () => {
    expect(
      (await db.error(`merge into ${m} using (values ('d1')) x(d) on device = d when matched then delete`)).code,
    ).toBe('0A000');
  });
});

describe('visibility over the loopback connection', () => {
  test('a transaction that read compressed rows before a chunk changed is told to retry, never given too few rows', async () => {
    await db.query(
      `insert into ${m} select '2024-01-02'::timestamptz + i * interval '1 min', 'd1', i from generate_series(0, 99) i`,
    );
    await db.query(
      `insert into ${m}_twin select '2024-01-02'::timestamptz + i * interval '1 min', 'd1', i from generate_series(0, 99) i`,
    );
    const old = await db.connect();
    await old.query('begin');
    // Another hypertable, but the same loopback connection; to change this one would mean waiting for who reads it.
    expect((await old.query('select count(*)::int as n from m1')).rows[0].n).toBeGreaterThan(0);
    await db.query(
      `select compress_chunk(c, true) from show_chunks('${m}', newer_than => '2024-01-02'::timestamptz) c`,
    );
    expect(await failure(old, `select count(*) from ${m}`)).toMatchObject({
      code: '40001',
      hint: 'Retry the transaction.',
    });
    await old.query('rollback');
    expect((await old.query(`select count(*)::int as n from ${m}`)).rows[0].n).toBe(2980);
    await same();
  });

  test('within one transaction the answer stays the same at REPEATABLE READ and SERIALIZABLE', async () => {
    for (const level of ['repeatable read', 'serializable']) {
      const reader = await db.connect();
      await reader.query(`begin isolation level ${level}`);
      const first = (await reader.query(`select count(*)::int as n, sum(v) as v from ${m}`)).rows[0];
      await db.query(`update ${m} set v = v + 1 where device = 'd1'`);
      await db.query(
        `insert into ${m} values (timestamptz '2024-01-01 00:00:40' + interval '1 s' * ${level.length}, 'd1', 0)`,
      );
      expect((await reader.query(`select count(*)::int as n, sum(v) as v from ${m}`)).rows[0]).toEqual(first);
      await reader.query('commit');
      await reader.end();
    }
  });

  test('a read-only transaction reads', async () => {
    await db.query('begin read only');
    expect(await db.value(`select count(*)::int from ${m}`)).toBe(2880);
    await db.query('commit');
  });
});

describe('while a chunk is compressed', () => {
  /** Compresses the newest chunk in a transaction that does not end yet, or fails. */
  const newest = async (): Promise<string> => {
    await db.query(
      `insert into ${m} select '2024-01-02'::timestamptz + i * interval '1 min', 'd1', i, 'x' from generate_series(0, 999) i`,
    );
    await db.query(
      `insert into ${m}_twin select '2024-01-02'::timestamptz + i * interval '1 min', 'd1', i, 'x' from generate_series(0, 999) i`,
    );
    return db.value(`select c::text from show_chunks('${m}', newer_than => '2024-01-02'::timestamptz) c`);
  };

  test('rows that another transaction commits after it was read stay in the tail', async () => {
    const chunk = await newest();
    const [a, b] = [await db.connect(), await db.connect()];
    await b.query('begin');
    await b.query(`insert into ${m} values ('2024-01-02 00:00:30', 'd1', 1, 'late')`);
    const compressing = a.query(`select compress_chunk('${chunk}')`);
    // It has read the chunk and waits for this writer, in short attempts.
    await waitUntil('it wants the hypertable', async () => db.value(someoneWaits('AccessExclusiveLock')));
    await b.query('commit');
    await compressing;
    await db.query(`insert into ${m}_twin values ('2024-01-02 00:00:30', 'd1', 1, 'late')`);
    await same();
    expect((await db.error(`insert into ${m} values ('2024-01-02 00:00:30', 'd1', 1)`)).code).toBe('23505');
    expect((await db.error(`insert into ${m} values ('2024-01-02 00:01:00', 'd1', 1)`)).code).toBe('23505');
  });

  test('rows that are updated or deleted after it was read make it start over', async () => {
    for (const sql of [
      `delete from ${m} where time = '2024-01-02 00:05'`,
      `update ${m} set v = -1 where time = '2024-01-02 00:06'`,
    ]) {
      const chunk = await newest().catch(() =>
        db.value(`select c::text from show_chunks('${m}', newer_than => '2024-01-02'::timestamptz) c`),
      );
      const [a, b] = [await db.connect(), await db.connect()];
      await b.query('begin');
      await b.query(sql);
      const compressing = failure(a, `select compress_chunk('${chunk}')`);
      await waitUntil('it wants the hypertable', async () => db.value(someoneWaits('AccessExclusiveLock')));
      await b.query('commit');
      expect((await compressing).code).toBe('40001');
      await db.query(sql.replace(m, `${m}_twin`));
      await same();
    }
  });

  test('rows of its own transaction are compressed', async () => {
    const chunk = await newest();
    await db.query('begin');
    await db.query(`insert into ${m} values ('2024-01-02 00:00:30', 'd1', 1, 'mine')`);
    await db.query('savepoint s');
    await db.query(`insert into ${m} values ('2024-01-02 00:00:31', 'd1', 1, 'mine')`);
    await db.query('release s');
    await db.query(`select compress_chunk('${chunk}')`);
    await db.query('commit');
    await db.query(
      `insert into ${m}_twin select '2024-01-02 00:00:30'::timestamptz + i * interval '1 s', 'd1', 1, 'mine' from generate_series(0, 1) i`,
    );
    await same();
    expect(await db.value(`select count(*)::int from ${chunk.replace('_chunk', '_tail')}`)).toBe(0);
  });

  test('it is refused where the snapshot may be older than the rows', async () => {
    const chunk = await newest();
    for (const level of ['repeatable read', 'serializable']) {
      await db.query(`begin isolation level ${level}`);
      expect(await db.error(`select compress_chunk('${chunk}')`)).toMatchObject({
        code: '25001',
        hint: 'begin transaction isolation level read committed;',
      });
      await db.query('rollback');
    }
  });

  test('a second session waits and finds it done', async () => {
    const chunk = await newest();
    const [a, b] = [await db.connect(), await db.connect()];
    await a.query('begin');
    await a.query(`select compress_chunk('${chunk}')`);
    const second = b.query(`select compress_chunk('${chunk}')`);
    await waitUntil('it waits', async () => db.value(someoneWaits()));
    await a.query('commit');
    await second;
    await same();
  });
});
