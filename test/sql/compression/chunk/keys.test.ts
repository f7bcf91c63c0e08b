import { describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();
let n = 0;

/** A hypertable with two compressed rows: (00:00, 1, 10) and (01:00, 1, 11). */
const meter = async (): Promise<string> => {
  const table = `meter${++n}`;
  await db.query(
    `create table ${table} (ts timestamptz not null, site int not null, kwh int, constraint ${table}_key primary key (site, ts))`,
  );
  await db.query(`select create_hypertable('${table}', 'ts')`);
  await db.query(`select set_compression('${table}', compress_segmentby => 'site', compress_orderby => 'ts')`);
  await db.query(`insert into ${table} values ('2024-01-01 00:00+00', 1, 10), ('2024-01-01 01:00+00', 1, 11)`);
  await db.query(`select compress_chunk(c) from show_chunks('${table}') c`);
  return table;
};

const refused = async (sql: string, key: string): Promise<void> => {
  const e = await db.error(sql);
  expect([e.code, e.message]).toEqual(['23505', `duplicate key value violates unique constraint "${key}"`]);
};

describe('a late row never gets the key of a compressed one', () => {
  test('by UPDATE of any column of the key, through the hypertable or the chunk', async () => {
    const table = await meter();
    const chunk = await db.value(`select c::text from show_chunks('${table}') c`);
    await db.query(`insert into ${table} values ('2024-01-01 00:00+00', 2, 20), ('2024-01-01 09:00+00', 1, 90)`);
    await refused(`update ${table} set site = 1 where site = 2`, `${table}_key`);
    await refused(`update ${table} set ts = '2024-01-01 01:00+00' where kwh = 90`, `${table}_key`);
    await refused(`update ${chunk} set site = 1 where site = 2`, `${table}_key`);
    await db.query(`update ${table} set site = 3, kwh = 21 where site = 2`);
    await db.query(`update ${table} set kwh = 12 where kwh = 11`);
    await refused(`update ${table} set ts = '2024-01-01 01:00+00' where kwh = 90`, `${table}_key`);
    await db.query(`select decompress_chunk(c) from show_chunks('${table}') c`);
    expect(await db.column(`select kwh from ${table} order by kwh`)).toEqual([10, 12, 21, 90]);
  });

  test('by a trigger that gives the row another key after ours looked', async () => {
    const table = await meter();
    await db.query(`create function zone_${table}() returns trigger language plpgsql as $$ begin new.site := new.site % 10; return new; end $$;
      create trigger zzz before insert or update on ${table} for each row execute function zone_${table}()`);
    await refused(`insert into ${table} values ('2024-01-01 00:00+00', 11, 20)`, `${table}_key`);
    await db.query(`insert into ${table} values ('2024-01-01 00:00+00', 12, 20)`);
    await refused(`update ${table} set site = 31 where kwh = 20`, `${table}_key`);
    expect(await db.value(`select count(*)::int from ${table}`)).toBe(3);
  });

  test('at one call of the guard for a new row, and two where the user has triggers, chunk by chunk', async () => {
    const table = await meter();
    await db.query(`insert into ${table} values ('2024-03-01 00:00+00', 1, 30)`);
    await db.query(`select compress_chunk(c) from show_chunks('${table}', newer_than => '2024-02-01'::timestamptz) c`);
    const tails = await db.column(
      `select k.tail::text from _tessera_catalog.compressed_chunk k join _tessera_catalog.chunk c on c.id = k.chunk_id
       join _tessera_catalog.hypertable h on h.id = c.hypertable_id where h.relid = $1::regclass order by c.id`,
      [table],
    );
    expect(tails).toHaveLength(2);
    const calls = async (): Promise<number[]> => {
      const counted = await db.connect();
      await counted.query(`set track_functions = 'pl'`);
      const count = async (): Promise<number[]> =>
        (
          await counted.query<{ n: number }>(
            `select coalesce(pg_stat_get_xact_function_calls(to_regprocedure(t || '_key()')), 0)::int as n from unnest($1::text[]) t`,
            [tails],
          )
        ).rows.map((r) => r.n);
      await counted.query('begin');
      await counted.query(
        `insert into ${table} select t + i * interval '1 second', 100 + i, 0 from generate_series(1, 50) i,
           (values ('2024-01-01 02:00+00'::timestamptz), ('2024-03-01 02:00+00')) v(t)`,
      );
      const seen = await count();
      await counted.query('rollback');
      await counted.end();
      return seen;
    };
    expect(await calls()).toEqual([50, 50]);
    await db.query(`create function turn_${table}() returns trigger language plpgsql as $$ begin new.site := new.site % 10; return new; end $$;
      create trigger zzz before insert on ${tails[0]} for each row execute function turn_${table}()`);
    expect(await calls()).toEqual([100, 50]);
    for (const order of ['asc', 'desc'])
      await refused(
        `insert into ${table} select * from (values ('2024-01-01 00:00+00'::timestamptz, 11, 0), ('2024-03-01 05:00+00', 12, 0), ('2024-03-01 06:00+00', 13, 0)) v(t)
         order by t ${order}`,
        `${table}_key`,
      );
    await db.query(`drop trigger zzz on ${tails[0]}`);
    expect((await db.error(`insert into ${table} values ('2024-01-01 00:00+00', 1, 0)`)).code).toBe('23505');
    await db.query('begin');
    await db.query(`insert into ${table} values ('2024-01-01 07:00+00', 1, 0)`);
    await db.query(`create trigger zzz before insert on ${tails[0]} for each row execute function turn_${table}()`);
    await refused(`insert into ${table} values ('2024-01-01 00:00+00', 21, 0)`, `${table}_key`);
    await db.query('rollback');
  });

  test('as the operators of its index see it, not those of a name', async () => {
    await db.query('create extension if not exists citext');
    await db.query(
      'create table alarm (ts timestamptz not null, tag citext, level int, constraint alarm_key unique (ts, tag))',
    );
    await db.query(`select create_hypertable('alarm', 'ts')`);
    await db.query(`select set_compression('alarm', compress_segmentby => '', compress_orderby => 'tag, ts')`);
    await db.query(`insert into alarm values ('2024-01-01', 'Boiler', 1)`);
    await db.query(`select compress_chunk(c) from show_chunks('alarm') c`);
    expect(
      (await db.client.query(`insert into alarm values ('2024-01-01', 'BOILER', 2) on conflict do nothing`)).rowCount,
    ).toBe(0);
    expect((await db.error(`insert into alarm values ('2024-01-01', 'boiler', 3)`)).code).toBe('23505');
    await db.query(`insert into alarm values ('2024-01-01', 'Pump', 4)`);
    expect((await db.error(`update alarm set tag = 'BOILER' where level = 4`)).code).toBe('23505');
    expect(
      await db.query(
        `select * from upsert('alarm', $$ select '2024-01-01'::timestamptz as ts, 'BOILER'::text as tag, 9 as level $$)`,
      ),
    ).toEqual([{ inserted: 0n, updated: 1n }]);
    await db.query(`select decompress_chunk(c) from show_chunks('alarm') c`);
    expect(await db.query('select tag, level from alarm order by level')).toEqual([
      { tag: 'Pump', level: 4 },
      { tag: 'Boiler', level: 9 },
    ]);
  });
});

test('deferrable keys are refused, since a compressed row is looked for at once', async () => {
  await db.query('create table later (ts timestamptz not null, id int, unique (ts, id) deferrable initially deferred)');
  await db.query(`select create_hypertable('later', 'ts')`);
  const e = await db.error(`select set_compression('later', compress_orderby => 'ts, id')`);
  expect([e.code, e.detail]).toEqual(['0A000', 'Its key "later_ts_id_key" is deferrable.']);
  expect(e.hint).toMatch(/without DEFERRABLE/);
});

describe('upsert()', () => {
  test('inserts rows whose key has a null, each time', async () => {
    await db.query('create table reading (ts timestamptz not null, tag text, v int, unique (ts, tag))');
    await db.query(`select create_hypertable('reading', 'ts')`);
    await db.query(`insert into reading values ('2025-01-01', null, 1)`);
    for (const [ts, v] of [
      ['2025-01-01', 2],
      ['2025-06-01', 3],
    ] as const)
      expect(
        await db.query(
          `select * from upsert('reading', $$ select '${ts}'::timestamptz as ts, null::text as tag, ${v} as v $$)`,
        ),
      ).toEqual([{ inserted: 1n, updated: 0n }]);
    expect(await db.value('select count(*)::int from reading')).toBe(3);
  });

  test('takes nulls for equal where the key does', async () => {
    await db.query(
      'create table strict (ts timestamptz not null, tag text, v int, unique nulls not distinct (ts, tag))',
    );
    await db.query(`select create_hypertable('strict', 'ts')`);
    await db.query(`insert into strict values ('2025-01-01', null, 1)`);
    expect(
      await db.query(
        `select * from upsert('strict', $$ select '2025-01-01'::timestamptz as ts, null::text as tag, 2 as v $$)`,
      ),
    ).toEqual([{ inserted: 0n, updated: 1n }]);
  });

  test('fails by the name of another key that is taken, compressed or not', async () => {
    await db.query(
      'create table heat (at timestamptz not null, sensor int not null, probe int not null, deg float8, unique (sensor, at), unique (probe, at))',
    );
    await db.query(`select create_hypertable('heat', 'at')`);
    await db.query(`select set_compression('heat', compress_segmentby => '', compress_orderby => 'at, sensor, probe')`);
    await db.query(`insert into heat values ('2026-01-10', 1, 1, 20)`);
    await db.query(`select compress_chunk(c) from show_chunks('heat') c`);
    await db.query(`insert into heat values ('2026-01-10', 2, 2, 21)`);
    for (const [sensor, probe] of [
      [2, 1],
      [3, 2],
    ])
      expect(
        (
          await db.error(
            `select * from upsert('heat', $$ select '2026-01-10'::timestamptz as at, ${sensor} as sensor, ${probe} as probe, 22.0::float8 as deg $$, conflict_columns => '{sensor,at}')`,
          )
        ).message,
      ).toMatch(/^duplicate key value violates unique constraint ".*probe_at/);
    expect(await db.value('select count(*)::int from heat')).toBe(2);
  });

  test('refuses a source with two rows that the key takes for one', async () => {
    await db.query('create extension if not exists citext');
    await db.query('create table twice (ts timestamptz not null, tag citext, unique (ts, tag))');
    await db.query(`select create_hypertable('twice', 'ts')`);
    const e = await db.error(
      `select upsert('twice', $$ select '2025-01-01'::timestamptz as ts, t as tag from unnest('{a,A}'::text[]) t $$)`,
    );
    expect(e.code).toBe('21000');
  });
});

describe('what compression keeps on the chunks', () => {
  const off = (table: string, chunks = true): string =>
    `First: ${chunks ? `select decompress_chunk(c) from show_chunks('public.${table}') c; ` : ''}select set_compression('public.${table}', compress => false); enable compression again afterwards.`;

  test('is neither dropped nor added by ALTER TABLE without a word about it', async () => {
    const table = await meter();
    for (const sql of [
      `alter table ${table} drop constraint ${table}_key, add primary key (ts, site)`,
      `ALTER TABLE IF EXISTS ONLY public.${table} DROP CONSTRAINT IF EXISTS "${table}_key"`,
    ]) {
      const e = await db.error(sql);
      expect([e.code, e.message, e.hint]).toEqual([
        '0A000',
        `cannot drop constraint "${table}_key" of hypertable "public.${table}" while compression is enabled`,
        off(table),
      ]);
    }
    for (const sql of [
      `alter table ${table} add unique (ts, kwh)`,
      `alter table ${table} add constraint other foreign key (site) references ${table}`,
      `create unique index on public.${table} (ts, kwh)`,
    ]) {
      const e = await db.error(sql);
      expect([e.code, e.message, e.hint]).toEqual([
        '0A000',
        `cannot add a key to hypertable "public.${table}" while compression is enabled`,
        off(table),
      ]);
    }
    await db.query(`select decompress_chunk(c) from show_chunks('${table}') c`);
    await db.query(`select set_compression('${table}', compress => false)`);
    await db.query(`alter table ${table} drop constraint ${table}_key, add primary key (ts, site)`);
    await db.query(`create table other_${table} (id int, constraint gone unique (id))`);
    await db.query(`alter table other_${table} drop constraint gone, add unique (id)`);
  });

  test('is refused before the first chunk is compressed as well', async () => {
    await db.query(`create table early (t timestamptz not null, d int, v int)`);
    await db.query(`select create_hypertable('early', 't')`);
    await db.query(`select set_compression('early', compress_segmentby => 'd', compress_orderby => 'v, t')`);
    const e = await db.error('select 1; create unique index on early (d, t)');
    expect([e.code, e.hint]).toEqual(['0A000', off('early', false)]);
    for (const column of ['d', 'v'])
      expect((await db.error(`alter table early drop column ${column}`)).message).toBe(
        `cannot drop column "${column}", by which chunks are compressed`,
      );
    await db.query('alter table early rename column d to device; insert into early values (now(), 1, 1)');
    await db.query(`select compress_chunk(c) from show_chunks('early') c`);
    expect(await db.query('select device, v from early')).toEqual([{ device: 1, v: 1 }]);
  });

  test('is no place for transition tables of UPDATE and DELETE', async () => {
    await db.query(`create table collect (t timestamptz not null, d int);
      create function seen() returns trigger language plpgsql as $$ begin return null; end $$`);
    await db.query(`select create_hypertable('collect', 't')`);
    const trigger = (event: string, table: string): string =>
      `create trigger sees after ${event} on collect referencing ${table} table as r for each statement execute function seen()`;
    await db.query(trigger('delete', 'old'));
    const e = await db.error(`select set_compression('collect', compress_segmentby => 'd')`);
    expect([e.code, e.hint]).toEqual(['0A000', 'Make it a trigger FOR EACH ROW.']);
    await db.query('drop trigger sees on collect');
    await db.query(`select set_compression('collect', compress_segmentby => 'd')`);
    const late = await db.error(trigger('update', 'new'));
    expect([late.code, late.message, late.hint]).toEqual([
      '0A000',
      'trigger "sees" cannot have transition tables',
      'Make it a trigger FOR EACH ROW.',
    ]);
    await db.query(trigger('insert', 'new'));
  });
});
