import { hypertableOid } from '../../catalog/hypertable.ts';
import { query } from '../../engine/spi.ts';
import { findRelation, openHypertable, type OpenHypertable, type Relation } from '../../hypertable/index.ts';
import { timeTypeOf, type TimeType } from '../../lib/internal-time.ts';
import { displayed, type RelationName } from '../../lib/quote.ts';
import { notCagg, notCaggOwner, nullCagg } from './failures.ts';

interface CaggRow {
  /** Of the materialization hypertable. */
  readonly id: number;
  readonly rawId: number;
  readonly parentId: number | null;
  readonly userView: bigint;
  readonly partialView: bigint;
  readonly directView: bigint;
  readonly materializedOnly: boolean;
  readonly refreshLag: bigint | null;
  readonly maxInterval: bigint | null;
  readonly ignoreOlderThan: bigint;
  readonly period: bigint;
  readonly phase: bigint;
  readonly fixedWidth: boolean;
  readonly watermark: bigint;
  readonly owner: string;
  /** The current role may act as the owner. */
  readonly owned: boolean;
  /** The current role is the owner. */
  readonly runByOwner: boolean;
  readonly schema: string;
  readonly name: string;
  readonly matSchema: string;
  readonly matName: string;
  readonly matOid: bigint;
  readonly matInterval: bigint;
  /** Column of the materialization hypertable that holds the start of the bucket. */
  readonly bucketColumn: string;
  /** What the query names: the raw hypertable, or the view of the parent. */
  readonly sourceOid: bigint;
  readonly sourceSchema: string;
  readonly sourceName: string;
  /** Time column of the source. */
  readonly timeColumn: string;
  /** As format_type() names it. */
  readonly timeTypeName: string;
  readonly rawSchema: string;
  readonly rawName: string;
  /** The current role may read the raw hypertable itself. */
  readonly rawReadable: boolean;
  /** The schema of all that is internal, in which the owner may create. */
  readonly place: string;
}

/** A continuous aggregate with what its statements need of the tables it reads and writes. */
export interface Cagg extends CaggRow {
  readonly view: RelationName;
  readonly mat: RelationName;
  readonly raw: RelationName;
  readonly source: RelationName & { readonly oid: bigint };
  readonly timeType: TimeType;
}

// A refresh asks for this at each of its steps, so it is one query.
const SELECT = `select a.mat_hypertable_id as id, a.raw_hypertable_id as "rawId", a.parent_mat_hypertable_id as "parentId",
    a.user_view::oid::int8 as "userView", a.partial_view::oid::int8 as "partialView", a.direct_view::oid::int8 as "directView",
    a.materialized_only as "materializedOnly", a.refresh_lag as "refreshLag", a.max_interval_per_job as "maxInterval",
    a.ignore_invalidation_older_than as "ignoreOlderThan", b.bucket_period as period, b.bucket_phase as phase,
    b.bucket_fixed_width as "fixedWidth", w.watermark, pg_get_userbyid(v.relowner)::text as owner,
    pg_has_role(current_user, v.relowner, 'USAGE') as owned, current_user = pg_get_userbyid(v.relowner) as "runByOwner", vn.nspname as schema, v.relname as name,
    mn.nspname as "matSchema", m.relname as "matName", m.oid::int8 as "matOid", d.interval_length as "matInterval",
    d.column_name as "bucketColumn", s.oid::int8 as "sourceOid", sn.nspname as "sourceSchema", s.relname as "sourceName",
    sa.attname as "timeColumn", format_type(sa.atttypid, null) as "timeTypeName",
    rn.nspname as "rawSchema", rc.relname as "rawName", has_table_privilege(rc.oid, 'select') as "rawReadable", h.associated_schema_name as place
  from _tessera_catalog.continuous_agg a
  join _tessera_catalog.continuous_aggs_bucket_function b on b.mat_hypertable_id = a.mat_hypertable_id
  join _tessera_catalog.continuous_aggs_watermark w on w.mat_hypertable_id = a.mat_hypertable_id
  join _tessera_catalog.hypertable h on h.id = a.mat_hypertable_id
  join _tessera_catalog.dimension d on d.hypertable_id = h.id and d.interval_length is not null
  join _tessera_catalog.hypertable r on r.id = a.raw_hypertable_id
  join _tessera_catalog.dimension rd on rd.hypertable_id = r.id and rd.interval_length is not null
  join pg_class v on v.oid = a.user_view join pg_namespace vn on vn.oid = v.relnamespace
  join pg_class m on m.oid = h.relid join pg_namespace mn on mn.oid = m.relnamespace
  join pg_class rc on rc.oid = r.relid join pg_namespace rn on rn.oid = rc.relnamespace
  left join _tessera_catalog.continuous_agg p on p.mat_hypertable_id = a.parent_mat_hypertable_id
  join pg_class s on s.oid = coalesce(p.user_view, r.relid) join pg_namespace sn on sn.oid = s.relnamespace
  join pg_attribute ra on ra.attrelid = r.relid and ra.attname = rd.column_name
  -- The columns of a view of ours stand in the order of those of its results, under names of their own.
  join pg_attribute sa on sa.attrelid = s.oid and sa.attnum = ra.attnum`;

const complete = (row: CaggRow): Cagg => {
  const timeType = timeTypeOf(row.timeTypeName);
  if (timeType === undefined) throw new Error(`continuous aggregate ${row.id} has no time`);
  return {
    ...row,
    timeType,
    view: { schema: row.schema, name: row.name },
    mat: { schema: row.matSchema, name: row.matName },
    raw: { schema: row.rawSchema, name: row.rawName },
    source: { oid: row.sourceOid, schema: row.sourceSchema, name: row.sourceName },
  };
};

const find = (condition: string, value: bigint | number): Cagg | undefined =>
  query<CaggRow>(`${SELECT} where ${condition}`, [value]).map(complete)[0];

export const findCagg = (view: bigint): Cagg | undefined => find('a.user_view = $1::int8::oid', view);
export const findCaggById = (id: number): Cagg | undefined => find('a.mat_hypertable_id = $1', id);

/** Continuous aggregates that read a hypertable, by their id. */
export const caggsOf = (rawId: number): Cagg[] =>
  query<CaggRow>(`${SELECT} where a.raw_hypertable_id = $1 order by a.mat_hypertable_id`, [rawId]).map(complete);

const nameOf = (oid: bigint): string => {
  const relation: Relation | undefined = findRelation(oid);
  return relation === undefined ? `relation with OID ${oid}` : displayed(relation);
};

/** The continuous aggregate behind an OID given by the user; 0A000 when it is none. */
const openCagg = (oid: bigint | null): Cagg => {
  if (oid === null) throw nullCagg();
  const found = findCagg(oid);
  if (found === undefined) throw notCagg(nameOf(oid));
  return found;
};

/** For an operation that only the owner may do. */
export const owned = (cagg: Cagg): Cagg => {
  if (!cagg.owned) throw notCaggOwner(displayed(cagg.view));
  return cagg;
};

export const openOwnCagg = (oid: bigint | null): Cagg => owned(openCagg(oid));

const hypertableById = (id: number): OpenHypertable => {
  const oid = hypertableOid(id);
  if (oid === undefined) throw new Error(`hypertable ${id} does not exist`);
  return openHypertable(oid);
};

export const rawHypertable = (cagg: Cagg): OpenHypertable => hypertableById(cagg.rawId);
export const matHypertable = (cagg: Cagg): OpenHypertable => hypertableById(cagg.id);
