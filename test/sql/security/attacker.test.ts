import type pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase, type Row } from '../../harness/database.ts';
import { random as numbers } from '../../harness/random.ts';

const db = useDatabase();
const SEED = Number(process.env.TESSERA_SEED ?? 20_261_129);
const next = numbers(SEED);
const random = (): number => next() / 2 ** 32;
let victim: string;
let attacker: string;
let intruder: pg.Client;

const make = (session: pg.Client, schema: string): Promise<unknown> =>
  session.query(`
    create table ${schema}.m (time timestamptz not null, device int not null, v float8, primary key (device, time));
    select public.create_hypertable('${schema}.m', 'time', chunk_time_interval => interval '1 day');
    insert into ${schema}.m select '2024-01-01'::timestamptz + i * interval '1 hour', i % 3, i from generate_series(0, 200) i;
    select public.set_compression('${schema}.m', compress_segmentby => 'device');
    select public.compress_chunk(c) from public.show_chunks('${schema}.m', older_than => '2024-01-03'::timestamptz) c;
    select public.create_continuous_aggregate('${schema}.c', 'select public.time_bucket(''1 day'', time) as day, count(*) from ${schema}.m group by 1');
    create table ${schema}.i (k int not null, v int); select public.create_hypertable('${schema}.i', 'k', chunk_time_interval => 10);
    create procedure ${schema}.act(job_id int, config jsonb) language sql as 'select 1';
    select public.add_job('${schema}.act', '1 day');
    select public.add_retention_policy('${schema}.m', interval '100 years');
    select public.add_background_task(public.create_background_job('work'), 'select 1', not_before => '2100-01-01')`);

beforeAll(async () => {
  victim = await db.role('victim');
  attacker = await db.role('attacker');
  await db.query(`create schema vic authorization ${victim}; create schema att authorization ${attacker}; create schema dba;
    create table dba.secrets (word text); insert into dba.secrets values ('swordfish')`);
  const session = await db.as(victim);
  await make(session, 'vic');
  await session.query(`call refresh_continuous_aggregate('vic.c', null::timestamptz, null)`);
  intruder = await db.as(attacker);
  await make(intruder, 'att');
  await intruder.query(`set statement_timeout = '3s'; set lock_timeout = '2s'; set client_min_messages = 'error'`);
});

/** Everything that is not the attacker's own: objects with owners and rights, rows of the victim, rows of the catalog about others. */
const world = async (): Promise<Row> => {
  const me = `(select oid from pg_roles where rolname = '${attacker}')`;
  const others = `(select h.id from _tessera_catalog.hypertable h join pg_class c on c.oid = h.relid where c.relowner <> ${me})`;
  const rowsOf = (table: string, condition: string): string =>
    `(select jsonb_agg(to_jsonb(x) order by to_jsonb(x)::text) from _tessera_catalog.${table} x where ${condition})`;
  const [row] = await db.query(`select
    (select jsonb_agg(jsonb_build_array(c.oid::regclass::text, c.relkind, c.relowner::regrole::text, c.relacl::text) order by c.oid)
      from pg_class c where c.relowner <> ${me} and c.relkind <> 't' and c.relnamespace <> 'pg_toast'::regnamespace) as relations,
    (select jsonb_agg(jsonb_build_array(p.oid::regprocedure::text, md5(p.prosrc), p.proowner::regrole::text, p.prosecdef, p.proacl::text) order by p.oid)
      from pg_proc p where p.proowner <> ${me}
        and p.oid not in (select v.source from _tessera_catalog.read_view v where v.hypertable_id not in ${others})) as functions,
    (select jsonb_agg(jsonb_build_array(n.nspname, n.nspowner::regrole::text) order by n.oid)
      from pg_namespace n where n.nspname !~ '^pg_(toast_)?temp' and n.nspowner <> ${me}) as schemas,
    (select jsonb_agg(jsonb_build_array(r.rolname, r.rolsuper, r.rolcreaterole, r.rolcanlogin) order by r.oid)
      from pg_roles r where r.rolname in ('postgres', '${victim}', '${attacker}')) as roles,
    (select jsonb_agg(jsonb_build_array(s.srvname, s.srvoptions::text) order by s.oid) from pg_foreign_server s where s.srvversion <> '${attacker}') as servers,
    (select jsonb_agg(m order by m::text) from vic.m m) as rows_m, (select jsonb_agg(c order by c::text) from vic.c c) as rows_c,
    (select jsonb_agg(s) from dba.secrets s) as secrets,
    ${rowsOf('hypertable', `x.id in ${others}`)} as hypertables, ${rowsOf('dimension', `x.hypertable_id in ${others}`)} as dimensions,
    ${rowsOf('chunk', `x.hypertable_id in ${others}`)} as chunks, ${rowsOf('hypertable_part', `x.hypertable_id in ${others}`)} as parts,
    ${rowsOf('chunk_key', `x.hypertable_id in ${others}`)} as keys, ${rowsOf('tablespace', `x.hypertable_id in ${others}`)} as tablespaces,
    ${rowsOf('compression_settings', `x.hypertable_id in ${others}`)} as settings,
    ${rowsOf('continuous_agg', `x.mat_hypertable_id in ${others}`)} as caggs,
    ${rowsOf('continuous_aggs_invalidation_threshold', `x.hypertable_id in ${others}`)} as thresholds,
    ${rowsOf('continuous_aggs_materialization_invalidation_log', `x.materialization_id in ${others}`)} as logs,
    ${rowsOf('bgw_job', `x.owner::oid <> ${me}`)} as jobs,
    ${rowsOf('bgw_job_stat', `x.job_id in (select id from _tessera_catalog.bgw_job where owner::oid <> ${me})`)} as stats,
    ${rowsOf('pg_dist_background_job', `x.owner::oid <> ${me}`)} as background_jobs,
    ${rowsOf('pg_dist_background_task', `x.owner::oid <> ${me}`)} as background_tasks,
    ${rowsOf('setting', 'true')} as all_settings, ${rowsOf('metadata', 'true')} as metadata, ${rowsOf('pg_dist_node', 'true')} as nodes,
    ${rowsOf('pg_dist_partition', 'true')} as distributed, ${rowsOf('pg_dist_rebalance_strategy', 'true')} as strategies,
    ${rowsOf('loopback', 'true')} as loopback, ${rowsOf('worker_slot', 'true')} as slots`);
  return row as Row;
};

