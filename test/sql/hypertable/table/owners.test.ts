import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();
let first: string;
let second: string;

beforeAll(async () => {
  [first, second] = [await db.role('first'), await db.role('second')];
  await db.query(`grant create on schema public to ${first}, ${second}`);
});

/** A hypertable with a compressed chunk, a plain one, a continuous aggregate with a compressed chunk, and policies. */
const make = async (): Promise<void> => {
  const session = await db.as(first);
  for (const sql of [
    'create table m (time timestamptz not null, device int, v int, unique (device, time))',
    `select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`,
    `insert into m select '2024-01-01'::timestamptz + i * interval '1 hour', i % 2, i from generate_series(0, 47) i`,
    `select set_compression('m', compress_segmentby => 'device')`,
    `select compress_chunk(c) from show_chunks('m', older_than => '2024-01-02'::timestamptz) c`,
    `select create_continuous_aggregate('daily', $q$select time_bucket('1 day', time) as day, sum(v) as v from m group by 1$q$)`,
    `select set_compression('daily'), compress_chunk(c) from show_chunks('daily') c`,
    `select add_retention_policy('m', interval '100 years'), add_compression_policy('m', interval '90 years'),
       add_continuous_aggregate_policy('daily', interval '50 years', interval '1 day', interval '1 day')`,
  ])
    await session.query(sql);
  await session.end();
};

const drop = async (): Promise<void> => {
  await db.query('drop table if exists m cascade');
};

/** That nothing of it is anybody else's, as the doctor says and as the catalogs of PostgreSQL do. */
const expectOwned = async (owner: string): Promise<void> => {
  expect(await db.query(`select detail from tessera.doctor() where check_name = 'owners of parts'`)).toEqual([
    { detail: 'all parts of a hypertable or continuous aggregate belong to its owner' },
  ]);
  expect(await db.column(`select distinct owner::text from tessera_information.jobs where job_id >= 1000`)).toEqual([
    owner,
  ]);
  const others = await db.column(
    `select c.oid::regclass::text from pg_class c where c.relnamespace = '_tessera_internal'::regnamespace
       and pg_get_userbyid(c.relowner) <> $1
     union all
     select p.oid::regprocedure::text from pg_proc p where p.pronamespace = '_tessera_internal'::regnamespace
       and pg_get_userbyid(p.proowner) <> $1`,
    [owner],
  );
  expect(others).toEqual([]);
};

/** All that a new owner and a reader do. */
const expectUsable = async (owner: string): Promise<void> => {
  const session = await db.as(owner);
  const sum = async (of: string): Promise<unknown> =>
    (await session.query(`select sum(v)::int as s from ${of}`)).rows[0].s;
  const before = await sum('m');
  expect(await db.value('select sum(v)::int from m')).toBe(before);
  await session.query(`update m set v = v + 1 where device = 1 and time < '2024-01-01 12:00'`);
  await session.query(`insert into m values ('2024-01-01 00:30', 1, 100), ('2030-01-01', 1, 1000)`);
  expect(
    (await session.query(`select count(*)::int as n from show_chunks('m') c where c::text ~ 'chunk'`)).rows[0].n,
  ).toBe(3);
  await session.query(`select compress_chunk(c) from show_chunks('m', older_than => '2024-01-02'::timestamptz) c`);
  expect(await sum('m')).toBe((before as number) + 6 + 1100);
  expect(await sum('daily')).toBe((before as number) + 6 + 1100);
  await session.query('call refresh_continuous_aggregate($$daily$$, null, null)');
  expect(await sum('daily')).toBe((before as number) + 6 + 1100);
  await session.query(
    `delete from m where v >= 100; update m set v = v - 1 where device = 1 and time < '2024-01-01 12:00'`,
  );
  await session.query('call refresh_continuous_aggregate($$daily$$, null, null)');
  await session.end();
};

const expectWhole = async (owner: string): Promise<void> => {
  await expectOwned(owner);
  await expectUsable(owner);
};

