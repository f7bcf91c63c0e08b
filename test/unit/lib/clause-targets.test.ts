import { describe, expect, test } from 'vitest';
import { clauseTargets } from '../../../src/lib/clause-targets.ts';

const found = (text: string): string[] => clauseTargets(text).map((t) => `${t.clause} ${t.table}`);

describe('clauses that foreign tables leave out', () => {
  test('finds the table that is sampled, whatever it is called in the statement', () => {
    for (const item of ['t', 't x', 't as x', 't * as x', 'only t', 't as "from" (a, b)', '( t'])
      expect([item, found(`select * from ${item} tablesample bernoulli (1)`).at(-1)]).toEqual([item, 'TABLESAMPLE t']);
    expect(found('select * from s . "T" a tablesample system (1) repeatable (2)')).toEqual(['TABLESAMPLE s."T"']);
  });

  test('finds each item of FROM, in subqueries too', () => {
    expect(
      found(
        'delete from a using b tablesample system (1), (select * from c, d tablesample bernoulli (1)) x where true',
      ),
    ).toEqual(['TABLESAMPLE b', 'TABLESAMPLE d']);
    expect(found('select from a join b tablesample system (1) on true join c on true')).toEqual(['TABLESAMPLE b']);
  });

  test('finds tables that are read or changed by themselves, and no others', () => {
    expect(found('select from only a, only (b) join only c on true')).toEqual(['ONLY a', 'ONLY b', 'ONLY c']);
    expect(found('update only a set b = 1; delete from only a using only b; table only c')).toEqual([
      'ONLY a',
      'ONLY a',
      'ONLY b',
      'ONLY c',
    ]);
    expect(found('alter table only a add b int; lock table only a; create index on only a (b)')).toEqual([]);
    expect(found('select from a fetch first 1 row only for update')).toEqual([]);
  });

  test('does not take strings, names and comments for clauses', () => {
    expect(
      found(`select 'from t tablesample x', "tablesample", $$ from only t $$ from t -- tablesample system (1)
        /* from only t */`),
    ).toEqual([]);
  });
});
