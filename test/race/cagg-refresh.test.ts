import { finished } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { beforeEach, describe, expect, it } from 'vitest';
import { materializedDifferences, viewDifferences, type AuditedView } from '../harness/cagg-views.ts';
import { failure, useDatabase } from '../harness/database.ts';
import { Steps } from '../harness/refresh-steps.ts';
import { waitUntil } from '../harness/wait-until.ts';

const db = useDatabase();

const TENS: AuditedView = {
  name: 'tens',
  direct: 'select time_bucket(10, t) as bucket, count(*) as n, sum(v) as total from numbers group by 1',
};
const HUNDREDS: AuditedView = {
  name: 'hundreds',
  direct: 'select time_bucket(100, bucket) as bucket, sum(n) as n, sum(total) as total from tens group by 1',
};

beforeEach(async () => {
  await db.query('set client_min_messages = warning');
  await db.query('drop table if exists numbers cascade');
  await db.query('create table numbers (t int not null, v int)');
  await db.query(`select create_hypertable('numbers', 't', chunk_time_interval => 100)`);
  await db.query('create or replace function thousand() returns int language sql stable as $$select 1000$$');
  await db.query(`select set_integer_now_func('numbers', 'thousand')`);
  await db.query('insert into numbers select i, i from generate_series(0, 990, 5) i');
});

const create = (v: AuditedView, options = ''): Promise<unknown> =>
  db.query(`select create_continuous_aggregate($1, $2, with_data => false, chunk_interval => 100${options})`, [
    v.name,
    v.direct,
  ]);

const expectRight = async (...views: readonly AuditedView[]): Promise<void> => {
  for (const v of views) expect(await viewDifferences(db.client, v), v.name).toEqual([]);
};

const refresh = (client: pg.Client, start: number | null, end: number | null, view = 'tens'): Promise<unknown> =>
  client.query(`call refresh_continuous_aggregate('${view}', ${start}::int, ${end}::int)`);

/** Everything is refreshed, and what is materialized is what the query gives. */
const expectSettled = async (...views: readonly AuditedView[]): Promise<void> => {
  for (const v of views) await refresh(db.client, null, null, v.name);
  for (const v of views) expect(await materializedDifferences(db.client, v), v.name).toEqual([]);
};

/** Waits until the session, whose process id it must not be asked for while it is busy, waits for a lock. */
const blocked = (client: pg.Client): Promise<void> => {
  const { processID } = client as pg.Client & { readonly processID: number };
  return waitUntil(`backend ${processID} waits for a lock`, () =>
    db.value(`select wait_event_type is not distinct from 'Lock' from pg_stat_activity where pid = ${processID}`),
  );
};

/** Up to where no writer is left that does not log, and the threshold. */
const settled = (): Promise<string[]> =>
  db.column(`select settled || ' ' || watermark from _tessera_catalog.continuous_aggs_invalidation_threshold`);

const log = (): Promise<string[]> =>
  db.column(
    `select lowest_modified_value || '..' || greatest_modified_value
     from _tessera_catalog.continuous_aggs_hypertable_invalidation_log order by lowest_modified_value`,
  );