const MINE = ['att.m', 'att.c', 'att.i'];
const THEIRS = ['vic.m', 'vic.c', 'vic.i', 'dba.secrets', 'pg_class', '_tessera_catalog.hypertable'];

interface Pool {
  readonly ids: readonly number[];
  readonly oids: readonly number[];
}
const pool = async (): Promise<Pool> => ({
  ids: await db.column(`select id from _tessera_catalog.hypertable union select id from _tessera_catalog.chunk union select id from _tessera_catalog.bgw_job
    union select id from _tessera_catalog.dimension union select job_id::int from _tessera_catalog.pg_dist_background_job`),
  oids: await db.column(`select c.oid::int8::float8 from pg_class c where c.relkind in ('r', 'p', 'v', 'f')
      and c.relnamespace::regnamespace::text in ('att', 'vic', 'dba', '_tessera_internal')
    union all select oid::int8::float8 from pg_roles where rolname in ('postgres', '${attacker}', '${victim}')`),
});

/** What JavaScript says, which nobody outside should see. */
const RAW = /TypeError|Cannot (read|convert|mix)|is not (a function|iterable)/;

const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

const TEXTS = [
  '',
  'att',
  'vic',
  'public',
  'time',
  'device',
  'v',
  'k',
  '_hyper_1',
  'x; drop table dba.secrets; --',
  "'",
  '"',
  '$$',
  'NULL',
  'none',
  'default',
  'postgres',
  'pg_default',
  '1 day',
  'user',
  '%s',
  '\\',
  'ü'.repeat(40),
  'c',
  '_tessera_functions',
  'policy_retention',
  'act',
];
const NUMBERS = [
  0,
  1,
  2,
  3,
  -1,
  7,
  1000,
  32_767,
  2_147_483_647,
  -2_147_483_648,
  9_007_199_254_740_991,
  '9223372036854775807',
  '-9223372036854775808',
];

/** A value for a scalar of a request: mostly of its kind, sometimes of another. */
const scalar = (kind: string, p: Pool): unknown => {
  if (random() < 0.08) return pick([null, {}, [], 'x', -1.5, true, '1e3', [null]]);
  switch (kind.replace(/\?$/, '')) {
    case 'int2':
    case 'int4':
    case 'int8':
      return random() < 0.6 ? pick(p.ids) : pick(NUMBERS);
    case 'oid':
      return random() < 0.9 ? pick(p.oids) : pick(NUMBERS);
    case 'bool':
      return random() < 0.5;
    case 'float8':
      return pick([0, -1, 0.5, 1e300]);
    case 'interval':
      return pick(['1 day', '-1 day', '178000000 years', 'soon', '1 month -29 days', '0']);
    case 'timestamptz':
      return pick(['2024-01-01', 'infinity', '-infinity', '4713-01-01 BC', 'never']);
    case 'object':
    case 'json':
      return pick([null, {}, { a: 1 }, { hypertable_id: pick(p.ids) }, []]);
    default:
      return kind.includes('|') && random() < 0.8 ? pick(kind.replace(/\?$/, '').split('|')) : pick(TEXTS);
  }
};

