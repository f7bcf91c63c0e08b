import type pg from 'pg';
import { check, heading, line, sql, table } from './print.ts';

type Row = Record<string, unknown>;

const QUERY = `select time_bucket('1 day', time) as day, round(avg(temperature)::numeric, 1) as mean, max(temperature) as warmest
from normals group by 1`;
const ONE_DAY = `select * from days where day = '2010-02-03'`;
const LATE = `insert into normals values ('2010-02-03 04:05', 1000, 99, 0)`;

/** Days of the hourly normals, for a hypertable that a plain table of the same rows can prove right. */
export const continuousAggregate = async (client: pg.Client): Promise<void> => {
  const show = async (statement: string): Promise<Row[]> => {
    sql(statement);
    return (await client.query(statement)).rows as Row[];
  };
  /** Shows what a query of the view gives, and compares all of the view with its query on the plain table. */
  const ask = async (query: string): Promise<void> => {
    table(await show(query));
    const kept = (await client.query('select * from days order by 1')).rows;
    const computed = (await client.query(`${QUERY.replace('from normals', 'from plain.normals')} order by 1`)).rows;
    if (JSON.stringify(kept) !== JSON.stringify(computed)) {
      line('  DIFFERENT from the plain table');
      process.exit(1);
    }
    check(`all ${kept.length} days`);
  };
  const readsOfRawRows = async (): Promise<void> => {
    const plan = await show('explain (analyze, costs off, timing off, summary off) select * from days');
    const scans = plan
      .map((r) => String(r['QUERY PLAN']).trim())
      .filter((l) => /Scan.* on _hyper_\d+_\d+_chunk normals/.test(l));
    const unread = scans.filter((l) => l.includes('never executed'));
    for (const l of scans.filter((l) => !unread.includes(l))) line(`  ${l}`);
    line(`  … and ${unread.length} of ${scans.length} chunks of raw rows: never executed`);
  };

  heading('9. An answer that is kept, and never out of date');
  await show(`select create_continuous_aggregate('days', $$\n${QUERY}\n$$)`);
  await ask('select * from days order by day limit 3');
  line('  A row comes late, into the past, and the view shows it at once:');
  await show(LATE);
  await client.query(LATE.replace('into normals', 'into plain.normals'));
  await ask(ONE_DAY);
  line(
    '  For that it reads one day of raw rows, looks whether there are any behind the last day, and takes the rest from what is kept:',
  );
  await readsOfRawRows();
  line('  A refresh computes that one day again, by hand or by a policy:');
  await show(`call refresh_continuous_aggregate('days', null, null)`);
  await readsOfRawRows();
  await show(`select add_continuous_aggregate_policy('days', start_offset => null, end_offset => interval '1 hour',
  schedule_interval => interval '1 hour')`);
  await ask(ONE_DAY);
  line('  Half a year of raw rows goes, what was made of them stays:');
  await show(`select alter_continuous_aggregate('days', ignore_invalidation_older_than => interval '1 year')`);
  await show(
    `select drop_chunks('normals', older_than => '2010-07-01'::timestamp, cascade_to_materializations => false)`,
  );
  table(await show('select count(*) as rows, min(time) as oldest from normals'));
  await ask('select count(*) as days, min(day) as oldest from days');
};
