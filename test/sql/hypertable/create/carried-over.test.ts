import { afterEach, describe, expect, test } from 'vitest';
import { columnOptions } from '../../../../src/lib/column-options.ts';
import { PG_MAJOR } from '../../../../server/root.ts';
import { failure, useDatabase, type Row } from '../../../harness/database.ts';

const db = useDatabase();

/** Everything that is said of a table, but for OIDs and for what the access method and the parts are. */
const description = (table: string): Promise<Row[]> =>
  db.query(
    `select pg_get_userbyid(c.relowner) as owner, obj_description(c.oid, 'pg_class') as comment, c.relreplident, c.relrowsecurity, c.relforcerowsecurity,
       (select array_agg(x::text order by x::text) from aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) x) as acl,
       (select jsonb_agg(to_jsonb(x) order by x.attnum) from (
          select a.attnum, a.attname, format_type(a.atttypid, a.atttypmod) as type, a.attcollation::regcollation::text as collation, a.attnotnull,
            a.attidentity, a.attgenerated, a.attstorage, a.attcompression, nullif(a.attstattarget, -1) as target, nullif(${columnOptions('a.attoptions')}, '{}') as options,
            (select array_agg(g::text order by g::text) from aclexplode(a.attacl) g) as acl, pg_get_expr(d.adbin, d.adrelid) as value, col_description(c.oid, a.attnum) as comment
          from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) x) as columns,
       (select jsonb_agg(jsonb_build_array(k.conname, k.contype, pg_get_constraintdef(k.oid), k.condeferrable, k.condeferred, k.convalidated, i.reloptions::text, obj_description(k.oid, 'pg_constraint'))
          order by k.conname) from pg_constraint k left join pg_class i on i.oid = k.conindid and k.contype in ('p', 'u')
        where k.conrelid = c.oid and k.conparentid = 0) as constraints,
       (select jsonb_agg(jsonb_build_array(k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid), obj_description(k.oid, 'pg_constraint')) order by k.conrelid::regclass::text, k.conname)
          from pg_constraint k where k.confrelid = c.oid and k.contype = 'f' and k.conparentid = 0) as incoming,
       (select jsonb_agg(jsonb_build_array(r.relname, replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON '), i.indisreplident, obj_description(r.oid, 'pg_class')) order by r.relname)
          from pg_index i join pg_class r on r.oid = i.indexrelid where i.indrelid = c.oid) as indexes,
       (select jsonb_agg(jsonb_build_array(pg_get_triggerdef(t.oid), t.tgenabled, obj_description(t.oid, 'pg_trigger')) order by t.tgname)
          from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgname not like 'tessera%') as triggers,
       (select jsonb_agg(jsonb_build_array(p.polname, p.polcmd, p.polpermissive, p.polroles::regrole[]::text, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid), obj_description(p.oid, 'pg_policy')) order by p.polname)
          from pg_policy p where p.polrelid = c.oid) as policies,
       (select jsonb_agg(jsonb_build_array(pg_get_statisticsobjdef(s.oid), nullif(s.stxstattarget, -1), obj_description(s.oid, 'pg_statistic_ext')) order by s.stxname)
          from pg_statistic_ext s where s.stxrelid = c.oid) as statistics,
       (select jsonb_agg(jsonb_build_array(s.relname, d.deptype, q.seqstart, q.seqincrement, q.seqmax, q.seqcache, q.seqcycle, pg_get_userbyid(s.relowner), obj_description(s.oid, 'pg_class'),
            (select array_agg(g::text order by g::text) from aclexplode(coalesce(s.relacl, acldefault('s', s.relowner))) g)) order by s.relname)
          from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S' join pg_sequence q on q.seqrelid = s.oid where d.refobjid = c.oid and d.deptype in ('a', 'i')) as sequences
     from pg_class c where c.oid = $1::regclass`,
    [table],
  );