describe('a hypertable with compressed chunks and a continuous aggregate', () => {
  beforeEach(async () => {
    await drop();
    await make();
  });

  test('follows ALTER TABLE OWNER and ALTER VIEW OWNER', async () => {
    await db.query(`alter table m owner to ${second}; alter view daily owner to ${second}`);
    await expectWhole(second);
    await db.query(`alter view daily owner to ${first}; alter table m owner to ${first}`);
    await expectWhole(first);
  });

  test('can be read and written at once after REASSIGN OWNED, and is in line after sync_catalog()', async () => {
    await db.query(`reassign owned by ${first} to ${second}`);
    await expectUsable(second);
    const doctor = (): Promise<unknown> =>
      db.query(`select distinct status, hint from tessera.doctor() where check_name = 'owners of parts'`);
    expect(await doctor()).toEqual([{ status: 'warning', hint: 'select tessera.sync_catalog();' }]);
    await db.query('select tessera.sync_catalog()');
    await expectWhole(second);
  });

  test('is brought in line by the scheduler after REASSIGN OWNED', async () => {
    await db.query(`reassign owned by ${first} to ${second}`);
    expect(await db.value(`select _tessera_functions.supervise_step('follow_owners()')`)).toBe(true);
    await expectOwned(second);
  });

  test('makes the chunks of a new owner as the first thing he does', async () => {
    await db.query(`reassign owned by ${first} to ${second}`);
    const session = await db.as(second);
    await session.query(`insert into m values ('2031-01-01', 1, 1)`);
    expect(await db.value(`select count(*)::int from show_chunks('m', newer_than => '2030-06-01'::timestamptz)`)).toBe(
      1,
    );
  });

  test('lets the role that owned it be dropped', async () => {
    const former = await db.role('former');
    await db.query(
      `grant create on schema public to ${former}; alter table m owner to ${former}; alter view daily owner to ${former}`,
    );
    await db.query(`reassign owned by ${former} to ${first}; select tessera.sync_catalog()`);
    await db.query(`revoke create on schema public from ${former}; drop role ${former}`);
    await expectWhole(first);
  });

  test('goes by DROP OWNED, after which the role can be dropped', async () => {
    const former = await db.role('former2');
    await db.query(
      `grant create on schema public to ${former}; alter table m owner to ${former}; alter view daily owner to ${former}`,
    );
    await db.query(`drop owned by ${former} cascade`);
    expect(await db.value('select count(*)::int from tessera_information.hypertables')).toBe(0);
    expect(await db.value('select count(*)::int from tessera_information.jobs where job_id >= 1000')).toBe(0);
    await db.query(`drop role ${former}`);
    expect(await db.value(`select count(*)::int from pg_foreign_server where srvtype = 'tessera loopback'`)).toBe(0);
  });

  test('leaves nothing of a role behind when it is dropped', async () => {
    const former = await db.role('former3');
    await db.query(
      `grant create on schema public to ${former}; alter table m owner to ${former}; alter view daily owner to ${former}`,
    );
    await drop();
    await db.query(`revoke create on schema public from ${former}; drop role ${former}`);
  });

  test('follows ALTER ROLE RENAME, and a role of the former name reaches nothing', async () => {
    const renamed = `${second}_renamed`;
    await db.query(
      `alter table m owner to ${second}; alter view daily owner to ${second}; alter role ${second} rename to ${renamed}`,
    );
    await db.query(
      `alter role ${renamed} password '${renamed}'; create role ${second}; grant create on schema public to ${second}`,
    );
    try {
      await expectWhole(renamed);
      await db.query(`create table imitated (time timestamptz not null, v int); alter table imitated owner to ${second};
        set role ${second}; select create_hypertable('imitated', 'time'); insert into imitated values ('2024-01-01', 1);
        select set_compression('imitated')`);
      await db.query(`select compress_chunk(c) from show_chunks('imitated') c`);
      await db.query('reset role');
      const servers = await db.query(
        `select srvname, has_server_privilege('${second}', oid, 'USAGE') as his, has_server_privilege('${renamed}', oid, 'USAGE') as of_renamed
         from pg_foreign_server where srvtype = 'tessera loopback'`,
      );
      expect(servers.filter((s) => s.his && s.of_renamed)).toEqual([]);
      expect(servers.filter((s) => s.his)).toHaveLength(1);
    } finally {
      await db.query(
        `reset role; drop table if exists imitated; revoke create on schema public from ${second}; drop role ${second}`,
      );
      await db.query(`alter role ${renamed} rename to ${second}; alter role ${second} password '${second}'`);
    }
  });

  test.each([
    ['the default partition', `alter table _tessera_internal.%_default owner to`],
    ['a table of marks', `alter table _tessera_internal.%_pending owner to`],
    ['the function that makes chunks', `alter function _tessera_internal.%_place() owner to`],
    ['the view of a compressed chunk', `alter view _tessera_internal.%_rows owner to`],
    ['the segments of a compressed chunk', `alter table _tessera_internal.%_segments owner to`],
    ['the results of a continuous aggregate', `alter table _tessera_internal._materialized_hypertable_% owner to`],
    ['an internal view of it', `alter view _tessera_internal._partial_view_% owner to`],
  ])('takes %s back when it is given away', async (_, ddl) => {
    const [before, after] =
      ddl
        .replace(/^alter \w+ _tessera_internal\./, '')
        .split(/ owner to$/)[0]
        ?.split('%') ?? [];
    const name = await db.value(
      `select name from (select relname::text as name from pg_class where relnamespace = '_tessera_internal'::regnamespace
         union all select proname || '()' from pg_proc where pronamespace = '_tessera_internal'::regnamespace) x
       where starts_with(name, $1) and right(name, length($2)) = $2 and name !~ 'idx' order by 1 limit 1`,
      [before, after],
    );
    await db.query(`grant create on schema _tessera_internal to ${second}`);
    await db.query(`${ddl.replace(/_tessera_internal\..*/, `_tessera_internal.${name} owner to`)} ${second}`);
    await db.query('select tessera.sync_catalog()');
    await expectOwned(first);
    expect(await db.value('select sum(v)::int from m')).toBe(await db.value('select sum(v)::int from daily'));
  });
});

test('an owner who may not create in the schema for chunks is named, with what helps', async () => {
  await drop();
  await db.query(`create schema held; grant usage, create on schema held to ${first}`);
  const session = await db.as(first);
  await session.query(`create table n (time timestamptz not null)`);
  await session.query(`select create_hypertable('n', 'time', associated_schema_name => 'held')`);
  await db.query(`alter table n owner to ${second}`);
  const doctor = (): Promise<unknown> =>
    db.query(`select status, detail, hint from tessera.doctor() where check_name = 'owners of parts'`);
  expect(await doctor()).toEqual([
    {
      status: 'warning',
      detail: `public.n changed hands, but role "${second}" may not create in schema "held"`,
      hint: `grant create on schema held to ${second}; select tessera.sync_catalog();`,
    },
  ]);
  await db.query(`grant create on schema held to ${second}; select tessera.sync_catalog()`);
  expect(await doctor()).toMatchObject([{ status: 'ok' }]);
  await db.query('drop table n; drop schema held');
});
