import { beforeEach, describe, expect, test } from 'vitest';
import { PG_MAJOR } from '../../../../server/root.ts';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

/** The hint of an error, which is 0A000. */
const hintOf = async (sql: string): Promise<string> => {
  const { code, hint } = await db.error(sql);
  expect(code, sql).toBe('0A000');
  return String(hint);
};

/** Runs what a hint says, as psql does: what \gexec ends gives statements. */
const follow = async (hint: string): Promise<void> => {
  const parts = hint.split('\\gexec\n');
  for (const statements of parts.slice(0, -1)) for (const sql of await db.column(statements)) await db.query(sql);
  for (const sql of (parts.at(-1) ?? '').split('; ')) await db.query(sql);
};

const NAME = 'm."Odd %s Table"';

beforeEach(async () => {
  await db.query(`rollback; set client_min_messages = warning; drop schema if exists m cascade; create schema m;
    create table m.kinds (id int primary key); insert into m.kinds values (1), (2);
    create table ${NAME} (t timestamp not null, kind int, "V %" text, primary key (kind, t));
    select create_hypertable('${NAME}', 't', chunk_time_interval => interval '1 day');
    insert into ${NAME} select '2024-01-01'::timestamp + i * interval '1 hour', 1 + i % 2, 'v' from generate_series(0, 71) i`);
});

const count = (table = NAME): Promise<number> => db.value(`select count(*)::int from ${table}`);

describe('the type of a column a hypertable is divided by', () => {
  test('cannot be changed, and the hint makes the hypertable anew', async () => {
    const hint = await hintOf(
      `-- a comment; alter table x\nalter table ${NAME} alter column t type timestamptz using t at time zone 'UTC', add column z int;`,
    );
    await follow(hint);
    expect(await count()).toBe(72);
    expect(
      await db.query(
        `select h.table_name, d.column_type::regtype::text as type, d.interval_length from _tessera_catalog.hypertable h
         join _tessera_catalog.dimension d on d.hypertable_id = h.id where h.schema_name = 'm'`,
      ),
    ).toEqual([{ table_name: 'Odd %s Table', type: 'timestamp with time zone', interval_length: 86_400_000_000n }]);
    expect(await db.value(`select min(t) = '2024-01-01 00:00+00' and bool_and(z is null) from ${NAME}`)).toBe(true);
  });

  test('of the hash dimension neither, with generated and identity columns', async () => {
    await db.query(`create table m.h (t timestamptz not null, k int, n int, i int generated always as identity, g int generated always as (n * 14) stored);
      select create_hypertable('m.h', 't', 'k', 2); insert into m.h (t, k, n) values ('2024-01-01', 7, 1)`);
    await follow(await hintOf('alter table m.h alter k set data type bigint'));
    expect(await db.query('select k, i, g from m.h')).toEqual([{ k: 7n, i: 1, g: 14 }]);
    expect(
      await db.value(
        `select num_partitions from tessera_information.dimensions where hypertable_schema = 'm' and column_name = 'k'`,
      ),
    ).toBe(2);
  });

  test('of other columns it can', async () => {
    await db.query(`alter table ${NAME} alter column "V %" type varchar(20), alter kind type bigint`);
    expect(await count()).toBe(72);
  });
});