describe('a row of another transaction', () => {
  it('that is committed between the threshold and the batch is materialized or shown', async () => {
    await create(TENS);
    const steps = await new Steps(await db.connect()).moveThreshold(0, 500);
    await db.query('insert into numbers values (101, 1)');
    await expectRight(TENS);
    await steps.planBatches();
    await db.query('insert into numbers values (102, 1)');
    await expectRight(TENS);
    await steps.runBatches();
    await expectRight(TENS);
    await db.query('delete from numbers where t = 102');
    await expectRight(TENS);
    await expectSettled(TENS);
  });

  it('that is committed while the batch is under way is shown, and materialized by the next refresh', async () => {
    await create(TENS);
    const session = await db.connect();
    const steps = await (await new Steps(session).moveThreshold(0, 500)).planBatches();
    await session.query('begin');
    await steps.runBatches();
    await db.query('insert into numbers values (103, 1)');
    await expectRight(TENS);
    await session.query('commit');
    await expectRight(TENS);
    await expectSettled(TENS);
  });

  for (const level of ['read committed', 'repeatable read', 'serializable'])
    it(`that was written at ${level} before the threshold moved and committed after the batch is shown`, async () => {
      await create(TENS);
      const writer = await db.connect();
      await writer.query(`begin isolation level ${level}`);
      await writer.query('insert into numbers values (104, 1), (505, 1)');
      await writer.query('delete from numbers where t = 200');
      await refresh(db.client, 0, 500);
      await expectRight(TENS);
      await writer.query('commit');
      // At read committed nothing below the threshold was there to log when the rows were written.
      expect((await log()).length > 0).toBe(level !== 'read committed');
      await expectRight(TENS);
      await expectSettled(TENS);
    });

  it('that is open does not hold up a refresh, which materializes what others have committed', async () => {
    await create(TENS);
    const writer = await db.connect();
    await writer.query('begin');
    await writer.query('insert into numbers values (106, 1)');
    await refresh(await db.connect(), null, 500);
    await expectRight(TENS);
    await db.query(`select alter_continuous_aggregate('tens', materialized_only => true)`);
    expect(await db.query('select count(*)::int as buckets, sum(n)::int as n from tens')).toEqual([
      { buckets: 50, n: 100 },
    ]);
    await db.query(`select alter_continuous_aggregate('tens', materialized_only => false)`);
    await writer.query('commit');
    await expectRight(TENS);
    await expectSettled(TENS);
  });

  it('that is prepared does not hold up a refresh either', async () => {
    await create(TENS);
    const writer = await db.connect();
    await writer.query('begin');
    await writer.query('insert into numbers values (107, 1)');
    await writer.query(`prepare transaction 'tessera_cagg_${db.name}'`);
    await refresh(await db.connect(), 0, 500);
    await expectRight(TENS);
    await writer.query(`commit prepared 'tessera_cagg_${db.name}'`);
    await expectRight(TENS);
    await expectSettled(TENS);
  });

  it('that is prepared after a refresh has seen it open is waited for all the same', async () => {
    await create(TENS);
    const [writer, other] = [await db.connect(), await db.connect()];
    await writer.query('begin; insert into numbers values (108, 1)');
    await refresh(db.client, 0, 300);
    await writer.query(`prepare transaction 'tessera_cagg_${db.name}'`);
    await other.query('begin; insert into numbers values (418, 1)');
    await refresh(db.client, 0, 600);
    expect(await settled()).toEqual(['-9223372036854775808 600']);
    const doctor = (): Promise<unknown> =>
      db.query(`select status, hint from tessera.doctor() where check_name = 'continuous aggregates'`);
    expect(await doctor()).toEqual([{ status: 'warning', hint: 'select * from pg_prepared_xacts;' }]);
    await expectRight(TENS);
    await writer.query(`commit prepared 'tessera_cagg_${db.name}'`);
    await other.query('commit');
    await expectRight(TENS);
    await expectSettled(TENS);
  });

  it('that is the first of a statement older than the threshold is logged', async () => {
    await create(TENS);
    const [holder, writer] = [await db.connect(), await db.connect()];
    await holder.query('select pg_advisory_lock(4711)');
    const inserted = writer.query('insert into numbers select 109, 1 from pg_advisory_xact_lock(4711)');
    await blocked(writer);
    await refresh(db.client, 0, 500);
    expect(await settled()).toEqual(['500 500']);
    await holder.query('select pg_advisory_unlock(4711)');
    await inserted;
    expect(await log()).toEqual(['109..109']);
    await expectRight(TENS);
    await expectSettled(TENS);
  });

  it('that COPY brings after the threshold has passed its beginning is logged', async () => {
    await create(TENS);
    const writer = await db.connect();
    const copy = writer.query(copyFrom('copy numbers from stdin'));
    copy.write('901\t1\n');
    await waitUntil('the COPY is under way', () =>
      db.value(`select count(*) > 0 from pg_stat_progress_copy where datname = current_database()`),
    );
    await refresh(db.client, 0, 500);
    copy.end('111\t1\n');
    await finished(copy);
    await expectRight(TENS);
    await expectSettled(TENS);
  });

  it('after a savepoint that was rolled back counts on the threshold of then', async () => {
    await create(TENS);
    const writer = await db.connect();
    await writer.query('begin; savepoint a; insert into numbers values (112, 1); rollback to a');
    await refresh(db.client, 0, 500);
    expect(await settled()).toEqual(['500 500']);
    await writer.query('insert into numbers values (113, 1); commit');
    expect(await log()).toEqual(['113..113']);
    await expectRight(TENS);
    await expectSettled(TENS);
  });

  it('in the transaction that creates a continuous aggregate with data is shown', async () => {
    await create(TENS);
    await db.query(`
      begin;
      insert into numbers values (114, 1);
      select create_continuous_aggregate('fifties', 'select time_bucket(50, t) as bucket, count(*) as n from numbers group by 1');
      insert into numbers values (115, 1);
      commit`);
    const fifties = {
      name: 'fifties',
      direct: 'select time_bucket(50, t) as bucket, count(*) as n from numbers group by 1',
    };
    await expectRight(TENS, fifties);
    await expectSettled(TENS, fifties);
  });

  it('of one long transaction after the other lets the older parts be settled', async () => {
    await create(TENS);
    const [first, second] = [await db.connect(), await db.connect()];
    await first.query('begin; insert into numbers values (116, 1)');
    await refresh(db.client, 0, 300);
    expect(await settled()).toEqual(['-9223372036854775808 300']);
    await second.query('begin; insert into numbers values (417, 1)');
    await first.query('commit');
    await refresh(db.client, 0, 600);
    expect(await settled()).toEqual(['300 600']);
    await expectRight(TENS);
    await second.query('commit');
    await expectRight(TENS);
    await refresh(db.client, 0, 600);
    expect(await settled()).toEqual(['600 600']);
    await expectSettled(TENS);
  });

  it('of which a savepoint was rolled back leaves what stands beside it right', async () => {
    await create(TENS);
    await refresh(db.client, null, null);
    await db.query('begin');
    await db.query('savepoint a');
    await db.query('insert into numbers values (108, 1)');
    await db.query('rollback to a');
    await db.query('insert into numbers values (608, 1)');
    await db.query('savepoint b');
    await db.query('update numbers set t = t + 300 where t = 605');
    await db.query('release b');
    await db.query('commit');
    await expectRight(TENS);
    await expectSettled(TENS);
  });
});

