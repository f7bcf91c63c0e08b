import { beforeEach, describe, expect, it } from 'vitest';
import { NOTHING, remains } from '../../../harness/cagg-remains.ts';
import { failure, useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

const QUERY = `select time_bucket('1 day', time) as day, device, avg(temp) as mean, count(*) as n from conditions group by 1, 2`;
const create = (name: string, options = ''): Promise<unknown> =>
  db.query(`select create_continuous_aggregate('${name}', $q$${QUERY}$q$${options})`);
const counts = async (name: string): Promise<[bigint, bigint]> => {
  const [row] = await db.query(`select count(*) as a, coalesce(sum(n), 0)::int8 as b from ${name}`);
  return [row?.a, row?.b];
};

beforeEach(async () => {
  await db.query('set client_min_messages = warning');
  await db.query('drop table if exists conditions cascade');
  await db.query('create table conditions (time timestamptz not null, device int, temp float8, note text)');
  await db.query(`select create_hypertable('conditions', 'time', chunk_time_interval => interval '7 days')`);
  await db.query(
    `insert into conditions select '2024-01-01'::timestamptz + i * interval '1 hour', i % 3, i from generate_series(0, 999) i`,
  );
});

describe('dropping', () => {
  it.each([
    ['drop_continuous_aggregate', `select drop_continuous_aggregate('daily')`],
    ['DROP VIEW', 'drop view daily'],
    ['DROP TABLE CASCADE of the hypertable', 'drop table conditions cascade'],
    ['DROP SCHEMA CASCADE', 'drop schema apart cascade'],
  ])('%s leaves nothing behind', async (_, sql) => {
    if (sql.includes('apart')) await db.query('create schema apart');
    await create(sql.includes('apart') ? 'apart.daily' : 'daily', `, refresh_lag => interval '1 day'`);
    await db.query(`insert into conditions values ('2024-01-03', 1, 1)`);
    expect((await remains(db)).every((n) => n > 0)).toBe(true);
    await db.query(sql);
    expect(await remains(db)).toEqual(NOTHING);
  });

  it('DROP TABLE CASCADE takes those along that show only what is materialized, and those on top of them', async () => {
    await create('daily', ', materialized_only => true');
    await db.query(
      `select create_continuous_aggregate('weekly', 'select time_bucket(''7 days'', day) as week, sum(n) as n from daily group by 1', materialized_only => true)`,
    );
    await db.query('create view report as select * from weekly');
    expect((await db.error('drop table conditions')).code).toBe('2BP01');
    expect((await db.error(`select drop_continuous_aggregate('daily')`)).code).toBe('2BP01');
    await db.query('drop table conditions cascade');
    expect(await remains(db)).toEqual(NOTHING);
    expect(await db.value(`select to_regclass('report')`)).toBeNull();
  });

  it('the last one ends the capture of changes, another one does not', async () => {
    await create('one');
    await create('two');
    await db.query(`select drop_continuous_aggregate('one')`);
    await db.query(`insert into conditions values ('2024-01-03 00:30', 1, 1)`);
    expect(await db.value('select count(*) from _tessera_catalog.continuous_aggs_hypertable_invalidation_log')).toBe(
      1n,
    );
    expect((await counts('two'))[1]).toBe(1001n);
    await db.query(`select drop_continuous_aggregate('two')`);
    expect(await remains(db)).toEqual(NOTHING);
  });

  it('with dependents needs cascade', async () => {
    await create('daily');
    await db.query('create view report as select * from daily');
    const e = await db.error(`select drop_continuous_aggregate('daily')`);
    expect(e.code).toBe('2BP01');
    expect((await counts('daily'))[1]).toBe(1000n);
    await db.query(`select drop_continuous_aggregate('daily', cascade => true)`);
    expect(await remains(db)).toEqual(NOTHING);
  });

  it('parts of one cannot be dropped alone', async () => {
    await create('daily');
    const [row] = await db.query('select partial_view, direct_view from _tessera_catalog.continuous_agg');
    for (const view of [row?.partial_view, row?.direct_view]) {
      const e = await db.error(`drop view ${view}`);
      expect([e.code, e.hint]).toEqual(['2BP01', `Run: select drop_continuous_aggregate('public.daily');`]);
    }
    const mat = await db.value(
      'select relid::text from _tessera_catalog.hypertable h join _tessera_catalog.continuous_agg a on a.mat_hypertable_id = h.id',
    );
    expect((await db.error(`drop table ${mat}`)).code).toBe('2BP01');
    expect((await db.error(`alter table ${mat} add column x int`)).code).toBe('0A000');
    expect((await db.error(`alter table ${mat} rename column n to m`)).code).toBe('0A000');
    await db.query(`create index on ${mat} (n)`);
    for (const only of [true, false]) {
      await db.query(`select alter_continuous_aggregate('daily', materialized_only => ${only})`);
      for (const sql of ['delete from daily', 'update daily set n = 0', `insert into daily values ('2024-01-01')`])
        expect((await db.error(sql)).code).toBe('55000');
    }
    expect(await counts('daily')).toEqual([126n, 1000n]);
  });

  it('is for the owner', async () => {
    await create('daily');
    const session = await db.as(await db.role('stranger'));
    expect((await failure(session, `select drop_continuous_aggregate('daily')`)).code).toBe('42501');
    expect((await failure(session, `select alter_continuous_aggregate('daily', materialized_only => true)`)).code).toBe(
      '42501',
    );
    expect((await failure(session, `select add_continuous_aggregate_policy('daily', null, null, '1 h')`)).code).toBe(
      '42501',
    );
    expect((await db.error('select drop_continuous_aggregate(null)')).code).toBe('22023');
    expect((await db.error(`select drop_continuous_aggregate('conditions')`)).code).toBe('0A000');
  });
});

describe('changes of definition', () => {
  it('names, schema and columns of the view may change', async () => {
    await create('daily');
    await db.query(
      'create schema elsewhere; alter view daily rename to hourly; alter view hourly set schema elsewhere',
    );
    await db.query('alter view elsewhere.hourly rename column mean to average');
    expect(await db.query('select view_schema, view_name from tessera_information.continuous_aggregates')).toEqual([
      { view_schema: 'elsewhere', view_name: 'hourly' },
    ]);
    await db.query(`insert into conditions values ('2024-01-03 00:30', 1, 1)`);
    await db.query(`call refresh_continuous_aggregate('elsewhere.hourly', null, null)`);
    for (const only of [true, false]) {
      await db.query(`select alter_continuous_aggregate('elsewhere.hourly', materialized_only => ${only})`);
      expect(await db.value('select sum(n)::int8 from elsewhere.hourly where average is not null')).toBe(1001n);
    }
    await db.query('alter schema elsewhere rename to nowhere');
    expect(await db.value('select view_schema from tessera_information.continuous_aggregates')).toBe('nowhere');
    await db.query('drop schema nowhere cascade');
    expect(await remains(db)).toEqual(NOTHING);
  });

  it('columns and names of the raw table may change', async () => {
    await create('daily');
    await db.query('alter table conditions rename column temp to temperature');
    await db.query('alter table conditions rename column time to "when"');
    await db.query('alter table conditions rename to measurements');
    await db.query('alter table measurements drop column note, add column extra int');
    await db.query(`insert into measurements values ('2024-01-03 00:30', 1, 1, 5)`);
    expect((await counts('daily'))[1]).toBe(1001n);
    await db.query(`call refresh_continuous_aggregate('daily', null, null)`);
    await db.query(`select alter_continuous_aggregate('daily', materialized_only => true)`);
    expect((await counts('daily'))[1]).toBe(1001n);
    expect((await db.error('alter table measurements drop column temperature')).code).toBe('2BP01');
    await db.query('drop table measurements cascade');
  });

  it('a new owner of the view owns all of it, and grants stay', async () => {
    await create('daily', `, refresh_lag => interval '1 day'`);
    const [owner, reader] = [await db.role('heir'), await db.role('reader')];
    await db.query(
      `grant select on conditions to ${owner}; grant select on daily to ${reader}; grant create on schema public to ${owner}`,
    );
    await db.query(`alter view daily owner to ${owner}`);
    expect(
      await db.column(
        `select distinct pg_get_userbyid(c.relowner)::text from pg_class c
         where c.relnamespace = '_tessera_internal'::regnamespace and c.relkind in ('r', 'p', 'v')
           and (c.relname ~ '_view_' or c.oid in (select p.relid from _tessera_catalog.continuous_agg a
             join _tessera_catalog.hypertable h on h.id = a.mat_hypertable_id, pg_partition_tree(h.relid) p))`,
      ),
    ).toEqual([owner]);
    expect(
      await db.value(
        `select owner::text from _tessera_catalog.bgw_job where proc_name = 'policy_refresh_continuous_aggregate'`,
      ),
    ).toBe(owner);
    const session = await db.as(owner);
    await db.query(`insert into conditions values ('2024-01-03 00:30', 1, 1), ('2025-01-03 00:30', 1, 1)`);
    await session.query(`call refresh_continuous_aggregate('daily', null, null)`);
    expect((await (await db.as(reader)).query('select sum(n)::int as n from daily')).rows).toEqual([{ n: 1002 }]);
    await session.query(`select alter_continuous_aggregate('daily', materialized_only => true)`);
    expect((await (await db.as(reader)).query('select sum(n)::int as n from daily')).rows).toEqual([{ n: 1002 }]);
    await session.query(`select drop_continuous_aggregate('daily')`).catch((e) => expect(e.code).toBe('42501'));
    await db.query('drop table conditions cascade');
    await db.query(`drop owned by ${owner}; drop owned by ${reader}`);
  });

  it('options are shown and changed', async () => {
    await create(
      'daily',
      `, refresh_lag => interval '2 days', refresh_interval => interval '3 hours', max_interval_per_job => interval '10 days'`,
    );
    const read = (): Promise<unknown> =>
      db.query(`select materialized_only, refresh_lag / 3600000000 as lag, max_interval_per_job / 3600000000 as most, ignore_invalidation_older_than / 3600000000 as ignored
        from tessera_information.continuous_aggregates`);
    expect(await read()).toEqual([{ materialized_only: false, lag: 48n, most: 240n, ignored: null }]);
    await db.query(`select alter_continuous_aggregate('daily', materialized_only => true, refresh_lag => interval '-1 hour',
      refresh_interval => interval '5 hours', max_interval_per_job => interval '2 days', ignore_invalidation_older_than => interval '30 days')`);
    expect(await read()).toEqual([{ materialized_only: true, lag: -1n, most: 48n, ignored: 720n }]);
    expect(
      await db.query(
        `select schedule_interval::text as s, retry_period::text as r from tessera_information.jobs where proc_name = 'policy_refresh_continuous_aggregate'`,
      ),
    ).toEqual([{ s: '05:00:00', r: '05:00:00' }]);
    expect(
      (await db.error(`select alter_continuous_aggregate('daily', max_interval_per_job => interval '1 h')`)).code,
    ).toBe('22023');
    expect((await db.error(`select alter_continuous_aggregate('daily', refresh_lag => 1)`)).code).toBe('22023');
  });
});

it('functions about hypertables take the view for its results', async () => {
  await create('daily');
  const mat = await db.value(
    'select h.relid::text from _tessera_catalog.hypertable h join _tessera_catalog.continuous_agg a on a.mat_hypertable_id = h.id',
  );
  await db.query(`analyze ${mat}`);
  for (const call of [
    'select hypertable_size($1)',
    'select total_bytes from hypertable_detailed_size($1)',
    'select sum(total_bytes)::int8 from chunks_detailed_size($1)',
    'select approximate_row_count($1)',
    'select row_estimate from hypertable_approximate_row_count($1)',
    'select sum(total_bytes)::int8 from indexes_relation_size($1)',
    'select count(*) from chunk_compression_stats($1)',
    'select count(*) from show_chunks($1)',
  ]) {
    expect(await db.value(call, ['daily'])).toBeGreaterThan(0n);
    expect(await db.value(call, ['daily'])).toBe(await db.value(call, [mat]));
  }
});

describe('over other continuous aggregates', () => {
  const WEEKLY = `select time_bucket('7 days', day) as week, sum(n) as n, max(mean) as hottest from daily group by 1`;
  const equal = async (): Promise<boolean> =>
    (await db.value(`select not exists (select * from weekly except all (${WEEKLY})) and not exists ((${WEEKLY}) except all select * from weekly)
      and not exists (select week, n from weekly except all select time_bucket('7 days', time), count(*) from conditions group by 1)`)) as boolean;

  it('answer right at every step', async () => {
    await create('daily', ', with_data => false');
    await db.query(`select create_continuous_aggregate('weekly', $q$${WEEKLY}$q$, with_data => false)`);
    expect(await equal()).toBe(true);
    await db.query(`call refresh_continuous_aggregate('daily', '2024-01-01', '2024-01-20')`);
    expect(await equal()).toBe(true);
    await db.query(`call refresh_continuous_aggregate('weekly', null, null)`);
    expect(await equal()).toBe(true);
    await db.query(
      `insert into conditions values ('2024-01-03 00:30', 1, 5000), ('2024-01-30 00:30', 1, 1), ('2024-04-03 00:30', 1, 1)`,
    );
    expect(await equal()).toBe(true);
    await db.query(`call refresh_continuous_aggregate('weekly', null, null)`);
    expect(await equal()).toBe(true);
    await db.query(`call refresh_continuous_aggregate('daily', null, null)`);
    expect(await equal()).toBe(true);
    await db.query(`call refresh_continuous_aggregate('weekly', null, null)`);
    await db.query(`select alter_continuous_aggregate('weekly', materialized_only => true)`);
    expect(await db.value('select count(*) from weekly')).toBe(7n);
    expect(await equal()).toBe(true);
  });

  it.each([
    [`select time_bucket('1 hour', day), count(*) from daily group by 1`, /no multiple/],
    [`select time_bucket('36 hours', day), count(*) from daily group by 1`, /no multiple/],
    [`select time_bucket('2 days', day, "offset" => interval '1 hour'), count(*) from daily group by 1`, /same times/],
    [`select time_bucket('1 day', day, 'Europe/Berlin'), count(*) from daily group by 1`, /in the middle of one/],
    [`select time_bucket('6 hours', day, 'Europe/Berlin'), count(*) from daily group by 1`, /no multiple/],
  ])('refuse %s', async (query, detail) => {
    await create('daily', ', with_data => false');
    const e = await db.error(`select create_continuous_aggregate('x', $q$${query}$q$)`);
    expect([e.code, e.message, e.detail]).toEqual([
      '22023',
      'incompatible bucket width',
      expect.stringMatching(detail),
    ]);
  });

  const hours = (width: string, more = ''): Promise<unknown> =>
    db.query(
      `select create_continuous_aggregate('hourly', $q$select time_bucket('${width}', time${more}) as h, count(*) as n, sum(temp) as t from conditions group by 1$q$, with_data => false)`,
    );
  const local = (width: string, zone: string): string =>
    `select create_continuous_aggregate('local', $q$select time_bucket('${width}', h, '${zone}') as b, sum(n)::int8 as n, sum(t) as t from hourly group by 1$q$, with_data => false)`;

  it.each(['1 day', '1 week', '1 month', '6 hours'])(
    '%s of a zone over hours in UTC give what raw rows do',
    async (width) => {
      await db.query(
        `insert into conditions select t, 1, extract(hour from t) from generate_series(timestamptz '2024-03-25 00:10+00', '2024-11-10', '50 minutes') t`,
      );
      await hours('1 hour');
      for (const zone of ['Europe/Berlin', 'America/New_York', 'Asia/Tokyo', 'America/Sao_Paulo']) {
        await db.query(local(width, zone));
        const raw = `select time_bucket('${width}', time, '${zone}') as b, count(*) as n, sum(temp) as t from conditions group by 1`;
        const same = async (): Promise<boolean> =>
          db.value(
            `select not exists (select * from local except all (${raw})) and not exists ((${raw}) except all select * from local)`,
          );
        expect(await same(), zone).toBe(true);
        await db.query(`call refresh_continuous_aggregate('hourly', '2024-03-01', '2024-10-27 00:00+00')`);
        await db.query(`call refresh_continuous_aggregate('local', null, null)`);
        expect(await same(), zone).toBe(true);
        await db.query(`insert into conditions values ('2024-03-30 23:30+00', 1, 7), ('2024-10-27 22:59+00', 1, 8)`);
        expect(await same(), zone).toBe(true);
        await db.query(`call refresh_continuous_aggregate('hourly', null, null)`);
        await db.query(`call refresh_continuous_aggregate('local', null, null)`);
        await db.query(`select alter_continuous_aggregate('local', materialized_only => true)`);
        expect(await same(), zone).toBe(true);
        await db.query(`select drop_continuous_aggregate('local')`);
      }
    },
  );

  it.each([
    ['Asia/Kolkata', '1970-01-01', '1969-12-31 18:30:00'],
    ['Asia/Kathmandu', '1970-01-01', '1969-12-31 18:30:00'],
    ['America/St_Johns', '1970-01-01', '1970-01-01 03:30:00'],
    ['America/Caracas', '2007-12-10', '2007-12-10 04:30:00'],
    ['Africa/Monrovia', '1970-01-01', '1970-01-01 00:44:30'],
  ])('days of %s do not fit hours in UTC', async (zone, day, at) => {
    await hours('1 hour');
    const e = await db.error(local('1 day', zone));
    expect([e.code, e.detail, e.hint]).toEqual([
      '22023',
      `Buckets of 1 day in ${zone} over buckets of 01:00:00: ${day} begins there at ${at} UTC, in the middle of one.`,
      'Give the continuous aggregate that is read the same time zone, or buckets of 15 minutes.',
    ]);
    expect((await db.error('select from local')).code).toBe('42P01');
  });

  it('what fits is accepted: half hours, hours that begin on the half hour, the same zone', async () => {
    await hours('30 minutes');
    await db.query(local('1 day', 'Asia/Kolkata'));
    await db.query('drop view local');
    expect((await db.error(local('1 day', 'Asia/Kathmandu'))).code).toBe('22023');
    await db.query('drop view hourly');
    await hours('1 hour', `, origin => '2000-01-01 00:30+00'`);
    await db.query(local('1 day', 'Asia/Kolkata'));
    await db.query('drop view local; drop view hourly');
    await hours('1 hour', `, 'Asia/Kathmandu'`);
    await db.query(local('1 day', 'Asia/Kathmandu'));
  });

  it('rows of times when a zone had another offset count', async () => {
    await db.query(`insert into conditions values ('1890-05-05 12:00+00', 1, 1)`);
    await hours('1 hour');
    const e = await db.error(local('1 day', 'Europe/Berlin'));
    expect([e.code, e.detail]).toEqual(['22023', expect.stringContaining('23:06:32 UTC')]);
    await db.query(
      `delete from conditions where time < '1900-01-01'; select drop_chunks('conditions', older_than => timestamptz '1900-01-01')`,
    );
    await db.query(local('1 day', 'Europe/Berlin'));
  });

  it('months over days are fine, days over months are not', async () => {
    await create('daily');
    await db.query(
      `select create_continuous_aggregate('monthly', $q$select time_bucket('1 month', day) as month, sum(n) as n from daily group by 1$q$)`,
    );
    expect(await db.query('select month, n::int from monthly order by 1')).toEqual([
      { month: expect.stringContaining('2024-01-01'), n: 744 },
      { month: expect.stringContaining('2024-02-01'), n: 256 },
    ]);
    const e = await db.error(
      `select create_continuous_aggregate('x', $q$select time_bucket('30 days', month), sum(n) from monthly group by 1$q$)`,
    );
    expect(e.code).toBe('22023');
    await db.query(
      `select create_continuous_aggregate('yearly', $q$select time_bucket('1 year', month) as year, sum(n) as n from monthly group by 1$q$)`,
    );
    expect(await db.value('select sum(n)::int from yearly')).toBe(1000);
  });
});

describe('over compressed chunks', () => {
  it('materializes from them, and notices what changes in them', async () => {
    await db.query(`select set_compression('conditions', compress_segmentby => 'device')`);
    await db.query(`select compress_chunk(c) from show_chunks('conditions', older_than => timestamptz '2024-02-01') c`);
    await create('daily');
    expect(await counts('daily')).toEqual([126n, 1000n]);
    await db.query(`insert into conditions values ('2024-01-03 00:30', 1, 5000)`);
    await db.query(`update conditions set temp = 9000 where time = '2024-01-10 05:00+00'`);
    await db.query(`delete from conditions where time >= '2024-01-15' and time < '2024-01-16'`);
    const same = async (): Promise<boolean> =>
      (await db.value(
        `select not exists (select * from daily except all (${QUERY})) and not exists ((${QUERY}) except all select * from daily)`,
      )) as boolean;
    expect(await same()).toBe(true);
    await db.query(`call refresh_continuous_aggregate('daily', null, null)`);
    await db.query(`select alter_continuous_aggregate('daily', materialized_only => true)`);
    expect(await same()).toBe(true);
    await db.query(
      `select decompress_chunk(c) from show_chunks('conditions', older_than => timestamptz '2024-01-15') c`,
    );
    expect(await db.value('select count(*) from _tessera_catalog.continuous_aggs_hypertable_invalidation_log')).toBe(
      0n,
    );
    expect(await same()).toBe(true);
  });

  it('results can be compressed, and refreshed after that', async () => {
    await create('daily');
    await db.query(`select set_compression('daily', compress_segmentby => 'device')`);
    await db.query(`select compress_chunk(c) from show_chunks('daily') c`);
    expect(await counts('daily')).toEqual([126n, 1000n]);
    expect(await db.value('select compression_enabled from tessera_information.continuous_aggregates')).toBe(true);
    expect(await db.value(`select number_compressed_chunks from hypertable_compression_stats('daily')`)).toBe(2n);
    await db.query(`insert into conditions values ('2024-01-03 00:30', 1, 5000)`);
    await db.query(`call refresh_continuous_aggregate('daily', null, null)`);
    await db.query(`select alter_continuous_aggregate('daily', materialized_only => true)`);
    expect(await counts('daily')).toEqual([126n, 1001n]);
    await db.query(`select drop_continuous_aggregate('daily')`);
    expect(await remains(db)).toEqual(NOTHING);
  });
});
