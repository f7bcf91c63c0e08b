import { expect, it } from 'vitest';
import { createUserView, STALE, userViewQuery, type UserView } from '../../../../src/cagg/view/user-view-ddl.ts';

const view: UserView = {
  id: 7,
  mat: { schema: '_tessera_internal', name: '_materialized_hypertable_7' },
  columns: [
    { view: 'day', mat: 'bucket' },
    { view: 'a "b"', mat: 'n' },
  ],
  bucketColumn: 'bucket',
  timeType: 'int2',
  rawQuery: `select 1 from t where t >= ${STALE.first} and t <= ${STALE.last}`,
};

it('a view of the results alone reads nothing else', () => {
  expect(userViewQuery(view, true)).toBe(
    'select m."bucket" as "day", m."n" as "a ""b""" from "_tessera_internal"."_materialized_hypertable_7" m, (select) tessera_once',
  );
});

it('a view of results and raw rows asks what is stale once for each, in the type of the time', () => {
  const sql = createUserView({ schema: 'public', name: 'Daily' }, view, false);
  expect(sql).toMatch(/^create view "public"."Daily" as select/);
  expect(sql.match(/stale_from\(7, null::pg_catalog.int2\)/g)).toHaveLength(1);
  expect(sql.match(/stale_ranges\(7, null::pg_catalog.int2\)/g)).toHaveLength(1);
  // There are no ranges of smallint.
  expect(sql).toContain('stale_multirange(7, null::pg_catalog.int4multirange)) @> m."bucket"::pg_catalog.int4');
  expect(sql).toContain('union all');
});
