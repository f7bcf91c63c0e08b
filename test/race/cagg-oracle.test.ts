import type pg from 'pg';
import { expect, test } from 'vitest';
import {
  contentDifferences,
  materializedDifferences,
  staleLogs,
  viewDifferences,
  type AuditedView,
  type Difference,
} from '../harness/cagg-views.ts';
import { useDatabase } from '../harness/database.ts';
import { random } from '../harness/random.ts';

const db = useDatabase();

/** TESSERA_SEED repeats the decisions of a run, though not the moments at which sessions meet. */
const seed = Number(process.env.TESSERA_SEED ?? 20240331);

interface Workload {
  readonly table: string;
  /** SQL for a position in the range of the times, one to 40 days of minutes. */
  readonly at: (position: number) => string;
  /** The same for a position that is an SQL expression. */
  readonly atSql: (position: string) => string;
  readonly views: readonly AuditedView[];
  /** Type of the bounds of a window. */
  readonly type: string;
  /** Transactions of each of three writers, and half as many calls of each of two refreshers. */
  readonly rounds: number;
  /** Chunks are compressed and decompressed; the root then has no key for ON CONFLICT (columns). */
  readonly compressed: boolean;
}

const SPAN = 40 * 1440;

/** Other sessions were in the way, and this one is told to try again. */
const RETRY = ['40001', '40P01', '55P03', '23505'];
/** MERGE, TRUNCATE and rows that move to other chunks are refused where chunks are compressed. */
const REFUSED = ['0A000', '23514', '42P10'];
const GONE = ['57P01', '08006', '08003'];

/** A session that comes back when somebody terminated it. */
class Session {
  client: pg.Client | undefined;
  readonly counts: Record<string, number> = {};
  readonly allowed: readonly string[];
  readonly failures: string[] = [];

  constructor(allowed: readonly string[]) {
    this.allowed = allowed;
  }

  async query(sql: string): Promise<pg.QueryResult> {
    this.client ??= await db.connect();
    return this.client.query(sql);
  }

  /** Runs the body and counts how it ended. */
  async attempt(body: () => Promise<void>): Promise<void> {
    let code = 'done';
    try {
      await body();
    } catch (e) {
      const { code: state, message, where } = e as pg.DatabaseError;
      code = state ?? 'gone';
      const gone = GONE.includes(code) || (code === 'gone' && /terminat|not queryable|closed/i.test(message));
      if (!gone && !this.allowed.includes(code)) this.failures.push(`${code} ${message} ${where ?? ''}`);
      if (gone) this.client = undefined;
      else await this.query('rollback').catch(() => (this.client = undefined));
    }
    this.counts[code] = (this.counts[code] ?? 0) + 1;
  }
}

const ISOLATION = ['read committed', 'read committed', 'repeatable read', 'serializable'];

type Next = (below: number) => number;

const numbers = (from: number): Next => {
  const next = random(from);
  for (let i = 0; i < 20; i++) next();
  return (below) => next() % below;
};