describe('two refreshes at a time', () => {
  it('of windows that overlap materialize no bucket twice', async () => {
    await create(TENS);
    const [one, two] = [await db.connect(), await db.connect()];
    const [a, b] = [await new Steps(one).moveThreshold(0, 600), await new Steps(two).moveThreshold(300, 900)];
    await a.planBatches();
    await b.planBatches();
    await one.query('begin');
    await a.runBatches();
    const second = b.runBatches();
    await blocked(two);
    await expectRight(TENS);
    await one.query('commit');
    await second;
    await expectRight(TENS);
    expect(await db.column('select bucket from tens group by 1 having count(*) > 1')).toEqual([]);
    await expectSettled(TENS);
  });

  it('of one window each return when all of it is right', async () => {
    await create(TENS);
    const [one, two] = [await db.connect(), await db.connect()];
    const a = await (await new Steps(one).moveThreshold(0, 600)).planBatches();
    await one.query('begin');
    await a.runBatches();
    const second = refresh(two, 0, 600);
    await blocked(two);
    await one.query('rollback');
    await second;
    expect(
      await db.value(
        'select count(*)::int from _tessera_catalog.continuous_aggs_materialization_invalidation_log where lowest_modified_value between 0 and 599',
      ),
    ).toBe(0);
    await expectRight(TENS);
    await expectSettled(TENS);
  });

  it('of windows apart do not wait for each other', async () => {
    // Whoever is called "held" waits where it reads the row that is -1.
    await db.query(
      `create or replace function passes(v int) returns boolean language plpgsql immutable as $$
       begin
         if v = -1 and current_setting('application_name') = 'held' then
           perform pg_advisory_xact_lock_shared(4711);
         end if;
         return true;
       end $$`,
    );
    const view = { name: 'tens', direct: TENS.direct.replace('numbers', 'numbers where passes(v)') };
    await create(view);
    await refresh(db.client, null, null); // which makes the chunks of the results
    await db.query('update numbers set v = -v - 2');
    await db.query('update numbers set v = -1 where t = 105');
    const held = await db.connect();
    await held.query(`set application_name = 'held'`);
    await db.query('select pg_advisory_lock(4711)');
    const first = refresh(held, 0, 300);
    await blocked(held);
    await refresh(db.client, 500, 900);
    expect(
      await db.value(
        `select count(*)::int from _tessera_catalog.continuous_aggs_materialization_invalidation_log where lowest_modified_value between 500 and 899`,
      ),
    ).toBe(0);
    await expectRight(view);
    await db.query('select pg_advisory_unlock(4711)');
    await first;
    await expectRight(view);
    await expectSettled(view);
  });
});

describe('an aggregate of another one', () => {
  it('forgets rows that came and went between two refreshes of its parent', async () => {
    await db.query('delete from numbers where t between 300 and 399');
    await create(TENS);
    await create(HUNDREDS);
    await expectSettled(TENS, HUNDREDS);
    await db.query('insert into numbers values (305, 7)');
    await expectRight(TENS, HUNDREDS);
    await refresh(db.client, null, null, 'hundreds');
    await expectRight(TENS, HUNDREDS);
    await db.query('delete from numbers where t = 305');
    await refresh(db.client, null, null, 'tens');
    await expectRight(TENS, HUNDREDS);
    await expectSettled(HUNDREDS);
  });

  it('is right while its parent is refreshed newest first and held up', async () => {
    await create(TENS);
    await create(HUNDREDS);
    await db.query(
      `call refresh_continuous_aggregate('tens', 0, 1000, options => '{"buckets_per_batch": 10, "refresh_newest_first": true, "max_batches_per_execution": 3}')`,
    );
    await refresh(db.client, null, null, 'hundreds');
    await expectRight(TENS, HUNDREDS);
    const session = await db.connect();
    const steps = await (await new Steps(session).moveThreshold(0, 500)).planBatches();
    await session.query('begin');
    await steps.runBatches();
    await db.query('update numbers set v = v + 1 where t < 200');
    await refresh(db.client, null, null, 'hundreds');
    await expectRight(TENS, HUNDREDS);
    await session.query('commit');
    await expectRight(TENS, HUNDREDS);
    await expectSettled(TENS, HUNDREDS);
  });
});