type Shape = string | { readonly [key: string]: Shape } | readonly Shape[];
const value = (shape: Shape, p: Pool): unknown => {
  if (typeof shape === 'string') {
    const list = /^(.*)\[\]\??$/.exec(shape);
    if (list === null) return scalar(shape, p);
    return Array.from({ length: Math.floor(random() * 3) }, () => scalar(list[1] as string, p));
  }
  if (Array.isArray(shape)) return Array.from({ length: Math.floor(random() * 3) }, () => value(shape[0] as Shape, p));
  const entries = Object.entries(shape as Record<string, Shape>).filter(() => random() > 0.03);
  const made = Object.fromEntries(entries.map(([k, s]) => [k, value(s, p)]));
  return random() < 0.03 ? { ...made, surprise: 1 } : made;
};

/** What a statement may end in: a success, or an error that PostgreSQL or tessera means. */
const tolerable = async (sql: string, params: unknown[] = []): Promise<void> => {
  try {
    await intruder.query(sql, params);
  } catch (e) {
    const { code, message } = e as pg.DatabaseError;
    if (code === undefined || /^XX|^58|^53/.test(code) || RAW.test(message))
      throw new Error(`seed ${SEED}: ${code} ${message}\n${sql}\n${JSON.stringify(params)}`);
  } finally {
    await intruder.query('rollback').catch(() => undefined);
  }
};

describe(`a role with CREATE on one schema (seed ${SEED})`, () => {
  test('changes nothing of others by any request', async () => {
    const before = await world();
    const shapes = (await db.value('select _tessera_functions.request_shapes()')) as Record<string, Shape>;
    const p = await pool();
    for (let round = 0; round < 12; round++)
      for (const [operation, shape] of Object.entries(shapes))
        await tolerable('insert into _tessera_catalog.request (operation, payload, caller) values ($1, $2, $3)', [
          operation,
          JSON.stringify(value(shape, p)),
          'postgres',
        ]);
    for (const operation of ['', 'nothing', 'result', 'job', 'create_hypertable(', 'cluster_add_node'])
      await tolerable('insert into _tessera_catalog.request (operation, payload) values ($1, $2)', [operation, '{}']);
    expect(await world()).toEqual(before);
  }, 300_000);

  test('changes nothing of others by any function', async () => {
    const before = await world();
    const p = await pool();
    for (let round = 0; round < 3; round++)
      for (const f of await callable())
        await tolerable(
          callOf(
            f,
            f.types.map((t) => argument(t, p)),
          ),
        );
    expect(await world()).toEqual(before);
  }, 300_000);

  test('keeps nobody from DDL, rows, jobs and looking', async () => {
    const session = await db.as(victim);
    await session.query(
      `insert into vic.m values ('2025-01-01', 1, 1); alter table vic.m add column w int; alter table vic.m rename to n`,
    );
    await session.query(`select drop_chunks('vic.n', older_than => '2024-01-02'::timestamptz)`);
    await db.query('alter schema dba rename to dba2; alter schema vic rename to vic2');
    expect((await db.notices('select tessera.sync_catalog()')).filter((n) => n.severity !== 'WARNING')).toEqual([]);
    for (const step of [
      "supervise_runs('node')",
      'heal_tasks()',
      'complete_statistics()',
      'complete_parts()',
      'arrange_slots()',
    ])
      expect(await db.value('select _tessera_functions.supervise_step($1)', [step]), step).toBe(true);
    expect(
      await db.query(
        `select check_name, detail from tessera.doctor() where status = 'error' and detail not like '%att.%'
          and not exists (select from pg_class c where c.relowner::regrole::text = '${attacker}' and c.relname ~ '^_materialized' and detail like '%' || c.relname || ' %')`,
      ),
    ).toEqual([]);
    await session.query('drop table vic2.n cascade');
    await db.query(`drop schema att cascade`);
  });
});

interface Callable {
  readonly name: string;
  readonly kind: string;
  readonly types: readonly string[];
  readonly defaults: number;
}