/** Statements of a writer; what they hit is the seed's choice. */
const change = (w: Workload, next: Next): string => {
  const live = next(3) > 0;
  const position = live ? SPAN - 1 - next(3000) : next(SPAN);
  const [time, device, v] = [w.at(position), next(6), next(100)];
  const range = (length: number): string => `time >= ${time} and time < ${w.at(position + length)}`;
  switch (next(13)) {
    case 0:
    case 1:
      return `insert into ${w.table} values (${time}, ${device}, ${v})`;
    case 2: // in the order of time
      return `insert into ${w.table} select ${w.atSql(`${Math.max(0, position - 200)} + i * 7`)}, ${device}, i from generate_series(0, 30) i on conflict do nothing`;
    case 3: // a bulk that jumps about
      return `insert into ${w.table} select ${w.atSql(`(${position} + i * 4657) % ${SPAN}`)}, i % 6, i from generate_series(1, 60) i on conflict do nothing`;
    case 4:
      if (w.compressed)
        return `insert into ${w.table} values (${time}, ${device}, ${v}), (${w.at(next(SPAN))}, ${device}, ${v})`;
      return `insert into ${w.table} values (${time}, ${device}, ${v}), (${w.at(next(SPAN))}, ${device}, ${v}) on conflict (device, time) do update set v = excluded.v + ${w.table}.v`;
    case 5:
      return `update ${w.table} set v = v + 1 where device = ${device} and ${range(2000)}`;
    case 6: // across buckets
      return `update ${w.table} set time = ${w.atSql(`(${position} + 61 * v) % ${SPAN}`)} where device = ${device} and ${range(120)}`;
    case 7: // across chunks
      return `update ${w.table} set time = ${w.at(next(SPAN))}, v = 7 where (device, time) in (select device, time from ${w.table} where ${range(3000)} limit 1)`;
    case 8:
    case 9:
      return `delete from ${w.table} where device = ${device} and ${range(next(2) ? 400 : 4000)}`;
    case 10:
      return `merge into ${w.table} t using (select ${w.atSql(`${position} + i * 30`)} as time, ${device} as device from generate_series(0, 5) i) s
        on t.time = s.time and t.device = s.device
        when matched and t.v % 2 = 0 then delete
        when matched then update set v = t.v * 2
        when not matched then insert (time, device, v) values (s.time, s.device, ${v})`;
    case 11:
      return `with gone as (delete from ${w.table} where ${range(100)} returning device, v)
        insert into ${w.table} select ${w.atSql(`${next(SPAN)} + row_number() over ()`)}, device, v from gone on conflict do nothing`;
    default:
      return `insert into ${w.table} select ${w.at(position)}, d, ${v} from generate_series(0, 5) d on conflict do nothing`;
  }
};

/** What takes whole tables away. */
const removal = (w: Workload, next: Next): string => {
  const position = next(SPAN);
  switch (next(3)) {
    case 0:
      return w.compressed ? `select truncate_hypertable('${w.table}')` : `truncate ${w.table}`;
    case 1:
      return `do $$ declare c text := (select c from show_chunks('${w.table}') c order by c offset ${next(8)} limit 1);
        begin if c is not null then execute 'drop table if exists ' || c; end if; end $$`;
    default:
      return `select drop_chunks('${w.table}', older_than => ${w.at(position + 15000)}, newer_than => ${w.at(position)}, cascade_to_materializations => true)`;
  }
};

const writer = async (w: Workload, s: Session, next: Next, over: () => boolean, found: Finding[]): Promise<void> => {
  for (let n = 0; n < w.rounds && !over(); n++)
    await s.attempt(async () => {
      if (next(30) === 0)
        return void (await s.query(`set lock_timeout = '300ms'; ${removal(w, next)}; reset lock_timeout`));
      if (next(4) === 0) return void (await s.query(change(w, next)));
      const isolation = ISOLATION[next(ISOLATION.length)];
      await s.query(`begin isolation level ${isolation}`);
      // Before there is a snapshot, which TRUNCATE does not heed. Segments are read in a snapshot of their own.
      const looks = !w.compressed && next(3) === 0;
      if (looks) await s.query(`lock table ${w.table} in row exclusive mode`);
      for (let i = next(4); i >= 0; i--) {
        const nested = next(4);
        if (nested === 0) await s.query('savepoint a');
        await s.query(change(w, next));
        if (looks && next(2) === 0) await ownWrites(w, s, next, isolation, found);
        if (nested === 0) await s.query(next(2) ? 'rollback to a' : 'release a');
        if (next(12) === 0) await s.query('set constraints all immediate');
      }
      if (looks) await ownWrites(w, s, next, isolation, found);
      await s.query(next(6) === 0 ? 'rollback' : 'commit');
    });
};

/** What a transaction has changed itself shows in the view as in the query, before it commits. */
const ownWrites = async (
  w: Workload,
  s: Session,
  next: Next,
  isolation: string | undefined,
  found: Finding[],
): Promise<void> => {
  const v = w.views[next(w.views.length)] as AuditedView;
  if (s.client === undefined) return;
  const differences = await viewDifferences(s.client, v);
  if (differences.length > 0)
    found.push({
      view: v.name,
      how: `own writes, ${isolation}`,
      differences: differences.slice(0, 5),
      logs: await staleLogs(s.client),
    });
};

