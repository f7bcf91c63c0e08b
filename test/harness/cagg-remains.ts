import type { Database } from './database.ts';

const COUNTS = [
  'select count(*)::int from _tessera_catalog.continuous_agg',
  'select count(*)::int from _tessera_catalog.continuous_aggs_invalidation_threshold',
  'select count(*)::int from _tessera_catalog.continuous_aggs_hypertable_invalidation_log',
  'select count(*)::int from _tessera_catalog.continuous_aggs_materialization_invalidation_log',
  'select count(*)::int from _tessera_catalog.continuous_aggs_watermark',
  'select count(*)::int from _tessera_catalog.continuous_aggs_bucket_function',
  `select count(*)::int from _tessera_catalog.bgw_job where proc_name = 'policy_refresh_continuous_aggregate'`,
  `select count(*)::int from _tessera_catalog.hypertable where table_name like '%materialized%'`,
  `select count(*)::int from pg_class where relnamespace = '_tessera_internal'::regnamespace and relname ~ 'materialized|_view_'`,
  `select count(*)::int from pg_trigger where tgname like 'tessera_capture%'`,
];

/** How much there is of each thing that continuous aggregates have in a database. */
export const remains = async (db: Database): Promise<number[]> => {
  const all: number[] = [];
  for (const sql of COUNTS) all.push(await db.value(sql));
  return all;
};

/** What remains() gives without continuous aggregates. */
export const NOTHING = COUNTS.map(() => 0);
