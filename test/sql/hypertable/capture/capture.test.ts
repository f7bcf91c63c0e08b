import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();
let n = 0;
let m = '';

const HOUR = 3_600_000_000;
const micros = (expression: string): string => `(extract(epoch from ${expression}) * 1000000)::int8`;

const capture = (table: string, step: number | bigint = HOUR): Promise<unknown> =>
  db.query(`select _tessera_functions.enable_capture('${table}'::regclass::oid::int8, ${step})`);
const setThreshold = (table: string, watermark: string): Promise<unknown> =>
  db.query(`update _tessera_catalog.continuous_aggs_invalidation_threshold t set watermark = ${watermark}
    from _tessera_catalog.hypertable h where h.id = t.hypertable_id and h.relid = '${table}'::regclass`);

const LOG = `_tessera_catalog.continuous_aggs_hypertable_invalidation_log l
  join _tessera_catalog.hypertable h on h.id = l.hypertable_id`;

/**
 * Logged ranges as "from - to" without what is noted beside them, which are forgotten; none that another contains, such as
 * those of a transaction before it went on.
 */
const logged = async (table = m): Promise<string[]> => {
  const rows = await db.column(
    `select format('%s - %s',
       to_char(to_timestamp(lowest_modified_value / 1000000) at time zone 'utc', 'DD HH24:MI:SS'),
       to_char(to_timestamp(greatest_modified_value / 1000000) at time zone 'utc', 'DD HH24:MI:SS'))
     from ${LOG} where h.relid = $1::regclass and not exists (
       select from _tessera_catalog.continuous_aggs_hypertable_invalidation_log o
       where o.hypertable_id = l.hypertable_id and o.ctid <> l.ctid
         and o.lowest_modified_value <= l.lowest_modified_value and o.greatest_modified_value >= l.greatest_modified_value
         and ((o.lowest_modified_value, o.greatest_modified_value) <> (l.lowest_modified_value, l.greatest_modified_value) or o.ctid < l.ctid))
     order by lowest_modified_value, greatest_modified_value`,
    [table],
  );
  await forget(table);
  return rows;
};
const integers = async (table: string): Promise<string[]> => {
  const rows = await db.column(
    `select format('%s - %s', lowest_modified_value, greatest_modified_value)
     from ${LOG} where h.relid = $1::regclass order by lowest_modified_value, greatest_modified_value`,
    [table],
  );
  await forget(table);
  return rows;
};
const forget = (table: string): Promise<unknown> =>
  db.query(
    `delete from _tessera_catalog.continuous_aggs_hypertable_invalidation_log l using _tessera_catalog.hypertable h
     where h.id = l.hypertable_id and h.relid = $1::regclass`,
    [table],
  );

const copy = async (client: pg.Client, table: string, lines: string): Promise<void> => {
  await pipeline(Readable.from([lines]), client.query(copyFrom(`copy ${table} from stdin`)));
};