const refresher = async (w: Workload, s: Session, next: Next, over: () => boolean): Promise<void> => {
  for (let n = 0; n < w.rounds / 2 && !over(); n++) {
    const { name } = w.views[next(w.views.length)] as AuditedView;
    const start = next(SPAN) - next(2) * 5000;
    const bound = (position: number): string => (next(5) === 0 ? `null::${w.type}` : w.at(position));
    const options = [
      'null',
      'null',
      `'{"buckets_per_batch": 3}'`,
      `'{"buckets_per_batch": 40, "refresh_newest_first": true}'`,
    ];
    const limited = next(8) === 0 ? `'{"max_batches_per_execution": 2}'` : options[next(options.length)];
    await s.attempt(async () => {
      await s.query(
        `call refresh_continuous_aggregate('${name}', ${bound(start)}, ${bound(start + 100 + next(SPAN))}, ${next(9) === 0}, ${limited})`,
      );
    });
  }
};

interface Finding {
  readonly view: string;
  readonly how: string;
  readonly differences: readonly Difference[];
  readonly logs: unknown;
}

const auditor = async (w: Workload, next: Next, over: () => boolean, found: Finding[]): Promise<number> => {
  const client = await db.connect();
  let audits = 0;
  const report = async (v: AuditedView, how: string, differences: readonly Difference[]): Promise<void> => {
    audits++;
    if (differences.length > 0)
      found.push({ view: v.name, how, differences: differences.slice(0, 5), logs: await staleLogs(client) });
  };
  const begin = async (mode: string): Promise<boolean> => {
    try {
      await client.query(`begin isolation level ${mode}; set local lock_timeout = '200ms'`);
      // Rows in segments are read by a connection of its own, in a snapshot of its own, so nobody may write meanwhile.
      // Else the lock sees that no TRUNCATE, which heeds no snapshot, takes rows from this one.
      await client.query(
        w.compressed ? `lock table only ${w.table} in share mode` : `lock table ${w.table} in access share mode`,
      );
      await client.query('set local lock_timeout = 0');
      return true;
    } catch (e) {
      await client.query('rollback');
      if (!RETRY.includes((e as pg.DatabaseError).code ?? '')) throw e;
      return false;
    }
  };
  while (!over()) {
    for (const v of w.views) {
      if (!(await begin('read committed'))) continue;
      await report(v, 'read committed', await viewDifferences(client, v, next(2) === 0));
      await client.query('commit');
    }
    if (!(await begin('repeatable read read only'))) continue;
    for (const v of w.views)
      await report(
        v,
        'repeatable read',
        next(2) ? await viewDifferences(client, v) : await contentDifferences(client, v),
      );
    await client.query('commit');
  }
  return audits;
};

const compressor = async (w: Workload, s: Session, next: Next, over: () => boolean): Promise<void> => {
  while (!over())
    await s.attempt(async () => {
      const call = next(3) === 0 ? 'decompress_chunk' : 'compress_chunk';
      await s.query(
        `select ${call}(c, true) from (select c from show_chunks('${w.table}') c order by c offset ${next(8)} limit 1) x`,
      );
      if (next(4) === 0) await s.query(`select drain_default_partition('${w.table}')`);
    });
};

/** Transactions that outlast the patience of a refresh, some of them prepared, with rows that nobody else locks. */
const lingerer = async (w: Workload, s: Session, next: Next, over: () => boolean): Promise<void> => {
  for (let n = 0; !over(); n++)
    await s.attempt(async () => {
      const add = (): Promise<unknown> => {
        const position = next(2) === 0 ? next(SPAN) : SPAN - 1 - next(3000);
        return s.query(
          `insert into ${w.table} select ${w.atSql(`${position} + i * 11`)}, 6, ${next(100)} from generate_series(0, 5) i on conflict do nothing`,
        );
      };
      await s.query('begin');
      await add();
      await s.query(`select pg_sleep(${0.5 + next(20) / 10})`);
      await add();
      const at = w.at(next(SPAN));
      await s.query(`delete from ${w.table} where device = 6 and time > ${at} and v % 3 = 0`);
      if (next(2) === 0) return void (await s.query('commit'));
      const name = `${db.name}_${w.table}_${n}`;
      await s.query(`prepare transaction '${name}'`);
      await s.query(`select pg_sleep(${next(20) / 10})`);
      await s.query(`${next(4) === 0 ? 'rollback' : 'commit'} prepared '${name}'`);
    });
};