describe('storage parameters', () => {
  const options = (): Promise<string[]> =>
    db.column(
      `select distinct coalesce(c.reloptions::text, '') from pg_partition_tree('${NAME}') t join pg_class c on c.oid = t.relid where t.isleaf`,
    );

  test.each([
    ['set (autovacuum_enabled = false, FillFactor=80)', `'{autovacuum_enabled=false,fillfactor=80}'`],
    [`set ( toast . autovacuum_enabled , fillfactor = '80' )`, `'{toast.autovacuum_enabled=true,fillfactor=80}'`],
    ['reset (fillfactor)', `reset_options => '{fillfactor}'`],
  ])('%s is carried to chunks by the call in the hint', async (change, given) => {
    const hint = await hintOf(`alter table ${NAME} ${change}`);
    expect(hint).toBe(`select set_chunk_storage('${NAME}', ${given});`);
    await follow(hint);
  });

  test('reach chunks that are there, compressed ones and those to come, and are taken back', async () => {
    await db.query(`select set_chunk_storage('${NAME}', '{fillfactor=70}')`);
    await db.query(`select set_chunk_storage('${NAME}', '{fillfactor=80,autovacuum_vacuum_threshold=9}')`);
    await db.query(`insert into ${NAME} values ('2024-02-01', 1)`);
    expect(await options()).toEqual(['{fillfactor=80,autovacuum_vacuum_threshold=9}']);
    await db.query(
      `select set_compression('${NAME}', compress_segmentby => 'kind'), compress_chunk(c) from show_chunks('${NAME}') c limit 1`,
    );
    await db.query(`select set_chunk_storage('${NAME}', reset_options => '{fillfactor}')`);
    await db.query(`select decompress_chunk(c) from show_chunks('${NAME}') c limit 1`);
    await db.query(`insert into ${NAME} values ('2024-02-02', 1)`);
    expect(await options()).toEqual(['{autovacuum_vacuum_threshold=9}']);
  });

  test.each([
    [
      `'{fillfactor}'`,
      `Write them as name=value, such as '{fillfactor=80,autovacuum_enabled=false}', and those to take back as names.`,
    ],
    [`'{"fillfactor=80) , x=1"}'`, undefined],
    [`'{no_such=1}'`, undefined],
    [`array[null]`, expect.any(String)],
    [`'{}', '{"a=b) drop"}'`, expect.any(String)],
    ['null', undefined],
  ])('that are none are refused: %s', async (given, hint) => {
    const error = await db.error(`select set_chunk_storage('${NAME}', ${given})`);
    expect([error.code, error.hint]).toEqual(['22023', hint]);
    expect(await options()).toEqual(['']);
  });

  test('are for the owner to set', async () => {
    const session = await db.as(await db.role('stranger'));
    await db.query('grant usage on schema m to public');
    await expect(session.query(`select set_chunk_storage('${NAME}', '{fillfactor=80}')`)).rejects.toMatchObject({
      code: '42501',
    });
  });

  test('of columns are set by ALTER TABLE', async () => {
    await db.query(`alter table ${NAME} alter column kind set (n_distinct = 5)`);
    expect(await count()).toBe(72);
  });
});

test('CLUSTER ON is a policy that reorders', async () => {
  await follow((await hintOf(`alter table ${NAME} cluster on "Odd %s Table_pkey"`)).replace(/ -- .*/, ''));
  await follow(await hintOf(`alter table ${NAME} set without cluster`));
  expect(await db.value(`select count(*)::int from _tessera_catalog.bgw_job where proc_name = 'policy_reorder'`)).toBe(
    0,
  );
});

const NOT_VALID = `alter table ${NAME} add constraint of_kind foreign key (kind) references m.kinds (id) on delete cascade not valid`;
test('a foreign key NOT VALID is added without it before PostgreSQL 18', async () => {
  if (PG_MAJOR < 18) {
    const hint = await hintOf(NOT_VALID);
    expect(hint).toBe(`${NOT_VALID.replace(' not valid', '')};`);
    await follow(hint);
  } else await db.query(NOT_VALID);
  expect(await db.value(`select convalidated from pg_constraint where conname = 'of_kind' and conparentid = 0`)).toBe(
    PG_MAJOR < 18,
  );
});
test('a check NOT VALID is added', async () => {
  await db.query(`alter table ${NAME} add check (kind > 0) not valid`);
  expect(await count()).toBe(72);
});

