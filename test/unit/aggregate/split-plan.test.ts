import { expect, test } from 'vitest';
import { splitQuery, wholeParts, type NamedCall, type Replacement } from '../../../src/aggregate/split-plan.ts';

const tables: Replacement[] = [
  {
    table: { schema: 'public', name: 'd' },
    parts: [
      { schema: 'p', name: 'd_1' },
      { schema: 'p', name: 'd_2' },
    ],
  },
];
const INT4 = 23;
const call = (name: string, more: Partial<NamedCall> = {}): NamedCall => ({
  oid: 1,
  name,
  origin: 'postgres',
  argumentTypes: [INT4],
  distinct: false,
  ordered: false,
  ...more,
});
const column = (name: string, type = 'integer') => ({ name, type });
const flat = (sql: string): string => sql.replace(/\s+/g, ' ');

test('each part groups its rows, and what comes of that is grouped once more', () => {
  const split = splitQuery(
    'SELECT b,\n    max(v) AS top\n   FROM public.d\n  WHERE (v > 3)\n  GROUP BY b\n HAVING (min(v) < 9)',
    [call('max'), call('min')],
    [column('b', 'boolean'), column('top')],
    tables,
  );
  const arm = (part: string): string =>
    `select b as tessera_1, pg_catalog.max(v) as tessera_2, pg_catalog.min(v) as tessera_3 from "p"."${part}" AS d where (v > 3) group by b having pg_catalog.sign(pg_catalog.count(*)::pg_catalog.float8) operator(pg_catalog.=) 1::pg_catalog.float8`;
  expect(flat(split.text)).toBe(
    `select (tessera_parts.tessera_1)::boolean as "b", (pg_catalog.max(tessera_parts.tessera_2))::integer as "top" from ( ${arm('d_1')} union all ${arm('d_2')} ) tessera_parts group by tessera_parts.tessera_1 having (pg_catalog.min(tessera_parts.tessera_3) < 9)`,
  );
  expect(split.distinct).toMatch(/^select distinct /);
});

test('what is grouped by is found as a whole expression only, and where it is the name of something else not at all', () => {
  const { text } = splitQuery(
    `SELECT (date_trunc('day'::text, t)) AS day,\n date_trunc('day'::text, t) + b.b::interval AS "b", count(*) AS c FROM public.d GROUP BY (date_trunc('day'::text, t)), b`,
    [call('count', { argumentTypes: [] })],
    [column('day', 'timestamptz'), column('b', 'timestamptz'), column('c', 'bigint')],
    tables,
  );
  expect(text).toContain('((tessera_parts.tessera_1))::timestamptz as "day"');
  expect(text).toContain('(tessera_parts.tessera_1 + b.b::interval)::timestamptz as "b"');
});

test('a condition of FILTER, and strings that look like calls, stay with the part', () => {
  const { text, distinct } = splitQuery(
    `SELECT sum(v) FILTER (WHERE (s = 'count(*) FROM x'::text)) AS s, 'sum(v)'::text AS t FROM public.d`,
    [call('sum')],
    [column('s', 'bigint'), column('t', 'text')],
    tables,
  );
  expect(text).toContain(`pg_catalog.sum(v) filter (where ((s = 'count(*) FROM x'::text))) as tessera_1`);
  expect(text).toContain(`('sum(v)'::text)::text as "t"`);
  expect(distinct).not.toBeNull();
});

test('a part that is used twice is computed once', () => {
  const { text } = splitQuery(
    'SELECT avg(v) AS a, sum(v) AS s, count(v) AS c FROM public.d',
    [call('avg'), call('sum'), call('count')],
    [column('a', 'numeric'), column('s', 'bigint'), column('c', 'bigint')],
    tables,
  );
  const [arm] = text.split('union all');
  expect(arm?.match(/tessera_\d+(?=,|\n)/g)).toEqual(['tessera_1', 'tessera_2']);
});

test('a query whose groups are whole in every part is the union of all', () => {
  expect(wholeParts('SELECT k, count(*) AS c FROM public.d x GROUP BY k', tables)).toBe(
    'SELECT k, count(*) AS c FROM "p"."d_1" x GROUP BY k\nunion all\nSELECT k, count(*) AS c FROM "p"."d_2" x GROUP BY k',
  );
});