/** Ends of sessions, a number that a slow machine does not raise. */
const KILLS = 25;

const killer = async (sessions: readonly Session[], next: Next, over: () => boolean): Promise<void> => {
  const client = await db.connect();
  for (let n = 0; n < KILLS && !over(); n++) {
    const victim = sessions[next(sessions.length)]?.client as (pg.Client & { processID?: number }) | undefined;
    await client.query('select pg_sleep($1)', [0.02 + next(100) / 300]);
    if (victim?.processID != null) await client.query('select pg_terminate_backend($1)', [victim.processID]);
  }
};

const run = async (w: Workload): Promise<void> => {
  const found: Finding[] = [];
  const allowed = w.compressed ? [...RETRY, ...REFUSED] : RETRY;
  const writers = [1, 2, 3].map((id) => ({ id, s: new Session(allowed) }));
  const refreshers = [4, 5].map((id) => ({ id, s: new Session(w.compressed ? ['22023', '40001'] : ['22023']) }));
  // A chunk that was emptied meanwhile is another relation.
  const third = { id: 6, s: new Session([...RETRY, ...(w.compressed ? ['55000'] : [])]) };
  const everybody = [...writers, ...refreshers, third];
  let over = false;
  const errors: string[] = [];
  const isOver = (): boolean =>
    over || found.length > 0 || errors.length > 0 || everybody.some(({ s }) => s.failures.length > 0);
  const watched = <T>(work: Promise<T>): Promise<T | undefined> =>
    work.catch((e: Error) => {
      errors.push(String(e.stack));
      return undefined;
    });
  const audits = watched(auditor(w, numbers(seed + 10), isOver, found));
  const others = [
    watched(
      killer(
        [...writers, ...refreshers].map(({ s }) => s),
        numbers(seed + 30),
        isOver,
      ),
    ),
    // The audit of compressed rows keeps writers out, so there must be none that stay.
    watched((w.compressed ? compressor : lingerer)(w, third.s, numbers(seed + third.id), isOver)),
  ];
  await Promise.all([
    ...writers.map(({ s, id }) => watched(writer(w, s, numbers(seed + id), isOver, found))),
    ...refreshers.map(({ s, id }) => watched(refresher(w, s, numbers(seed + id), isOver))),
  ]);
  over = true;
  await Promise.all(others);
  const counts = { table: w.table, seed, audits: await audits, sessions: everybody.map(({ s }) => s.counts) };
  if (process.env.TESSERA_SEED !== undefined) console.log(JSON.stringify(counts));
  expect([...errors, ...everybody.flatMap(({ s }) => s.failures)], `errors with TESSERA_SEED=${seed}`).toEqual([]);
  expect(found, `differences with TESSERA_SEED=${seed}`).toEqual([]);
  for (const v of w.views) await db.query(`call refresh_continuous_aggregate('${v.name}', null::${w.type}, null)`);
  for (const v of w.views) {
    expect(await viewDifferences(db.client, v), `${v.name} with TESSERA_SEED=${seed}`).toEqual([]);
    expect(await materializedDifferences(db.client, v), `${v.name} materialized with TESSERA_SEED=${seed}`).toEqual([]);
  }
  expect(
    await db.query(
      `select l.* from _tessera_catalog.continuous_aggs_hypertable_invalidation_log l
       join _tessera_catalog.continuous_aggs_invalidation_threshold t using (hypertable_id)
       join _tessera_catalog.hypertable h on h.id = l.hypertable_id and h.table_name = '${w.table}'
       where l.lowest_modified_value < t.watermark`,
    ),
  ).toEqual([]);
  expect(await db.query('select * from tessera_information.continuous_aggregate_refreshes')).toEqual([]);
};

