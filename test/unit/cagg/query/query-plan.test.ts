import { describe, expect, test } from 'vitest';
import { analyzeQuery, relationsOf, type QueryFacts } from '../../../../src/cagg/query/query-plan.ts';
import { PgError } from '../../../../src/lib/pg-error.ts';
import { V15, V17, V18 } from './query-trees.ts';
import { SHORT } from './short-trees.ts';

const RAW = 1001;
const OTHER = 1002;
const FACTS: QueryFacts = {
  rawRelid: RAW,
  timeAttno: 1,
  bucketFunctions: new Set(Array.from({ length: 16 }, (_, i) => 2001 + i)),
  table: 'public.raw',
};

const analyze = (tree: string, facts: Partial<QueryFacts> = {}) => analyzeQuery(tree, { ...FACTS, ...facts });

const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (e) {
    if (!(e instanceof PgError)) throw e;
    return `${e.sqlstate} ${e.message}: ${e.detail ?? ''}`;
  }
  return 'accepted';
};

describe.each([
  ['15', V15],
  ['17', V17],
  ['18', V18],
])('a view of PostgreSQL %s', (_, trees) => {
  test('the bucket and the groups are output columns', () => {
    const { bucket, ...rest } = analyze(trees.plain);
    expect(rest).toMatchObject({
      groupResnos: [2],
      hiddenGroups: 0,
      columns: ['bucket', 'd', 'avg'],
      joined: [],
      rawColumns: [1, 2, 3],
      operatorOids: [],
      ioCoercions: [],
      hasSqlValueFunction: false,
    });
    expect([...rest.functionOids].sort()).toEqual([2008, 2105]);
    expect(bucket).toMatchObject({ resno: 1, functionOid: 2008, resultType: 1184, timeTypeIsColumn: true });
    expect(bucket.args.map((a) => [a.position, a.name, a.node.tag])).toEqual([
      [0, null, 'CONST'],
      [1, null, 'VAR'],
    ]);
  });
  test('groups may be hidden and arguments have names', () => {
    const { bucket, groupResnos, hiddenGroups, columns } = analyze(trees.named);
    expect({ groupResnos, hiddenGroups, columns }).toEqual({ groupResnos: [1], hiddenGroups: 1, columns: ['d', 'n'] });
    expect(bucket).toMatchObject({ resno: null, functionOid: 2010 });
    expect(bucket.args.map((a) => [a.position, a.name, a.node.tag])).toEqual([
      [0, null, 'CONST'],
      [1, null, 'VAR'],
      [2, 'timezone', 'CONST'],
      [4, 'offset', 'CONST'],
    ]);
  });
  test('the hypertable is found, and the view itself is not taken for one', () => {
    expect(relationsOf(trees.plain)).toEqual([RAW]);
  });
});

describe('what is accepted', () => {
  test.each([
    ['17', V17.joined],
    ['15', V15.joined],
  ])('an outer join that keeps the rows of the hypertable, in %s', (_, tree) => {
    const analysis = analyze(tree);
    expect(relationsOf(tree)).toEqual([RAW, OTHER]);
    expect(analysis).toMatchObject({
      groupResnos: [2],
      columns: ['b', 'name', 'max'],
      joined: [{ relid: OTHER, relkind: 'r' }],
      rawColumns: [1, 2, 3],
    });
    // = of integers, <> of texts, > of floats in FILTER, > of bigint and integer in HAVING
    expect(analysis.functionOids).toEqual(expect.arrayContaining([65, 157, 297, 2008, 2120, 2803]));
  });
  test('joins of all kinds', () => {
    for (const tree of [SHORT.comma, SHORT.merged, SHORT.aliased, SHORT.preservedRight])
      expect(analyze(tree)).toMatchObject({ bucket: { resno: 1 }, joined: [{ relid: OTHER, relkind: 'r' }] });
    expect(analyze(SHORT.aliased).rawColumns).toEqual([1, 3]);
  });
  test('a bucket that is selected twice, or not at all', () => {
    expect(analyze(SHORT.twoEqual)).toMatchObject({
      bucket: { resno: 1 },
      groupResnos: [],
      columns: ['b', 'b2', 'count'],
    });
    expect(analyze(SHORT.onlyHidden)).toMatchObject({ bucket: { resno: null }, groupResnos: [], hiddenGroups: 0 });
  });
  test('groups without an aggregate', () => {
    expect(analyze(SHORT.noAggregate)).toMatchObject({ bucket: { resno: 1 }, groupResnos: [], columns: ['b'] });
  });
  test('a width that a function makes of constants', () => {
    expect(analyze(SHORT.constantCall).functionOids).toContain(3464);
    expect(analyze(SHORT.constantCall).bucketCalls.functionOids).toContain(3464);
  });
  test('a time column whose type is relabelled', () => {
    const { bucket } = analyze(SHORT.relabel, { rawRelid: 1003, timeAttno: 3, bucketFunctions: new Set([2099]) });
    expect(bucket).toMatchObject({ resno: 1, timeTypeIsColumn: false });
  });
  test('names of columns that look like parts of a tree', () => {
    expect(analyze(V17.odd).columns).toEqual(['a:', ':b', '<>', '12', '(x {\\', '"q', 'a\tb[ ]']);
  });
});

