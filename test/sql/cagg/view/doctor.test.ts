import { beforeEach, describe, expect, it } from 'vitest';
import { NOTHING, remains } from '../../../harness/cagg-remains.ts';
import { useDatabase } from '../../../harness/database.ts';
import { waitUntil } from '../../../harness/wait-until.ts';
import { Workers } from '../../../harness/workers.ts';

const db = useDatabase();

const QUERY = `select time_bucket('1 day', time) as day, device, count(*) as n from conditions group by 1, 2`;
const create = (name: string, options = ''): Promise<unknown> =>
  db.query(`select create_continuous_aggregate('${name}', $q$${QUERY}$q$${options})`);
const checks = (): Promise<unknown[]> =>
  db.query(`select status, detail, hint from tessera.doctor() where check_name = 'continuous aggregates'`);
const check = async (): Promise<Record<string, string | null>> => ((await checks())[0] ?? {}) as Record<string, string>;
const heapOf = (time: string): Promise<string> =>
  db.value(`select tableoid::regclass::text from conditions where time = '${time}' limit 1`);
const total = (): Promise<number> => db.value('select sum(n)::int from daily');

/** As on a server that allows no event triggers. */
const withoutEventTriggers = async (body: () => Promise<void>): Promise<void> => {
  const names = await db.column(`select evtname from pg_event_trigger where evtname like 'tessera%'`);
  for (const name of names) await db.query(`alter event trigger ${name} disable`);
  try {
    await body();
  } finally {
    for (const name of names) await db.query(`alter event trigger ${name} enable`);
  }
};

beforeEach(async () => {
  await db.query('set client_min_messages = warning');
  await db.query('drop table if exists conditions cascade');
  await db.query('create table conditions (time timestamptz not null, device int, temp float8)');
  await db.query(`select create_hypertable('conditions', 'time', chunk_time_interval => interval '7 days')`);
  await db.query(
    `insert into conditions select '2024-01-01'::timestamptz + i * interval '1 hour', i % 3, i from generate_series(0, 999) i`,
  );
});

describe('the doctor', () => {
  it('has nothing against continuous aggregates that are whole', async () => {
    expect(await checks()).toEqual([{ status: 'ok', detail: 'there are none', hint: null }]);
    await create('daily');
    await db.query(`select set_compression('conditions', compress_segmentby => 'device')`);
    await db.query(`select compress_chunk(c) from show_chunks('conditions', older_than => timestamptz '2024-01-20') c`);
    await db.query(`insert into conditions values ('2024-01-03 00:30', 1, 1), ('2025-01-01', 1, 1)`);
    expect(await checks()).toEqual([{ status: 'ok', detail: '1 are whole, and learn of all changes', hint: null }]);
  });

  /** As on a server where event triggers are not allowed, which keep the triggers of a hypertable where they are. */
  const unguarded = (ddl: string): Promise<unknown> =>
    db.query(`set tessera.maintenance = 'on'; ${ddl}; reset tessera.maintenance`);

  it.each([
    ['is missing', (t: string, g: string) => `drop trigger ${g}_insert on ${t}`],
    ['is one of four', (t: string, g: string) => `drop trigger ${g}_truncate on ${t}`],
    ['is disabled', (t: string, g: string) => `alter table ${t} disable trigger ${g}_update`],
  ])('finds a chunk whose trigger %s, and its hint repairs it', async (_, ddl) => {
    await create('daily');
    const heap = await heapOf('2024-01-03 00:00');
    const trigger = await db.value(
      `select left(tgname, -7) from pg_trigger where tgrelid = '${heap}'::regclass and tgname ~ '^tessera_capture.*_insert$'`,
    );
    await unguarded(ddl(heap, trigger));
    const { status, detail, hint } = await check();
    expect([status, detail]).toEqual([
      'error',
      `changes of public.conditions are lost to its continuous aggregates: triggers of 1 of its tables are missing or disabled, of ${heap} first`,
    ]);
    const repair = String(hint).split('; ');
    expect(repair).toHaveLength(2);
    for (const statement of repair) await db.query(statement);
    expect((await check()).status).toBe('ok');
    await db.query(`insert into conditions values ('2024-01-03 00:30', 1, 1)`);
    expect(await total()).toBe(1001);
  });

  it('finds compressed chunks whose changes are not noticed', async () => {
    await create('daily');
    await db.query(`select set_compression('conditions', compress_segmentby => 'device')`);
    await db.query(`select compress_chunk(c) from show_chunks('conditions', older_than => timestamptz '2024-01-10') c`);
    for (const part of ['residue', 'segments']) {
      const table = await db.value(
        part === 'residue'
          ? 'select residue::text from _tessera_catalog.compressed_chunk limit 1'
          : 'select compress_relid::text from _tessera_catalog.compression_settings where chunk_id is not null limit 1',
      );
      await unguarded(`alter table ${table} disable trigger user`);
      const { status, detail, hint } = await check();
      expect([status, detail]).toEqual(['error', expect.stringContaining(`of ${table} first`)]);
      await db.query(String(hint).split('; ')[0] as string);
      expect((await check()).status).toBe('ok');
    }
  });

  it('finds one that lost an internal view', async () => {
    await create('daily');
    await withoutEventTriggers(async () => {
      const view = await db.value('select partial_view::text from _tessera_catalog.continuous_agg');
      await db.query(`drop view ${view}`);
      expect(await check()).toEqual({
        status: 'error',
        detail: `public.daily cannot be refreshed: view "${view}" is gone`,
        hint: `-- and create it again\nselect drop_continuous_aggregate('public.daily');`,
      });
      await db.query(`select drop_continuous_aggregate('public.daily')`);
      await db.query('select tessera.sync_catalog()');
    });
    expect(await remains(db)).toEqual(NOTHING);
  });

  it('names the job that failed', async () => {
    const workers = new Workers(db, 'node');
    await db.query('create function picky(int) returns int language plpgsql immutable as $$begin return $1; end$$');
    await db.query(
      `select create_continuous_aggregate('daily', $q$select time_bucket('1 day', time) as day, sum(picky(device)) as n from conditions group by 1$q$,
         with_data => false, refresh_lag => interval '1 day')`,
    );
    await db.query(
      `create or replace function picky(int) returns int language plpgsql immutable as $$begin raise exception 'no'; end$$`,
    );
    const job = await db.value('select job_id from tessera_information.continuous_aggregate_stats');
    try {
      await workers.start();
      await waitUntil('it failed', async () => (await check()).status === 'warning');
    } finally {
      await workers.stop();
    }
    expect(await check()).toEqual({
      status: 'warning',
      detail: `job ${job}, which refreshes public.daily, failed the last time`,
      hint: `select * from tessera_information.job_errors where job_id = ${job};`,
    });
    await db.query('drop table conditions cascade; drop function picky(int)');
  });
});