/** Waits by design, or ends the session. */
const LEFT_OUT = /(_wait|worker|scheduler|launcher|runtime_source|loopback_client|start_background|pg_terminate)/;

const callable = async (user = attacker): Promise<Callable[]> =>
  (
    await db.query(
      `select p.oid::regproc::text as name, p.prokind::text as kind, p.pronargdefaults::int as defaults,
         array(select format_type(t, null) from unnest(p.proargtypes) t) as types
       from pg_proc p
       where p.oid in (select to_regprocedure(f) from unnest(_tessera_functions.function_list()) f) and p.prokind in ('f', 'p')
         and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
         and has_function_privilege($1, p.oid, 'execute') order by p.oid::regprocedure::text`,
      [user],
    )
  ).filter((r) => !LEFT_OUT.test(r.name)) as unknown as Callable[];

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const argument = (type: string, p: Pool): string => {
  if (random() < 0.1) return `null::${/^any/.test(type) ? 'int' : type}`;
  const text = (v: unknown): string => quote(String(v));
  switch (type) {
    case 'regclass':
      return `${quote(random() < 0.5 ? pick(MINE) : pick(THEIRS))}::regclass`;
    case 'smallint':
      return `${pick([0, 1, -1, 32_767])}::smallint`;
    case 'integer':
      return `${random() < 0.6 ? pick(p.ids) : pick([0, 1, -1, 2_147_483_647])}::int`;
    case 'bigint':
      return `${random() < 0.6 ? pick([...p.ids, ...p.oids]) : pick(['0', '-1', '9223372036854775807'])}::int8`;
    case 'oid':
      return `${pick(p.oids)}::oid`;
    case 'boolean':
      return pick(['true', 'false']);
    case 'interval':
      return `${text(pick(['1 day', '-1 day', '178000000 years', '0', '1 month']))}::interval`;
    case 'timestamp with time zone':
    case 'timestamp without time zone':
    case 'date':
      return `${text(pick(['2024-01-01', 'infinity', '-infinity']))}::${type}`;
    case 'jsonb':
    case 'json':
      return `${text(JSON.stringify(pick<unknown>([{}, [], null, { a: 1 }, { hypertable_id: pick(p.ids) }, 'x', { relid: pick(p.oids), id: 1 }])))}::${type}`;
    case 'double precision':
    case 'real':
    case 'numeric':
      return `${pick(['0', '-1', "'NaN'", '1e30'])}::${type}`;
    case 'text':
    case 'name':
      return `${text(pick([...TEXTS, ...MINE, ...THEIRS]))}::${type}`;
    case 'anyelement':
    case 'anycompatible':
    case '"any"':
      return pick(["'2024-01-01'::timestamptz", '1', "interval '1 day'"]);
    default:
      return /\[\]$|^any/.test(type) ? `${/^any/.test(type) ? "'{1,2}'::int[]" : `'{}'::${type}`}` : `null::${type}`;
  }
};

const callOf = (f: Callable, args: readonly string[]): string =>
  `${f.kind === 'p' ? 'call' : 'select'} ${f.name}(${args.join(', ')})`;

describe('every function', () => {
  for (const who of ['postgres', 'stranger'] as const)
    test(`answers NULL in each of its arguments, as ${who}, with NULL or an error that says what is wrong`, async () => {
      const session = who === 'postgres' ? await db.connect() : await db.as(await db.role('stranger'));
      await session.query(`set statement_timeout = '5s'; set client_min_messages = 'error'`);
      const p = await pool();
      const bad: string[] = [];
      for (const f of await callable(who === 'postgres' ? 'postgres' : attacker)) {
        const nulls = f.types.map(
          (t) => `null::${/^any.*array|\[\]$/.test(t) && /^any/.test(t) ? 'int[]' : /^any|^"any"/.test(t) ? 'int' : t}`,
        );
        const calls = [
          nulls,
          ...f.types.map((_, i) => f.types.map((t, j) => (i === j ? (nulls[j] as string) : argument(t, p)))),
        ];
        for (const args of calls) {
          const sql = callOf(f, args);
          await session.query('begin');
          try {
            await session.query(sql);
          } catch (e) {
            const { code, message } = e as pg.DatabaseError;
            if (code === undefined || /^XX/.test(code) || RAW.test(message)) bad.push(`${code} ${message}: ${sql}`);
          }
          await session.query('rollback');
        }
      }
      expect(bad).toEqual([]);
    }, 300_000);
});