test.each([
  [`create index concurrently "By %V" on ${NAME} ("V %") where "V %" like 'v%'`],
  [`create unique index concurrently if not exists "By %V" on ${NAME} (kind, t, "V %");`],
  [
    `create index "By %V" on ${NAME} using btree ("V %") with (timescaledb.transaction_per_chunk, fillfactor = 70) where kind > 1`,
  ],
])('%s: an index by chunk, then that of the hypertable, which takes them', async (sql) => {
  const parts = (): Promise<string[]> =>
    db.column(
      `select i.inhrelid::regclass::text from pg_inherits i where i.inhparent = 'm."By %V"'::regclass order by 1`,
    );
  await follow((await hintOf(sql)).replace(/^Write: /, ''));
  expect((await parts()).filter((name) => name.includes('_chunk_'))).toHaveLength(3);
  expect(await db.value(`select indisvalid from pg_index where indexrelid = 'm."By %V"'::regclass`)).toBe(true);
  expect(
    await db.value(
      `select count(*)::int from pg_index i join pg_class c on c.oid = i.indrelid where c.relname ~ '_chunk$' and c.oid in (select show_chunks('${NAME}'))`,
    ),
  ).toBe(9);
});

describe('SET TABLESPACE', () => {
  const spaces = (table: string): Promise<string[]> =>
    db.column(
      `select distinct coalesce(s.spcname, 'pg_default')::text from pg_partition_tree('${table}') t join pg_class c on c.oid = t.relid
       left join pg_tablespace s on s.oid = c.reltablespace where c.relkind = 'r' order by 1`,
    );

  test('moves chunks as well, as the owner, at once or not at all', async () => {
    const [owner, fast] = [await db.role('owner'), `fast_${db.name}`];
    await db.query(`set allow_in_place_tablespaces = on`);
    await db.query(`create tablespace ${fast} location ''`);
    await db.query(`grant create on tablespace ${fast} to ${owner}; grant all on schema m to ${owner}`);
    const session = await db.as(owner);
    await session.query(`create table m.o (t timestamptz not null, k int);
      select create_hypertable('m.o', 't', 'k', 2); insert into m.o values ('2024-01-01', 1), ('2024-02-01', 2)`);
    await session.query(
      `select set_compression('m.o', compress_segmentby => 'k'), compress_chunk(c) from show_chunks('m.o') c limit 1`,
    );
    await session.query(`begin; alter table m.o set tablespace ${fast}; rollback`);
    expect(await spaces('m.o')).toEqual(['pg_default']);
    await session.query(`alter table if exists m.o set tablespace ${fast}`);
    await session.query(`insert into m.o values ('2024-03-01', 1)`);
    expect(await spaces('m.o')).toEqual([fast]);
    expect(
      await db.column(
        `select distinct t.spcname::text from _tessera_catalog.compression_settings s join pg_class c on c.oid = s.compress_relid
         join pg_tablespace t on t.oid = c.reltablespace`,
      ),
    ).toEqual([fast]);
    expect((await session.query('select count(*)::int as n from m.o')).rows).toEqual([{ n: 3 }]);
    await session.query(`select attach_tablespace('${fast}', 'm.o'); alter table m.o set tablespace pg_default`);
    expect(await db.column(`select show_tablespaces('m.o')::text`)).toEqual(['pg_default']);
    expect(await spaces('m.o')).toEqual(['pg_default']);
    await session.query(`select attach_tablespace('${fast}', 'm.o')`);
    await expect(session.query(`alter table m.o set tablespace ${fast}`)).rejects.toMatchObject({
      code: '0A000',
      hint: `select detach_tablespaces('m.o');`,
    });
    await session.query('drop table m.o');
    await db.query(`drop tablespace ${fast}`);
  });
});

