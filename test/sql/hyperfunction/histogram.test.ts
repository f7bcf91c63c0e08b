import { describe, expect, it } from 'vitest';
import { failure, useDatabase } from '../../harness/database.ts';

const db = useDatabase();

const histogram = (values: string, bounds: string): Promise<unknown> =>
  db.value(`select histogram(x, ${bounds}) from unnest(array[${values}]::float8[]) as x`);

describe('histogram', () => {
  it('counts below, between and from the upper bound on', async () => {
    expect(await histogram('-1, 0, 9.9, 10', '0, 10, 5')).toEqual([1, 1, 0, 0, 0, 1, 1]);
    expect(await histogram(`'-infinity', 'infinity', 5`, '0, 10, 1')).toEqual([1, 1, 1]);
    expect(await histogram('-5, -4.9, -0.1', '-5, 0, 2')).toEqual([0, 2, 1, 0]);
  });

  it('skips NULL and is NULL for no value', async () => {
    expect(await histogram('null, 1, null', '0, 10, 2')).toEqual([0, 1, 0, 0]);
    expect(await histogram('null', '0, 10, 2')).toBeNull();
    expect(await histogram('', '0, 10, 2')).toBeNull();
  });

  it.each([
    ['1', '10, 0, 5', '22023'],
    ['1', '0, 10, 0', '22023'],
    ['1', '0, 10, -3', '22023'],
    ['1', '0, 10, 2147483647', '22023'],
    ['1', 'null, 10, 5', '22004'],
    ['1', '0, null, 5', '22004'],
    ['1', '0, 10, null', '22004'],
    ['1, 1', '0, 10, (random() * 0)::int + (x + 4)::int', null],
    ['1, 2', '0, 10, (x + 4)::int', '22023'],
    ['11, 1', 'x - 5, null, 5', '22004'],
    [`'NaN'`, '0, 10, 5', '2201G'],
    ['5', `5, 'NaN', 5`, '2201G'],
  ])('of %s with bounds %s gives %s', async (values, bounds, code) => {
    if (code === null) expect(await histogram(values, bounds)).toEqual([0, 2, 0, 0, 0, 0, 0]);
    else
      expect(
        await db.error(`select histogram(x, ${bounds}) from unnest(array[${values}]::float8[]) as x`),
      ).toMatchObject({ code });
  });

  it('gives the same counts in parallel, by group and with FILTER', async () => {
    await db.query(`
      create table h as select i % 3 as g, (i * 7919 % 10007)::float8 as x from generate_series(1, 30000) as i; analyze h;
      set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0`);
    const call = 'select g, histogram(x, 100, 9000, 7) filter (where x <> 5000) as counts from h group by g order by g';
    expect((await db.column(`explain (costs off) ${call}`)).join('\n')).toContain('Partial');
    const parallel = await db.query(call);
    await db.query('set max_parallel_workers_per_gather = 0');
    expect(parallel).toEqual(
      await db.query(`
        select g, array(
          select count(x) filter (where x <> 5000 and width_bucket(x, 100, 9000, 7) = slot)::int
          from h as inside cross join generate_series(0, 8) as slot where inside.g = h.g group by slot order by slot) as counts
        from h group by g order by g`),
    );
  });

  it('can be called by a role without any grant, and twice in a query', async () => {
    const reader = await db.connect(await db.role('reader'));
    const { rows } = await reader.query(
      'select histogram(x, 0, 4, 2) as a, histogram(-x, -4, 0, 1) as b from generate_series(0, 3) as x',
    );
    expect(rows).toEqual([{ a: [0, 2, 2, 0], b: [0, 3, 1] }]);
    expect(await failure(reader, 'select histogram(1, 2, 1, 1)')).toMatchObject({ code: '22023' });
  });
});