describe('create_hypertable', () => {
  afterEach(async () => void (await db.query('reset role; reset search_path')));

  test.each([
    ['an empty table', false],
    ['a table with rows', true],
  ])('gives the hypertable made of %s everything that was said of it', async (_what, rows) => {
    const [reader, owner] = [await db.role(`reader${rows}`), await db.role(`owner${rows}`)];
    const t = `t_${rows}`;
    await db.query(`create schema s_${rows} authorization ${owner}; set role ${owner}; set search_path to s_${rows}, public;
      create table kinds (id int primary key) partition by hash (id);
      create table kinds0 partition of kinds for values with (modulus 2, remainder 0);
      create table kinds1 partition of kinds for values with (modulus 2, remainder 1);
      insert into kinds select generate_series(1, 10);
      create function note() returns trigger language plpgsql as $$ begin return new; end $$;
      create table ${t} (
        time timestamptz constraint has_time not null, device int, kind int constraint to_kind references kinds on delete set null deferrable initially deferred,
        up int, up_time timestamptz, body text collate "C" default 'none', small text, id serial, n bigint generated by default as identity (start 100 increment 5 cache 3 cycle maxvalue 1000),
        twice float8 generated always as (device * 2) stored,
        constraint "the key" primary key (device, time) with (fillfactor = 71), constraint once unique nulls not distinct (time, id) include (body) deferrable,
        constraint "self" foreign key (up, up_time) references ${t} match full on update cascade,
        constraint positive check (device > 0));
      comment on table ${t} is 'the table'; comment on column ${t}.body is 'the column'; comment on constraint "the key" on ${t} is 'the key';
      comment on constraint to_kind on ${t} is 'the reference'; comment on constraint positive on ${t} is 'the check'; comment on sequence ${t}_n_seq is 'the sequence';
      alter table ${t} alter body set storage external, alter body set statistics 55, alter body set (n_distinct = 7), alter small set compression pglz;
      alter table ${t} set (fillfactor = 66, autovacuum_enabled = false, toast.autovacuum_enabled = false);
      create index by_body on ${t} (lower(body) text_pattern_ops desc) include (kind) with (fillfactor = 88) where kind > 2; comment on index by_body is 'the index';
      create unique index only_once on ${t} (time desc, id);
      create statistics st (ndistinct, mcv) on device, kind from ${t}; comment on statistics st is 'the statistics'; alter statistics st set statistics 44;
      create trigger tr before insert or update of kind on ${t} for each row when (new.kind > 3) execute function note(); comment on trigger tr on ${t} is 'the trigger';
      create constraint trigger checks after insert on ${t} deferrable initially deferred for each row execute function note();
      alter table ${t} enable always trigger tr; alter table ${t} disable trigger checks;
      alter table ${t} enable row level security; alter table ${t} force row level security;
      create policy p on ${t} as restrictive for update to ${reader} using (kind > 5) with check (kind > 6); comment on policy p on ${t} is 'the policy';
      create policy everything on ${t} using (true);
      grant select (body), update (kind) on ${t} to ${reader} with grant option; grant usage on sequence ${t}_n_seq to ${reader}; grant select on sequence ${t}_id_seq to public;
      create table refers (device int, time timestamptz, constraint points foreign key (device, time) references ${t} on delete cascade not valid);
      comment on constraint points on refers is 'from a table';
      create table refers_too (device int, time timestamptz, constraint points foreign key (device, time) references ${t}) partition by range (time);
      create table refers_too1 partition of refers_too default;
      alter table ${t} replica identity using index only_once`);
    if (rows)
      await db.query(`insert into ${t} (time, device, kind) select '2024-01-01'::timestamptz + i * interval '1 day', 1 + i % 3, 1 + i % 10 from generate_series(0, 19) i;
        insert into refers select device, time from ${t} limit 2; insert into refers_too select device, time from ${t} limit 2`);
    const before = await description(t);
    // What is granted by default to later tables was not granted to this one.
    await db.query(`alter default privileges in schema s_${rows} grant delete on tables to ${reader}, public;
      alter default privileges in schema s_${rows} grant update on sequences to ${reader}`);
    await db.query(
      `select create_hypertable('${t}', 'time', migrate_data => true, chunk_time_interval => interval '7 days', create_default_indexes => false)`,
    );
    expect(await description(t)).toEqual(before);
    await db.query(`insert into ${t} (time, device, kind) values ('2024-02-01', 7, 4)`);
    expect((await db.error(`insert into ${t} (time, device, kind) values ('2024-02-02', 7, 99)`)).code).toBe('23503');
    expect(
      (await db.error(`insert into ${t} (time, device, up, up_time) values ('2024-02-02', 7, 99, now())`)).code,
    ).toBe('23503');
    expect((await db.error('insert into refers values (99, now())')).code).toBe('23503');
    expect((await db.error('insert into refers_too values (99, now())')).code).toBe('23503');
    const parts = await db.query(
      `select c.reloptions::text as options, x.reloptions::text as toast from pg_partition_tree('${t}') p join pg_class c on c.oid = p.relid join pg_class x on x.oid = c.reltoastrelid where p.isleaf`,
    );
    expect(new Set(parts.map((p) => `${p.options} ${p.toast}`))).toEqual(
      new Set(['{fillfactor=66,autovacuum_enabled=false} {autovacuum_enabled=false}']),
    );
    expect(
      await db.column(
        `select distinct count(*)::int from pg_partition_tree('${t}') p join pg_constraint k on k.conrelid = p.relid and k.contype = 'f' and k.confrelid = 'kinds'::regclass where p.isleaf group by p.relid`,
      ),
    ).toEqual([1]);
    await db.query(`reset role; drop schema s_${rows} cascade`);
  });

  test('takes a table that refers to a partitioned table, and to another hypertable', async () => {
    await db.query(`create table ref (id int primary key) partition by hash (id);
      create table ref0 partition of ref for values with (modulus 2, remainder 0);
      create table ref1 partition of ref for values with (modulus 2, remainder 1);
      insert into ref select generate_series(1, 10);
      create table h (t timestamptz not null, id int references ref (id));
      create table hp (t timestamptz, id int, primary key (t, id))`);
    await db.query(`select create_hypertable('h', 't'); select create_hypertable('hp', 't')`);
    expect(
      await db.column(
        `select conname from pg_constraint where conrelid = 'h'::regclass and contype = 'f' and conparentid = 0`,
      ),
    ).toEqual(['h_id_fkey']);
    await db.query(
      `insert into h select '2024-01-01', i from generate_series(1, 10) i; insert into hp values ('2024-01-01', 1)`,
    );
    expect((await db.error('insert into h values (now(), 11)')).code).toBe('23503');
    await db.query(
      'create table hc (t timestamptz not null, pt timestamptz, pid int, foreign key (pt, pid) references hp)',
    );
    await db.query(`select create_hypertable('hc', 't'); insert into hc values ('2024-02-01', '2024-01-01', 1)`);
    expect((await db.error(`insert into hc values ('2024-02-01', '2024-01-01', 2)`)).code).toBe('23503');
    expect((await db.error('delete from hp')).code).toBe('23503');
    await db.query('drop table hc, hp, h, ref');
  });

  test('keeps the rights of an owner who has granted columns only', async () => {
    const [owner, reader] = [await db.role('lender'), await db.role('borrower')];
    await db.query(`create schema lent authorization ${owner}`);
    const session = await db.as(owner);
    await session.query(
      `create table lent.t (time timestamptz not null, v int); grant select (v) on lent.t to ${reader}`,
    );
    await session.query(`select create_hypertable('lent.t', 'time')`);
    await session.query(`insert into lent.t values ('2024-01-01', 1); select * from lent.t`);
    expect((await failure(await db.as(reader), 'select time from lent.t')).code).toBe('42501');
    await db.query('drop schema lent cascade');
  });

  test('wants constraints that were never validated to hold for the rows there are', async () => {
    await db.query(`create table past (time timestamptz not null, v int); insert into past values ('2024-01-01', -1);
      alter table past add constraint positive check (v > 0) not valid`);
    const e = await db.error(`select create_hypertable('past', 'time', migrate_data => true)`);
    expect([e.code, e.hint]).toEqual(['55000', 'alter table public.past validate constraint "positive";']);
    await db.query('update past set v = 1');
    await db.query(e.hint as string);
    await db.query(`select create_hypertable('past', 'time', migrate_data => true)`);
    await db.query(`create table ref2 (id int primary key); create table fresh (time timestamptz not null, id int);
      alter table fresh add constraint to_ref foreign key (id) references ref2 not valid`);
    await db.query(`select create_hypertable('fresh', 'time')`);
    expect(
      await db.value(
        `select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'fresh'::regclass and conname = 'to_ref'`,
      ),
    ).toBe('FOREIGN KEY (id) REFERENCES ref2(id)');
    await db.query('drop table past, fresh, ref2');
  });

  test('refuses constraints that parts would not have', async () => {
    await db.query('create table alone (time timestamptz not null, v int, constraint mine check (v > 0) no inherit)');
    expect((await db.error(`select create_hypertable('alone', 'time')`)).code).toBe('0A000');
    await db.query('drop table alone');
    if (PG_MAJOR < 18) return;
    await db.query('create table alone (time timestamptz not null, v int, constraint mine not null v no inherit)');
    expect((await db.error(`select create_hypertable('alone', 'time')`)).code).toBe('0A000');
    await db.query('drop table alone');
  });

  test('says that chunks are not clustered any more, and what keeps them in order', async () => {
    await db.query(
      'create table clustered (time timestamptz not null, v int); create index by_v on clustered (v, time); cluster clustered using by_v',
    );
    const seen = await db.notices(`select create_hypertable('clustered', 'time')`);
    expect(seen.map((n) => n.message)).toEqual([
      `chunks are not clustered on index "by_v"; to have them in its order: select add_reorder_policy('public.clustered', 'by_v')`,
    ]);
    await db.query(`select add_reorder_policy('public.clustered', 'by_v'); drop table clustered`);
  });
});