describe('sync_catalog without event triggers', () => {
  it('forgets one whose view was dropped', async () => {
    await create('daily', `, refresh_lag => interval '1 day'`);
    await db.query(`insert into conditions values ('2024-01-03', 1, 1)`);
    await withoutEventTriggers(async () => {
      await db.query('drop view daily');
      expect(await check()).toEqual({
        status: 'error',
        detail: 'the view or the hypertable of public.daily is gone',
        hint: 'select tessera.sync_catalog();',
      });
      await db.query('select tessera.sync_catalog()');
      expect(await remains(db)).toEqual(NOTHING);
      expect((await check()).status).toBe('ok');
    });
  });

  it('does so where the event triggers are there, too', async () => {
    await create('daily');
    await withoutEventTriggers(async () => void (await db.query('drop view daily')));
    await db.query('select tessera.sync_catalog()');
    expect(await remains(db)).toEqual(NOTHING);
  });

  it('keeps the capture of changes for those that stay', async () => {
    await create('one');
    await create('daily');
    await withoutEventTriggers(async () => {
      await db.query('drop view one');
      await db.query('select tessera.sync_catalog()');
    });
    await db.query(`insert into conditions values ('2024-01-03 00:30', 1, 1)`);
    expect(await total()).toBe(1001);
    expect((await check()).status).toBe('ok');
  });

  it('forgets those whose hypertable was dropped, and those on top of them', async () => {
    await create('daily', ', materialized_only => true');
    await db.query(
      `select create_continuous_aggregate('weekly', 'select time_bucket(''7 days'', day) as week, sum(n) as n from daily group by 1', materialized_only => true)`,
    );
    await withoutEventTriggers(async () => {
      await db.query('drop table conditions cascade');
      expect(await db.value(`select to_regclass('weekly')::text`)).toBe('weekly');
      await db.query('select tessera.sync_catalog()');
    });
    expect(await db.value(`select coalesce(to_regclass('daily'), to_regclass('weekly'))`)).toBeNull();
    expect(await remains(db)).toEqual(NOTHING);
  });

  it('follows names, schema and owner of the view', async () => {
    await create('daily', `, refresh_lag => interval '1 day'`);
    const owner = await db.role('heir');
    await db.query(
      `grant select on conditions to ${owner}; create schema elsewhere; grant all on schema elsewhere to ${owner}`,
    );
    await withoutEventTriggers(async () => {
      await db.query(
        `alter view daily rename to hourly; alter view hourly set schema elsewhere; alter view elsewhere.hourly owner to ${owner}`,
      );
      expect(await check()).toMatchObject({ status: 'error', hint: 'select tessera.sync_catalog();' });
      await db.query('select tessera.sync_catalog()');
      expect((await check()).status).toBe('ok');
    });
    expect(
      await db.query('select view_schema, view_name, view_owner::text from tessera_information.continuous_aggregates'),
    ).toEqual([{ view_schema: 'elsewhere', view_name: 'hourly', view_owner: owner }]);
    await db.query(`insert into conditions values ('2024-01-03 00:30', 1, 1)`);
    await (await db.as(owner)).query(`call refresh_continuous_aggregate('elsewhere.hourly', null, null)`);
    await db.query(`drop table conditions cascade; drop schema elsewhere; drop owned by ${owner}`);
  });

  it('warns of results with other columns, and goes on', async () => {
    await create('daily');
    await create('other');
    const mat = await db.value(
      `select h.relid::text from _tessera_catalog.hypertable h join _tessera_catalog.continuous_agg a on a.mat_hypertable_id = h.id order by h.id limit 1`,
    );
    await withoutEventTriggers(async () => {
      await db.query(`alter table ${mat} add column extra int; alter view other rename to another`);
      const said = await db.notices('select tessera.sync_catalog()');
      expect(said).toEqual([
        {
          severity: 'WARNING',
          message: 'continuous aggregate "public.daily": operation not supported on materialization tables',
        },
      ]);
    });
    expect(await db.column('select view_name from tessera_information.continuous_aggregates order by 1')).toEqual([
      'another',
      'daily',
    ]);
    await db.query('drop table conditions cascade');
  });
});
