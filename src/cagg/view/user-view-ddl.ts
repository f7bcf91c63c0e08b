import type { TimeType } from '../../lib/internal-time.ts';
import { ident, qualified, type RelationName } from '../../lib/quote.ts';

export interface UserView {
  /** Of the materialization hypertable. */
  readonly id: number;
  readonly mat: RelationName;
  /** By their names in the view and in the materialization hypertable, in order. */
  readonly columns: readonly { readonly view: string; readonly mat: string }[];
  readonly bucketColumn: string;
  readonly timeType: TimeType;
  /** The query over raw rows from `first` to `last`, two columns that this file names. */
  readonly rawQuery: string;
}

/** Names under which the raw query finds the range it is asked for. */
export const STALE = { first: 'tessera_stale.first', last: 'tessera_stale.last' } as const;

const MULTIRANGES: Readonly<Record<TimeType, string>> = {
  timestamptz: 'tstzmultirange',
  timestamp: 'tsmultirange',
  date: 'datemultirange',
  // There are no ranges of smallint.
  int2: 'int4multirange',
  int4: 'int4multirange',
  int8: 'int8multirange',
};

const materialized = (v: UserView): string =>
  `select ${v.columns.map((c) => `m.${ident(c.mat)} as ${ident(c.view)}`).join(', ')} from ${qualified(v.mat)} m`;

/**
 * What answers queries. With `materializedOnly` what is materialized, else that where it is right and the raw rows where
 * it is not. Below stale_from() a comparison of the bucket is all a row costs; sub-selects are evaluated once a query.
 */
export const userViewQuery = (v: UserView, materializedOnly: boolean): string => {
  // With two things in FROM it cannot be written to; the second one costs nothing.
  if (materializedOnly) return `${materialized(v)}, (select) tessera_once`;
  const bucket = `m.${ident(v.bucketColumn)}`;
  const element = v.timeType === 'int2' ? `${bucket}::pg_catalog.int4` : bucket;
  // TimeType has the names PostgreSQL's own catalog has.
  const sample = `null::pg_catalog.${v.timeType}`;
  return `${materialized(v)}
where ${bucket} < (select _tessera_functions.stale_from(${v.id}, ${sample}))
  or not ((select _tessera_functions.stale_multirange(${v.id}, null::pg_catalog.${MULTIRANGES[v.timeType]})) @> ${element})
union all
select ${v.columns.map((c) => `tessera_raw.${ident(c.mat)}`).join(', ')}
from _tessera_functions.stale_ranges(${v.id}, ${sample}) tessera_stale,
lateral (${v.rawQuery}) tessera_raw`;
};

export const createUserView = (view: RelationName, v: UserView, materializedOnly: boolean): string =>
  `create view ${qualified(view)} as ${userViewQuery(v, materializedOnly)}`;

/** Keeps the view, with what depends on it and who may read it. */
export const replaceUserView = (
  view: RelationName,
  v: UserView,
  materializedOnly: boolean,
  options: readonly string[] | null,
): string =>
  `create or replace view ${qualified(view)}${options === null || options.length === 0 ? '' : ` with (${options.join(', ')})`} as ${userViewQuery(v, materializedOnly)}`;
