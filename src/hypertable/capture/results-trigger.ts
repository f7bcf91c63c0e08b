import type { Hypertable } from '../../catalog/hypertable.ts';
import { maybeOne, run } from '../../engine/spi.ts';
import { qualified, type RelationName } from '../../lib/quote.ts';

/** 'on' while a refresh writes results, or deletes those of rows that are dropped. */
export const OWN_RESULTS_SETTING = 'tessera.own_results';

const isOff = (name: string): string => `pg_catalog.current_setting('${name}', true) is distinct from 'on'`;

/**
 * What somebody else changes among the results of a continuous aggregate counts as stale, so that its view is right
 * nevertheless. Once a statement, since rows would cost refreshes something.
 */
const resultsTriggerDdl = (table: RelationName, events: string): string =>
  `create or replace trigger tessera_results after ${events} on ${qualified(table)}
   for each statement when (${isOff(OWN_RESULTS_SETTING)} and ${isOff('tessera.maintenance')})
   execute function _tessera_functions.results_changed()`;

/** Foreign tables of ours cannot be truncated, and before 16 could have no trigger for it. */
const isForeign = (table: RelationName): boolean =>
  maybeOne(
    `select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2 and c.relkind = 'f'`,
    [table.schema, table.name],
  ) !== undefined;

/** Tables by whose names results can be changed. */
export const watchResults = (tables: readonly RelationName[]): void => {
  for (const table of tables)
    run(resultsTriggerDdl(table, `insert or update or delete${isForeign(table) ? '' : ' or truncate'}`));
};

/** The same for parts of a hypertable, if it holds results. */
export const watchIfResults = (h: Hypertable, tables: readonly RelationName[]): void => {
  if (maybeOne('select from _tessera_catalog.continuous_agg where mat_hypertable_id = $1', [h.id]) !== undefined)
    watchResults(tables);
};
