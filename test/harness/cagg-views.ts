import type pg from 'pg';

/** A continuous aggregate, and what its view must give at every moment. */
export interface AuditedView {
  readonly name: string;
  /** The same query without anything materialized. */
  readonly direct: string;
}

export interface Difference {
  readonly row: string;
  /** How many more of it the view has; negative where it lacks them. */
  readonly surplus: bigint;
}

/** Rows that the view and the direct query do not share, compared in one statement and so in one snapshot. */
export const viewDifferences = async (client: pg.Client, v: AuditedView, prepared = false): Promise<Difference[]> => {
  const text = `select d.row, sum(d.n)::int8 as surplus
    from (select v::text as row, 1 as n from ${v.name} v union all select q::text, -1 from (${v.direct}) q) d
    group by 1 having sum(d.n) <> 0 order by 1`;
  const result = await client.query<Difference>(prepared ? { name: `audit_${v.name}`, text } : { text });
  return result.rows;
};

/** The same by two statements; they share a snapshot in a REPEATABLE READ transaction only. */
export const contentDifferences = async (client: pg.Client, v: AuditedView): Promise<Difference[]> => {
  const surplus = new Map<string, bigint>();
  const add = async (sql: string, n: bigint): Promise<void> => {
    const { rows } = await client.query<{ row: string }>(`select x::text as row from (${sql}) x`);
    for (const { row } of rows) surplus.set(row, (surplus.get(row) ?? 0n) + n);
  };
  await add(`select * from ${v.name}`, 1n);
  await add(v.direct, -1n);
  return [...surplus].filter(([, n]) => n !== 0n).map(([row, n]) => ({ row, surplus: n }));
};

/** What is logged as stale, for the message of a failed comparison. */
export const staleLogs = async (client: pg.Client): Promise<unknown> => {
  const { rows } = await client.query(
    `select 'raw' as log, hypertable_id as id, lowest_modified_value as low, greatest_modified_value as high
     from _tessera_catalog.continuous_aggs_hypertable_invalidation_log
     union all
     select 'cagg', materialization_id, lowest_modified_value, greatest_modified_value
     from _tessera_catalog.continuous_aggs_materialization_invalidation_log
     union all
     select 'threshold', hypertable_id, watermark, null from _tessera_catalog.continuous_aggs_invalidation_threshold
     union all
     select 'watermark', mat_hypertable_id, watermark, null from _tessera_catalog.continuous_aggs_watermark
     order by 1, 2, 3`,
  );
  return rows.map((r) => Object.values(r).join(' '));
};

/** Leaves the view with what is materialized alone, and tells what of it differs from the direct query. */
export const materializedDifferences = async (client: pg.Client, v: AuditedView): Promise<Difference[]> => {
  await client.query(`select alter_continuous_aggregate('${v.name}', materialized_only => true)`);
  const differences = await viewDifferences(client, v);
  await client.query(`select alter_continuous_aggregate('${v.name}', materialized_only => false)`);
  return differences;
};