describe('what is executed', () => {
  test('functions, operators, casts through text and values of the session', () => {
    const { functionOids, operatorOids, ioCoercions, hasSqlValueFunction } = analyze(V17.calls);
    expect([...functionOids].sort((a, b) => a - b)).toEqual([65, 2008, 2050, 2122]);
    expect(operatorOids).toEqual([97]);
    expect(ioCoercions).toEqual([[23, 25]]);
    expect(hasSqlValueFunction).toBe(true);
  });
  test('an operator without its function is given by itself', () => {
    const tree = V17.calls.replaceAll(/:opfuncid \d+/g, ':opfuncid 0');
    expect([...analyze(tree).operatorOids].sort()).toEqual([96, 97]);
  });
  test('whole rows and system columns of the hypertable show among its columns', () => {
    expect(analyze(SHORT.whole).rawColumns).toEqual([-6, 0, 1]);
  });
});

describe('what is refused', () => {
  const FIXED: Readonly<Partial<Record<keyof typeof SHORT, string>>> = {
    withClause: 'WITH is not supported.',
    union: 'UNION, INTERSECT and EXCEPT are not supported.',
    window: 'Window functions are not supported.',
    distinct: 'SELECT DISTINCT is not supported.',
    distinctOn: 'SELECT DISTINCT ON is not supported.',
    order: 'ORDER BY is not supported.',
    limit: 'LIMIT and OFFSET are not supported.',
    offset: 'LIMIT and OFFSET are not supported.',
    locking: 'FOR UPDATE and FOR SHARE are not supported.',
    rollup: 'GROUPING SETS, ROLLUP and CUBE are not supported.',
    sets: 'Functions that return sets are not supported in the select list.',
    subquery: 'Subqueries are not supported.',
    inSubquery: 'Subqueries are not supported.',
    fromSubquery: 'A subquery (or VALUES) in FROM is not supported.',
    fromFunction: 'A function in FROM is not supported.',
    fromLateral: 'A subquery (or VALUES) in FROM is not supported.',
    fromValues: 'A subquery (or VALUES) in FROM is not supported.',
    sample: 'TABLESAMPLE is not supported.',
    full: 'FULL JOIN is not supported.',
    noGroup: 'The query has no GROUP BY.',
  };
  test.each(Object.entries(FIXED))('%s, whatever the hypertable is', (name, detail) => {
    const tree = SHORT[name as keyof typeof SHORT];
    expect(refusal(() => relationsOf(tree))).toBe(`0A000 invalid continuous aggregate query: ${detail}`);
    expect(refusal(() => analyze(tree))).toBe(`0A000 invalid continuous aggregate query: ${detail}`);
  });
  const OF_TABLE: Readonly<Partial<Record<keyof typeof SHORT, string>>> = {
    noFrom: 'The query reads "public.raw" more than once.',
    only: 'FROM ONLY is not supported for "public.raw".',
    nullable: '"public.raw" is on the side of an outer join that is filled up with nulls.',
    nullableRight: '"public.raw" is on the side of an outer join that is filled up with nulls.',
    noBucket: 'There is no valid time_bucket call in GROUP BY.',
    nested: 'There is no valid time_bucket call in GROUP BY.',
    several: 'GROUP BY has more than one time_bucket call.',
    severalNested: 'GROUP BY has more than one time_bucket call.',
    otherColumn: 'The second argument of time_bucket is not the time column of "public.raw".',
    otherType: 'The second argument of time_bucket is not the time column of "public.raw".',
    computed: 'The second argument of time_bucket is not the time column of "public.raw".',
    twofold: 'The second argument of time_bucket is not the time column of "public.raw".',
    varWidth: 'The width of time_bucket is not a constant.',
    varOffset: 'The offset of time_bucket is not a constant.',
  };
  test.each(Object.entries(OF_TABLE))('%s', (name, detail) => {
    const tree = SHORT[name as keyof typeof SHORT];
    expect(relationsOf(tree)).toContain(RAW);
    expect(refusal(() => analyze(tree))).toBe(`0A000 invalid continuous aggregate query: ${detail}`);
  });
  test('each fixture is used', () => {
    const accepted = [
      'noAggregate',
      'comma',
      'merged',
      'aliased',
      'preservedRight',
      'twoEqual',
      'onlyHidden',
      'constantCall',
    ];
    const used = [...Object.keys(FIXED), ...Object.keys(OF_TABLE), ...accepted, 'relabel', 'whole'];
    expect(used.sort()).toEqual(Object.keys(SHORT).sort());
  });
  test('several buckets behind the grouping step of 18', () => {
    expect(refusal(() => analyze(V18.several))).toContain('GROUP BY has more than one time_bucket call.');
  });
  test('a query over something else', () => {
    expect(refusal(() => analyze(SHORT.comma, { rawRelid: 9 }))).toContain('The query does not read "public.raw".');
  });
  test('hints name the time column as the query has it', () => {
    expect(() => analyze(SHORT.noBucket)).toThrow(
      expect.objectContaining({ hint: `Group by time_bucket('1 day', "t"), for example.` }),
    );
  });
  test('a statement that is no SELECT', () => {
    const tree = V17.plain.replace(':commandType 1', ':commandType 3');
    expect(refusal(() => relationsOf(tree))).toContain('The query is not a SELECT.');
  });
});