/** Rows at every hour of January 1 to 3, one chunk a day; what is before January 3 is materialized. */
beforeEach(async () => {
  m = `m${++n}`;
  await db.query(`rollback; set timezone to 'UTC'`);
  await db.query(`create table ${m} (time timestamptz not null, device int not null, v float8, unique (time, device))`);
  await db.query(`select create_hypertable('${m}', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(
    `insert into ${m} select '2024-01-01'::timestamptz + i * interval '1 hour', 1, i from generate_series(0, 71) i`,
  );
  await capture(m);
  await setThreshold(m, micros(`timestamptz '2024-01-03'`));
});

describe('statements', () => {
  test('a row below the threshold is logged with its second, one above is not', async () => {
    await db.query(`insert into ${m} values ('2024-01-01 05:30:10.5', 1)`);
    await db.query(`insert into ${m} values ('2024-01-03 05:30', 1)`);
    await db.query(`insert into ${m} values ('2024-01-03', 2), ('2024-01-02 23:59:59.999999', 2)`);
    expect(await logged()).toEqual(['01 05:30:10 - 01 05:30:10', '02 23:59:59 - 02 23:59:59']);
  });

  test('a transaction logs the range of each chunk, which others see when it commits', async () => {
    const other = await db.connect();
    await db.query('begin');
    for (const hour of [3, 9, 5]) await db.query(`insert into ${m} values ('2024-01-01 0${hour}:00', 2)`);
    await db.query(`insert into ${m} values ('2024-01-02 04:00', 2)`);
    expect((await other.query(`select from ${LOG} where h.relid = '${m}'::regclass`)).rowCount).toBe(0);
    expect(await db.value(`select count(*)::int from ${LOG} where h.relid = '${m}'::regclass`)).toBeGreaterThan(1);
    await db.query('commit');
    const ranges = await logged();
    expect(ranges).toHaveLength(2);
    expect((ranges[0]?.slice(0, 11) ?? '99') <= '01 03:00:00').toBe(true);
    expect((ranges[0]?.slice(14) ?? '') >= '01 09:00:00').toBe(true);
    expect(ranges[1]).toBe('02 04:00:00 - 02 04:00:00');
  });

  test('an update logs old and new rows, also where the time changes, and a delete what is gone', async () => {
    await db.query(`update ${m} set v = 0 where time = '2024-01-01 07:00'`);
    expect(await logged()).toEqual(['01 07:00:00 - 01 07:00:00']);
    await db.query(`update ${m} set time = '2024-01-01 09:30' where time = '2024-01-01 09:00'`);
    expect(await logged()).toEqual(['01 09:00:00 - 01 09:30:00']);
    await db.query(`delete from ${m} where time = '2024-01-02 02:00'`);
    expect(await logged()).toEqual(['02 02:00:00 - 02 02:00:00']);
    await db.query(`delete from ${m} where time = '2024-01-03 02:00'`);
    expect(await logged()).toEqual([]);
  });

  test('an update that moves a row to another chunk logs both', async () => {
    await db.query(`update ${m} set time = '2024-01-02 09:30' where time = '2024-01-01 09:00'`);
    expect(await logged()).toEqual(['01 09:00:00 - 01 09:00:00', '02 09:30:00 - 02 09:30:00']);
    await db.query(`update ${m} set time = '2024-01-03 09:30' where time = '2024-01-01 10:00'`);
    expect(await logged()).toEqual(['01 10:00:00 - 01 10:00:00']);
  });

  test('upserts and MERGE count', async () => {
    await db.query(`insert into ${m} values ('2024-01-01 02:00', 1) on conflict (time, device) do nothing`);
    expect(await logged()).toEqual([]);
    await db.query(
      `insert into ${m} values ('2024-01-01 02:00', 1) on conflict (time, device) do update set v = excluded.v`,
    );
    expect(await logged()).toEqual(['01 02:00:00 - 01 02:00:00']);
    await db.query(
      `merge into ${m} t using (values ('2024-01-01 03:00'::timestamptz), ('2024-01-02 03:30')) s(time) on t.time = s.time
       when matched then delete when not matched then insert values (s.time, 1, 0)`,
    );
    expect(await logged()).toEqual(['01 03:00:00 - 01 03:00:00', '02 03:30:00 - 02 03:30:00']);
  });

  test('COPY counts, and so do rows written to a chunk directly', async () => {
    await copy(db.client, m, '2024-01-01 04:10\t1\t0\n2024-01-03 04:10\t1\t0\n');
    expect(await logged()).toEqual(['01 04:10:00 - 01 04:10:00']);
    const chunk = await db.value(`select c::text from show_chunks('${m}') c limit 1`);
    await db.query(`insert into ${chunk} values ('2024-01-01 11:11:11', 1)`);
    await db.query(`delete from ${chunk} where time = '2024-01-01 12:00'`);
    expect(await logged()).toEqual(['01 11:11:11 - 01 11:11:11', '01 12:00:00 - 01 12:00:00']);
  });

  test('rows that go through the default partition are logged once, and moving them is no change', async () => {
    await db.query(`insert into ${m} values ('2023-12-20 01:00', 1), ('2023-12-20 02:00', 1)`);
    expect((await logged()).map((r) => r.slice(0, 17))).toEqual(['20 01:00:00 - 20 ']);
    await db.query(
      `insert into ${m} select '2023-12-21'::timestamptz + i * interval '1 s', 1 from generate_series(0, 19999) i`,
    );
    expect(await logged()).toHaveLength(1);
    const [chunk] = await db.column(
      `select c::text from show_chunks('${m}', older_than => '2023-12-22'::timestamptz) c`,
    );
    await db.query(`delete from ${chunk} where time = '2023-12-20 02:00'`);
    expect(await logged()).toEqual(['20 02:00:00 - 20 02:00:00']);
  });

  test('rows that wait in the default partition are moved later without a trace', async () => {
    const other = await db.connect();
    await other.query(`begin; lock table ${m} in row exclusive mode`);
    await db.query(`insert into ${m} values ('2023-12-20 01:00', 1)`);
    await other.query('commit');
    expect(await logged()).toEqual(['20 01:00:00 - 20 01:00:00']);
    expect(await db.value(`select drain_default_partition('${m}')::int`)).toBe(1);
    expect(await logged()).toEqual([]);
  });

  test('a writer who may do nothing but insert is captured too', async () => {
    const role = await db.role('writer');
    await db.query(`grant insert on ${m} to ${role}`);
    const writer = await db.as(role);
    await writer.query(`insert into ${m} values ('2024-01-01 06:06:06', 1), ('2023-11-11 06:06:06', 1)`);
    expect(await logged()).toEqual(['01 06:06:06 - 01 06:06:06', '11 06:06:06 - 11 06:06:06'].reverse());
  });

  test('replicated rows are captured', async () => {
    await db.query(`set session_replication_role = replica`);
    await db.query(`insert into ${m} values ('2024-01-01 06:06:06', 1)`);
    await db.query(`reset session_replication_role`);
    expect(await logged()).toEqual(['01 06:06:06 - 01 06:06:06']);
  });
});

describe('transactions', () => {
  test('what was rolled back is not logged', async () => {
    await db.query(`begin; insert into ${m} values ('2024-01-01 01:01', 1); rollback`);
    expect(await logged()).toEqual([]);
    await db.query(`begin; insert into ${m} values ('2024-01-01 01:01', 1); savepoint s;
      insert into ${m} values ('2024-01-01 09:01', 1); insert into ${m} values ('2024-01-02 09:01', 1); rollback to s;
      insert into ${m} values ('2024-01-01 01:03', 1); commit`);
    const [range, ...rest] = await logged();
    expect(rest).toEqual([]);
    expect((range ?? '') < '01 01:01:01').toBe(true);
    expect((range ?? '').slice(14) < '01 02').toBe(true);
    await db.query(`begin; savepoint s; insert into ${m} values ('2024-01-01 09:09', 1); rollback to s;
      insert into ${m} values ('2024-01-01 01:05', 1); commit`);
    expect(await logged()).toEqual(['01 01:05:00 - 01 01:05:00']);
  });

  test('RESET ALL in the middle of a transaction has what comes later logged anew', async () => {
    await db.query(`begin; insert into ${m} values ('2024-01-01 01:01', 1); reset all; set timezone to 'UTC';
      insert into ${m} values ('2024-01-01 01:01', 7), ('2024-01-02 05:01', 1); commit`);
    expect(await logged()).toEqual(['01 01:01:00 - 01 01:01:00', '02 05:01:00 - 02 05:01:00']);
  });

  test('after a late row the hypertable can be altered, indexed and dropped by the same transaction', async () => {
    await db.query(`begin; insert into ${m} values ('2024-01-01 01:01', 1); alter table ${m} add column w int;
      create index on ${m} (v); delete from ${m} where time = '2024-01-01 02:00'; drop table ${m}; rollback`);
    expect(await logged()).toEqual([]);
  });

  test('a role that may write to a chunk alone has it logged at commit, and SET CONSTRAINTS logs it at once', async () => {
    const [chunk] = await db.column(`select c::text from show_chunks('${m}') c`);
    const role = await db.role('chunk_writer');
    await db.query(`grant usage on schema _tessera_internal to ${role}; grant insert on ${chunk} to ${role}`);
    const writer = await db.as(role);
    await writer.query(`begin; insert into ${chunk} values ('2024-01-01 01:01', 1)`);
    await writer.query(`set constraints all immediate`);
    await writer.query(`insert into ${chunk} values ('2024-01-01 05:01', 1); commit`);
    expect(await logged()).toEqual(['01 01:01:00 - 01 01:01:00', '01 05:01:00 - 01 05:01:00']);
    // RESET ALL takes away what was noted: it may be anything then.
    await writer.query(`begin; insert into ${chunk} values ('2024-01-01 01:02', 1); reset all; commit`);
    expect(await integers(m)).toEqual(['-9223372036854775808 - 9223372036854775807']);
    await db.query(`revoke usage on schema _tessera_internal from ${role}`);
  });

  test('who may not write to a hypertable logs nothing about it', async () => {
    const stranger = await db.as(await db.role('no_writer'));
    const id = await db.value(`select id from _tessera_catalog.hypertable where relid = '${m}'::regclass`);
    await expect(
      stranger.query(`insert into _tessera_functions.own_changes values (${id}, 0, 0, 1)`),
    ).rejects.toMatchObject({ code: '44000' });
    await stranger.query(
      `begin; select _tessera_functions.note_change(${id}, '${id}_0', 1000000, timestamptz '2024-01-01', timestamptz '2024-01-02'),
         _tessera_functions.log_noted(${id}, '${id}_0', 1000000); commit`,
    );
    expect(await logged()).toEqual([]);
  });

  test('a repeatable read transaction logs whatever the threshold is that it sees', async () => {
    for (const level of ['repeatable read', 'serializable']) {
      await db.query(`begin isolation level ${level}; insert into ${m} values ('2024-01-03 01:01', 1); rollback`);
      expect(await logged()).toEqual([]);
      await db.query(
        `begin isolation level ${level}; insert into ${m} values ('2024-01-03 01:02', ${level.length}); commit`,
      );
      expect(await logged()).toEqual(['03 01:02:00 - 03 01:02:00']);
    }
  });

  test('a transaction may drop, compress, truncate by function and reorder what it has just written to', async () => {
    const [first, second] = await db.column(`select c::text from show_chunks('${m}') c`);
    await db.query(`select set_compression('${m}', compress_segmentby => 'device')`);
    await db.query(`begin; insert into ${m} values ('2024-01-01 01:01', 1); select compress_chunk('${first}'); commit`);
    expect(await logged()).toEqual(['01 01:01:00 - 01 01:01:00']);
    const index = await db.value(
      `select indexrelid::regclass::text from pg_index where indrelid = '${second}'::regclass limit 1`,
    );
    await db.query(
      `begin; insert into ${m} values ('2024-01-02 01:02', 1); select reorder_chunk('${second}', '${index}'); commit`,
    );
    expect(await logged()).toEqual(['02 01:02:00 - 02 01:02:00']);
    await db.query(`insert into ${m} values ('2024-01-02 01:03', 1)`);
    expect(await logged()).toEqual(['02 01:03:00 - 02 01:03:00']);
    await db.query(
      `begin; insert into ${m} values ('2024-01-02 01:04', 1); select truncate_hypertable('${m}'); commit`,
    );
    expect(await integers(m)).toContain('-9223372036854775808 - 9223372036854775807');
    expect(await db.value(`select count(*)::int from ${m}`)).toBe(0);
  });
});

describe('tables', () => {
  test('TRUNCATE of a chunk and of the hypertable log what had rows', async () => {
    const [first] = await db.column(`select c::text from show_chunks('${m}') c`);
    await db.query(`truncate ${first}`);
    expect(await logged()).toEqual(['01 00:00:00 - 01 23:59:59']);
    await db.query(`truncate ${m}`);
    expect(await logged()).toEqual(['02 00:00:00 - 02 23:59:59']);
    expect(await db.column(`select c::text from show_chunks('${m}') c`)).toEqual([]);
  });

  test('DROP TABLE and DETACH of a chunk log its range', async () => {
    const [first, second] = await db.column(`select c::text from show_chunks('${m}') c`);
    await db.query(`drop table ${first}`);
    expect(await logged()).toEqual(['01 00:00:00 - 01 23:59:59']);
    await db.query(`alter table ${m} detach partition ${second}`);
    expect(await logged()).toEqual(['02 00:00:00 - 02 23:59:59']);
    await db.query(`insert into ${second} values ('2024-01-02 00:30', 1)`);
    expect(await logged()).toEqual([]);
  });

  test('chunks made later, and rewritten ones, are captured', async () => {
    await db.query(`select create_chunks('${m}', '2023-12-01'::timestamptz, '2023-12-03'::timestamptz)`);
    await db.query(`insert into ${m} values ('2023-12-01 03:03', 1)`);
    expect(await logged()).toEqual(['01 03:03:00 - 01 03:03:00']);
  });

  test('hash chunks are captured', async () => {
    const h = `${m}h`;
    await db.query(`create table ${h} (time timestamptz not null, device int not null)`);
    await db.query(`select create_hypertable('${h}', 'time', 'device', 3, chunk_time_interval => interval '1 day')`);
    await db.query(`insert into ${h} select '2024-01-01 05:00', i from generate_series(1, 9) i`);
    await capture(h);
    await setThreshold(h, micros(`timestamptz '2024-01-03'`));
    await db.query(`insert into ${h} values ('2024-01-01 06:00', 1)`);
    expect(await logged(h)).toEqual(['01 06:00:00 - 01 06:00:00']);
    await db.query(`insert into ${h} values ('2024-01-02 06:00', 1)`);
    expect(await logged(h)).toEqual(['02 06:00:00 - 02 06:00:00']);
    await db.query(`delete from ${h} where time >= '2024-01-02'`);
    expect(await logged(h)).toEqual(['02 06:00:00 - 02 06:00:00']);
    await db.query(`delete from ${h} where time < '2024-01-01 06:00'`);
    expect(new Set(await logged(h))).toEqual(new Set(['01 05:00:00 - 01 05:00:00']));
  });

  test('the time column can be renamed', async () => {
    await db.query(`alter table ${m} rename column time to at`);
    await db.query(`insert into ${m} (at, device) values ('2024-01-01 06:01', 1)`);
    await db.query(`insert into ${m} (at, device) values ('2023-01-01 06:02', 1)`);
    expect(await logged()).toEqual(['01 06:02:00 - 01 06:02:00', '01 06:01:00 - 01 06:01:00']);
  });

  test('capture can be enabled twice, with a smaller step only, and disabled twice', async () => {
    const step = (): Promise<bigint> =>
      db.value(
        `select step from _tessera_catalog.continuous_aggs_invalidation_threshold t join _tessera_catalog.hypertable h on h.id = t.hypertable_id
         where h.relid = '${m}'::regclass`,
      );
    const triggers = (): Promise<number> =>
      db.value(
        `select count(*)::int from pg_trigger t join pg_partition_tree('${m}') p on p.relid = t.tgrelid where tgname ~ '^tessera_capture_'`,
      );
    const before = await triggers();
    await capture(m, 2 * HOUR);
    expect(await step()).toBe(BigInt(HOUR));
    await capture(m, 60_000_000);
    expect(await step()).toBe(60_000_000n);
    expect(await triggers()).toBe(before);
    await db.query(`insert into ${m} values ('2024-01-01 06:01', 1)`);
    for (let i = 0; i < 2; i++)
      await db.query(`select _tessera_functions.disable_capture('${m}'::regclass::oid::int8)`);
    expect(await triggers()).toBe(0);
    expect(await logged()).toEqual([]);
    await db.query(`insert into ${m} values ('2024-01-01 06:02', 1), ('2022-01-01', 1)`);
    expect(await logged()).toEqual([]);
  });

  test('nobody but the owner enables or disables it, and the trigger on another table does nothing', async () => {
    const role = await db.role('stranger');
    await db.query(`grant create on schema public to ${role}`);
    const stranger = await db.as(role);
    const id = await db.value(`select id from _tessera_catalog.hypertable where relid = '${m}'::regclass`);
    for (const call of ['enable_capture($1, 5)', 'disable_capture($1)'])
      await expect(
        stranger.query(`select _tessera_functions.${call}`, [await db.value(`select '${m}'::regclass::oid::int8`)]),
      ).rejects.toMatchObject({ code: '42501' });
    await stranger.query(`create table ${m}_own (x int)`);
    await stranger.query(
      `create trigger t after insert on ${m}_own for each row execute function _tessera_functions.log_changes('${id}', 'x', '1')`,
    );
    await stranger.query(
      `create trigger u before truncate on ${m}_own execute function _tessera_functions.log_truncate('${id}', 'x', '1', '0')`,
    );
    await stranger.query(`insert into ${m}_own values (1); truncate ${m}_own`);
    expect(await logged()).toEqual([]);
    await db.query(`drop table ${m}_own; revoke create on schema public from ${role}`);
  });
});

describe('compressed chunks', () => {
  beforeEach(async () => {
    await db.query(`insert into ${m} select time, 2, v from ${m}`);
    await db.query(
      `select set_compression('${m}', compress_segmentby => 'device'), compress_chunk(c) from show_chunks('${m}') c`,
    );
    await logged();
  });

  test('compressing, recompressing, decompressing and settling are no changes', async () => {
    expect(await logged()).toEqual([]);
    await db.query(`insert into ${m} values ('2024-01-01 05:30', 7)`);
    expect(await logged()).toEqual(['01 05:30:00 - 01 05:30:00']);
    await db.query(`delete from ${m} where device = 1 and time = '2024-01-01 05:00'`);
    expect(await logged()).toEqual(['01 05:00:00 - 01 05:00:00']);
    for (const action of ['settle', 'recompress', 'decompress', 'compress'])
      await db.query(
        `select _tessera_functions.change_compression(c::oid::int8, '${action}') from show_chunks('${m}') c`,
      );
    expect(await logged()).toEqual([]);
  });

  test('updates and deletes of compressed rows are logged with their times', async () => {
    await db.query(`update ${m} set v = -1 where time = '2024-01-01 05:00' and device = 1`);
    expect(await logged()).toEqual(['01 05:00:00 - 01 05:00:00']);
    await db.query(`update ${m} set v = -2 where time = '2024-01-01 05:00' and device = 1`);
    expect(await logged()).toEqual(['01 05:00:00 - 01 05:00:00']);
    await db.query(`update ${m} set time = '2024-01-01 07:30' where time = '2024-01-01 07:00' and device = 1`);
    expect(await logged()).toEqual(['01 07:00:00 - 01 07:59:59']);
    await db.query(`delete from ${m} where time = '2024-01-02 05:00'`);
    expect(await logged()).toEqual(['02 05:00:00 - 02 05:00:00']);
    await db.query(`delete from ${m} where time = '2024-01-03 05:00'`);
    expect(await logged()).toEqual([]);
    await db.query(`update ${m} set v = -2 where time = '2030-01-01 05:00'`);
    expect(await logged()).toEqual([]);
  });

  test('they are logged when the chunk is named, and in joins and subqueries', async () => {
    const [first] = await db.column(`select c::text from show_chunks('${m}') c`);
    await db.query(`delete from ${first} where time = '2024-01-01 05:00' and device = 1`);
    expect(await logged()).toEqual(['01 05:00:00 - 01 05:00:00']);
    await db.query(
      `update ${m} t set v = 0 from (values ('2024-01-01 08:00'::timestamptz)) s(time) where t.time = s.time`,
    );
    expect(await logged()).toEqual(['01 08:00:00 - 01 08:00:00']);
    await db.query(`with d as (delete from ${m} where time = '2024-01-01 09:00' returning *) select count(*) from d`);
    expect(await logged()).toEqual(['01 09:00:00 - 01 09:00:00']);
  });

  test('they are logged by the transaction of the client', async () => {
    const other = await db.connect();
    await db.query(`begin; update ${m} set v = -1 where time = '2024-01-01 05:00'`);
    expect((await other.query(`select from ${LOG} where h.relid = '${m}'::regclass`)).rowCount).toBe(0);
    await db.query(`rollback`);
    expect(await logged()).toEqual([]);
    await db.query(`begin; savepoint s; delete from ${m} where time = '2024-01-01 05:00'; rollback to s;
      delete from ${m} where time = '2024-01-01 09:00'; commit`);
    expect(await logged()).toEqual(['01 09:00:00 - 01 09:00:00']);
    expect(await db.value(`select count(*)::int from ${m} where time = '2024-01-01 05:00'`)).toBe(2);
  });

  test('a foreign key that cascades to segments and to changed rows logs', async () => {
    const f = `${m}f`;
    await db.query(`create table ${f}_d (id int primary key)`);
    await db.query(`insert into ${f}_d values (1), (2), (3)`);
    await db.query(
      `create table ${f} (time timestamptz not null, device int references ${f}_d on delete cascade on update cascade)`,
    );
    await db.query(`select create_hypertable('${f}', 'time', chunk_time_interval => interval '1 day')`);
    await db.query(
      `insert into ${f} select '2024-01-01'::timestamptz + i * interval '1 hour', 1 + i % 3 from generate_series(0, 47) i`,
    );
    await capture(f);
    await setThreshold(f, micros(`timestamptz '2024-01-02'`));
    await db.query(
      `select set_compression('${f}', compress_segmentby => 'device'), compress_chunk(c) from show_chunks('${f}') c`,
    );
    expect(await logged(f)).toEqual([]);
    await db.query(`delete from ${f}_d where id = 1`);
    expect(await logged(f)).toEqual(['01 00:00:00 - 01 23:59:59']);
    await db.query(`update ${f}_d set id = 7 where id = 2`);
    expect(await logged(f)).toEqual(['01 00:00:00 - 01 23:59:59']);
    await db.query(`delete from ${f} where time = '2024-01-01 02:00'`);
    await logged(f);
    await db.query(`delete from ${f}_d where id = 3`);
    expect((await logged(f)).length).toBeGreaterThan(0);
  });

  test('a table that is captured after it was compressed logs as well, and disabling leaves nothing behind', async () => {
    await db.query(`select _tessera_functions.disable_capture('${m}'::regclass::oid::int8)`);
    await db.query(`delete from ${m} where time = '2024-01-01 05:00'`);
    expect(await logged()).toEqual([]);
    expect(
      await db.value(`select count(*)::int from pg_trigger where tgname ~ ('^tessera_capture_' ||
      (select id from _tessera_catalog.hypertable where relid = '${m}'::regclass) || '_')`),
    ).toBe(0);
    await capture(m);
    await setThreshold(m, micros(`timestamptz '2024-01-03'`));
    await db.query(`delete from ${m} where time = '2024-01-01 06:00'`);
    expect(await logged()).toEqual(['01 06:00:00 - 01 06:00:00']);
  });
});

describe('types', () => {
  test('integers of every width, up to their ends', async () => {
    for (const [type, least, most] of [
      ['smallint', -32768n, 32767n],
      ['integer', -2147483648n, 2147483647n],
      ['bigint', -9223372036854775808n, 9223372036854775807n],
    ] as const) {
      const t = `${m}_${type}`;
      await db.query(`create table ${t} (time ${type} not null)`);
      await db.query(`select create_hypertable('${t}', 'time', chunk_time_interval => 1000)`);
      await capture(t, 10);
      await setThreshold(t, '9223372036854775807');
      for (const value of [least, -1n, 0n, 1n, 1500n]) {
        await db.query(`insert into ${t} values (${value})`);
        expect(await integers(t), `${type} ${value}`).toEqual([`${value} - ${value}`]);
      }
      await db.query(`begin isolation level repeatable read; insert into ${t} values (${most}); commit`);
      expect(await integers(t), `${type} ${most}`).toEqual([`${most} - ${most}`]);
      await db.query(
        `begin isolation level repeatable read; insert into ${t} values (${least + 1n}), (${most - 1n}); delete from ${t}; commit`,
      );
      expect((await integers(t)).length).toBeGreaterThan(0);
      await setThreshold(t, '5');
      await db.query(`insert into ${t} values (5)`);
      expect(await integers(t)).toEqual([]);
      await db.query(`insert into ${t} values (4)`);
      expect(await integers(t)).toEqual(['4 - 4']);
    }
  });

  test('timestamp and date, infinite and far ones too', async () => {
    for (const type of ['timestamp', 'date', 'timestamptz']) {
      const t = `${m}_${type}`;
      await db.query(`create table ${t} (time ${type} not null)`);
      await db.query(`select create_hypertable('${t}', 'time', chunk_time_interval => interval '7 days')`);
      await capture(t, 24 * HOUR);
      await setThreshold(t, '9223372036854775807');
      await db.query(`insert into ${t} values ('2024-01-05')`);
      expect(await logged(t)).toEqual([type === 'date' ? '05 00:00:00 - 05 23:59:59' : '05 00:00:00 - 05 00:00:00']);
      for (const far of [
        'infinity',
        '-infinity',
        '290000-01-01',
        '4713-01-01 BC',
        '294276-12-31',
        '2300-01-01',
        '1600-01-01',
      ]) {
        await db.query(`begin isolation level repeatable read; insert into ${t} values ('${far}'); commit`);
        expect(await integers(t), `${type} ${far}`).toHaveLength(1);
        expect(await db.value(`select count(*)::int from ${t} where time = '${far}'`), `${type} ${far}`).toBe(1);
      }
      await db.query(`insert into ${t} values ('infinity'), ('2024-01-01')`);
      await db.query(`delete from ${t}`);
      expect((await integers(t)).length).toBeGreaterThan(0);
      if (type === 'date') {
        await db.query(`begin isolation level repeatable read; insert into ${t} values ('5874897-12-31'); commit`);
        expect(await integers(t)).toEqual(['9223372036854775807 - 9223372036854775807']);
      }
    }
  });

  test('a time from the year 2242 on is covered although its seconds are rounded', async () => {
    await setThreshold(m, '9223372036854775807');
    for (const time of ['2300-01-01 00:00:00.999999', '9999-12-31 23:59:59.999999', '1500-01-01 00:00:00.000001']) {
      await db.query(`insert into ${m} values ('${time}', 1)`);
      expect(
        await db.value(
          `select count(*)::int from ${LOG} where h.relid = '${m}'::regclass
           and ${micros(`timestamptz '${time}'`)} between lowest_modified_value and greatest_modified_value`,
        ),
        time,
      ).toBe(1);
      await forget(m);
    }
  });

  test('a range covers every row, in whatever order they come', async () => {
    await setThreshold(m, '9223372036854775807');
    const minutes = [700, 3, 900, 45, 1200, 1, 333, 1439, 0, 601];
    await db.query('begin');
    for (const minute of minutes)
      await db.query(`insert into ${m} values ('2024-01-01'::timestamptz + interval '${minute} min', 5)`);
    await db.query('commit');
    expect(
      await db.value(
        `select count(*)::int from ${m} r where device = 5 and exists (
           select from ${LOG} where h.relid = '${m}'::regclass
           and ${micros('r.time')} between lowest_modified_value and greatest_modified_value)`,
      ),
    ).toBe(minutes.length);
    await forget(m);
  });
});