describe('dimensions', () => {
  test('one partition needs no column, two do', async () => {
    await db.query('create table m.one (t timestamptz not null)');
    const error = await db.error(`select create_hypertable('m.one', 't', number_partitions => 2)`);
    expect([error.code, error.hint]).toEqual(['22023', 'Give partitioning_column, or leave number_partitions out.']);
    await db.query(`select create_hypertable('m.one', 't', number_partitions => 1)`);
    expect(
      await db.value(`select num_dimensions::int from tessera_information.hypertables where hypertable_name = 'one'`),
    ).toBe(1);
  });

  test.each([3, 40])('%s hash partitions have all indexes, keys and rows of the hypertable', async (partitions) => {
    await db.query(`create table m.w (t timestamptz not null, k int not null, v text not null collate "C", primary key (k, t), unique (v, k, t) include (v));
      create index on m.w (lower(v) text_pattern_ops) where k > 0; create index on m.w using hash (k);
      alter table m.w add foreign key (k) references m.kinds on delete cascade;
      select create_hypertable('m.w', 't', 'k', ${partitions}, chunk_time_interval => interval '1 day');
      create index later on m.w using brin (t) with (pages_per_range = 8);
      insert into m.w select '2024-01-01'::timestamptz + i * interval '1 hour', 1 + i % 2, i from generate_series(0, 30) i`);
    expect(await db.value('select count(*)::int from only m.w')).toBe(0);
    expect(await db.value('select count(distinct tableoid)::int from m.w')).toBe(4);
    const chunks = await db.value(`select count(*)::int from show_chunks('m.w')`);
    expect(chunks).toBe(2 * partitions);
    const each = await db.query(
      `select i.indexrelid::regclass::text as index, i.indisvalid,
         (select count(*)::int from pg_partition_tree(i.indexrelid) t where t.isleaf) as leaves
       from pg_index i where i.indrelid = 'm.w'::regclass order by 1`,
    );
    expect(each).toHaveLength(6);
    expect(each.every((e) => e.indisvalid === true && e.leaves === chunks + 1)).toBe(true);
    expect(await db.value(`select count(*)::int from pg_index i where i.indrelid in (select show_chunks('m.w'))`)).toBe(
      6 * chunks,
    );
    expect((await db.error(`insert into m.w values ('2024-01-01', 1, 'x')`)).code).toBe('23505');
    await db.query('delete from m.kinds where id = 1');
    expect(await db.value('select count(*)::int from m.w')).toBe(15);
    await db.query(`select drop_chunks('m.w', older_than => '2030-01-01'::timestamptz)`);
    expect(
      await db.value(`select count(*)::int from _tessera_catalog.chunk_constraint c join _tessera_catalog.chunk k on k.id = c.chunk_id
      join _tessera_catalog.hypertable h on h.id = k.hypertable_id where h.table_name = 'w'`),
    ).toBe(0);
  });

  test('that there cannot be are refused with what to do', async () => {
    await db.query(`create table m.u (id uuid); create table m.j (j jsonb);
      create function m.tf(jsonb) returns timestamptz language sql immutable as $$select ($1 ->> 't')::timestamptz$$;
      create table m.d (t timestamptz not null, t2 timestamptz not null, a int, b int); select create_hypertable('m.d', 't')`);
    const statements = async (sql: string): Promise<string> => (await hintOf(sql)).replace(/^[^:]*: (?=alter)/, '');
    await follow(await statements(`select create_hypertable('m.u', 'id')`));
    await follow(await statements(`select create_hypertable('m.j', 'j', time_partitioning_func => 'm.tf')`));
    await db.query(`select create_hypertable('m.u', 'time'), create_hypertable('m.j', 'divided_by')`);
    await db.query(`insert into m.j values ('{"t": "2024-01-01"}', '2024-01-01')`);
    expect((await db.error(`insert into m.j values ('{"t": "2024-01-01"}', '2024-01-02')`)).code).toBe('23514');
    await follow(await hintOf(`select add_dimension('m.d', 't2', chunk_time_interval => interval '1 day')`));
    await db.query(`select add_dimension('m.d', 'a', number_partitions => 2)`);
    await follow(await hintOf(`select add_dimension('m.d', 't2', chunk_time_interval => interval '1 day')`));
    await follow(await hintOf(`select add_dimension('m.d', 'b', number_partitions => 2)`));
  });
});