/** Continuous aggregates by their queries, without data, so that refreshes meet what was never materialized. */
const createViews = async (queries: readonly (readonly [string, string])[]): Promise<AuditedView[]> => {
  for (const [name, query] of queries)
    await db.query('select create_continuous_aggregate($1, $2, with_data => false)', [name, query]);
  return queries.map(([name, direct]) => ({ name, direct }));
};

const timestamps = async (table: string, compressed: boolean): Promise<Workload> => {
  const at = (position: string | number): string =>
    `(timestamptz '2024-03-10 00:00+00' + (${position}) * interval '61 s')`;
  await db.query(
    `create table ${table}_devices as select d as device, 'kind ' || d % 2 as kind from generate_series(0, 4) d`,
  );
  await db.query(`create table ${table} (time timestamptz not null, device int, v int, primary key (device, time))`);
  await db.query(`select create_hypertable('${table}', 'time', chunk_time_interval => interval '5 days')`);
  if (compressed) await db.query(`select set_compression('${table}', compress_segmentby => 'device')`);
  await db.query(`insert into ${table} select ${at('i * 37')}, i % 6, i % 100 from generate_series(0, 1500) i`);
  const views = await createViews([
    [
      `${table}_hours`,
      `select time_bucket('1 hour', time) as bucket, device, count(*) as n, sum(v) as total, min(v) as least, max(time) as latest
       from ${table} group by 1, 2`,
    ],
    [
      `${table}_kinds`,
      `select time_bucket('1 day', m.time) as bucket, d.kind, count(*) filter (where m.v > 50) as high, sum(m.v) as total
       from ${table} m join ${table}_devices d on d.device = m.device where m.v <> 13 group by 1, 2 having count(*) > 1`,
    ],
    [
      `${table}_months`,
      `select device, time_bucket('1 month', time, 'Europe/Berlin') as bucket, count(distinct v) as kinds, max(v) - min(v) as span
       from ${table} group by 1, 2`,
    ],
    [
      `${table}_days`,
      `select time_bucket('1 day', bucket) as day, sum(n) as n, sum(total) as total, max(latest) as latest
       from ${table}_hours group by 1`,
    ],
    [
      `${table}_weeks`,
      `select time_bucket('1 week', day) as week, sum(n) as n, min(total) as least from ${table}_days group by 1`,
    ],
  ]);
  return { table, at, atSql: at, type: 'timestamptz', compressed, views, rounds: compressed ? 50 : 150 };
};

test('views over timestamps answer right at every moment while everything happens at once', {
  timeout: 180_000,
}, async () => {
  await run(await timestamps('plain', false));
});

test('views over compressed chunks answer right at every moment while everything happens at once', {
  timeout: 180_000,
}, async () => {
  await run(await timestamps('packed', true));
});

test('views over integers answer right at every moment while everything happens at once', {
  timeout: 180_000,
}, async () => {
  const at = (position: string | number): string => `(${position})::int8`;
  await db.query('create table ticks (time bigint not null, device int, v int, primary key (device, time))');
  await db.query(`select create_hypertable('ticks', 'time', chunk_time_interval => 7200)`);
  await db.query(`create function now_tick() returns bigint language sql stable as 'select 57600::int8'`);
  await db.query(`select set_integer_now_func('ticks', 'now_tick')`);
  const views = await createViews([
    [
      'tens',
      'select time_bucket(100, time) as bucket, device, count(*) as n, sum(v) as total from ticks group by 1, 2',
    ],
    [
      'shifted',
      'select time_bucket(750, time, 33) as bucket, count(distinct v) as n from ticks where v > 3 group by 1',
    ],
    ['of_tens', 'select time_bucket(5000, bucket) as five, sum(n) as n, max(total) as most from tens group by 1'],
  ]);
  await run({ table: 'ticks', at, atSql: at, type: 'int8', compressed: false, views, rounds: 150 });
});