describe('dropping', () => {
  const remains = (): Promise<unknown[]> =>
    db.column(
      `select relname::text from pg_class where relname ~ '^(_materialized_hypertable|_partial_view|_direct_view)' and relkind in ('r', 'p', 'v')
       union all
       select tgname::text from pg_trigger where tgname like 'tessera_capture%'`,
    );

  it('an aggregate waits for a batch of it, and the refresh then says that it is gone', async () => {
    await create(TENS);
    const [one, two] = [await db.connect(), await db.connect()];
    const a = await (await new Steps(one).moveThreshold(0, 600)).planBatches();
    await one.query('begin');
    await a.runBatches();
    const dropped = two.query(`select drop_continuous_aggregate('tens')`);
    await blocked(two);
    await one.query('commit');
    await dropped;
    await expect(a.planBatches()).rejects.toMatchObject({ code: '0A000' });
    expect(await remains()).toEqual([]);
  });

  it('the hypertable waits for a batch, and the refresh then says that the aggregate is gone', async () => {
    await create(TENS);
    await create(HUNDREDS);
    const [one, two] = [await db.connect(), await db.connect()];
    const a = await (await new Steps(one).moveThreshold(0, 600)).planBatches();
    await one.query('begin');
    await a.runBatches();
    const dropped = two.query('drop table numbers cascade');
    await blocked(two);
    await one.query('commit');
    await dropped;
    await expect(a.planBatches()).rejects.toMatchObject({ code: '0A000' });
    expect(await remains()).toEqual([]);
  });

  it('the last aggregate beside a transaction with rows ends with 55P03 or waits, and works after it', async () => {
    await create(TENS);
    const [writer, dropper] = [await db.connect(), await db.connect()];
    await writer.query('begin');
    await writer.query('insert into numbers values (109, 1)');
    expect((await failure(dropper, `select drop_continuous_aggregate('tens')`)).code).toBe('55P03');
    await expectRight(TENS);
    await writer.query('insert into numbers values (209, 1)');
    await writer.query('commit');
    await expectRight(TENS);
    await dropper.query(`select drop_continuous_aggregate('tens')`);
    expect(await remains()).toEqual([]);
    await db.query('insert into numbers values (110, 1)');
  });

  it('one of two aggregates does not wait for writers, whose changes the other one gets', async () => {
    await create(TENS);
    await create({ name: 'others', direct: TENS.direct });
    await refresh(db.client, null, null);
    const writer = await db.connect();
    await writer.query('begin');
    await writer.query('insert into numbers values (111, 1)');
    await db.query(`select drop_continuous_aggregate('others')`);
    await writer.query('commit');
    await expectRight(TENS);
    await expectSettled(TENS);
  });

  it('an aggregate while a writer of an older snapshot goes on leaves the writer its rows', async () => {
    await create(TENS);
    const writer = await db.connect();
    await writer.query('begin isolation level repeatable read');
    await writer.query('select 1');
    await db.query(`select drop_continuous_aggregate('tens')`);
    await writer.query('insert into numbers values (112, 1)');
    await writer.query('commit');
    expect(await db.value('select count(*)::int from numbers where t = 112')).toBe(1);
  });
});

describe('creating', () => {
  it('a second aggregate beside a writer whose snapshot is older loses none of its rows', async () => {
    await create(TENS, ', ignore_invalidation_older_than => 0');
    const writer = await db.connect();
    await writer.query('begin isolation level repeatable read');
    await writer.query('select 1');
    const other = { name: 'others', direct: TENS.direct };
    await create(other);
    await refresh(db.client, null, null, 'others');
    await writer.query('insert into numbers values (113, 1)');
    await writer.query('commit');
    await expectRight(other);
    await expectSettled(other);
  });

  it('an aggregate waits for writers and counts their rows', async () => {
    const [writer, creator] = [await db.connect(), await db.connect()];
    await writer.query('begin');
    await writer.query('insert into numbers values (114, 1)');
    const created = creator.query('select create_continuous_aggregate($1, $2)', [TENS.name, TENS.direct]);
    await blocked(creator);
    await writer.query('commit');
    await created;
    await expectRight(TENS);
    expect(await materializedDifferences(db.client, TENS)).toEqual([]);
  });
});
