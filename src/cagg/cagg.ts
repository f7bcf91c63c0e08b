import { findHypertableById } from '../catalog/hypertable.ts';
import { currentUser } from '../engine/session.ts';
import { maybeOne, query } from '../engine/spi.ts';
import { findRelation, timeDimension, type OpenHypertable, type Relation } from '../hypertable/index.ts';
import type { TimeType } from '../lib/internal-time.ts';
import { displayed, type RelationName } from '../lib/quote.ts';
import { notCagg, notCaggOwner, nullCagg } from './failures.ts';

interface CaggRow {
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
  readonly fixedWidth: boolean;
  readonly watermark: bigint;
}

/** A continuous aggregate with the tables it reads and writes. */
export interface Cagg extends CaggRow {
  readonly view: Relation;
  readonly mat: OpenHypertable;
  readonly raw: OpenHypertable;
  /** What its query names: the raw hypertable, or the view of its parent. */
  readonly source: Relation;
  readonly timeColumn: string;
  readonly timeType: TimeType;
  /** Column of the materialization hypertable that holds the start of the bucket. */
  readonly bucketColumn: string;
}

const COLUMNS = `a.mat_hypertable_id as id, a.raw_hypertable_id as "rawId", a.parent_mat_hypertable_id as "parentId",
  a.user_view::oid::int8 as "userView", a.partial_view::oid::int8 as "partialView", a.direct_view::oid::int8 as "directView",
  a.materialized_only as "materializedOnly", a.refresh_lag as "refreshLag", a.max_interval_per_job as "maxInterval",
  a.ignore_invalidation_older_than as "ignoreOlderThan", b.bucket_period as period, b.bucket_fixed_width as "fixedWidth",
  w.watermark`;
const FROM = `from _tessera_catalog.continuous_agg a
  join _tessera_catalog.continuous_aggs_bucket_function b on b.mat_hypertable_id = a.mat_hypertable_id
  join _tessera_catalog.continuous_aggs_watermark w on w.mat_hypertable_id = a.mat_hypertable_id`;

/** A hypertable by its id; that of a catalog row always exists. */
export const hypertableById = (id: number): OpenHypertable => {
  const hypertable = findHypertableById(id);
  const oid = maybeOne<{ oid: bigint }>(
    'select relid::oid::int8 as oid from _tessera_catalog.hypertable where id = $1',
    [id],
  )?.oid;
  const root = oid === undefined ? undefined : findRelation(oid);
  if (hypertable === undefined || root === undefined) throw new Error(`hypertable ${id} does not exist`);
  return { hypertable, root };
};

const complete = (row: CaggRow | undefined): Cagg | undefined => {
  if (row === undefined) return undefined;
  const view = findRelation(row.userView);
  if (view === undefined) return undefined;
  const mat = hypertableById(row.id);
  const raw = hypertableById(row.rawId);
  const parent =
    row.parentId === null
      ? undefined
      : maybeOne<{ oid: bigint }>(
          'select user_view::oid::int8 as oid from _tessera_catalog.continuous_agg where mat_hypertable_id = $1',
          [row.parentId],
        );
  const source = parent === undefined ? raw.root : findRelation(parent.oid);
  if (source === undefined) return undefined;
  const time = timeDimension(raw.hypertable);
  const timeColumn = parent === undefined ? time.column_name : viewColumnOf(row.parentId as number, source.oid);
  return {
    ...row,
    view,
    mat,
    raw,
    source,
    timeColumn,
    timeType: time.type,
    bucketColumn: timeDimension(mat.hypertable).column_name,
  };
};

/** The columns of the user's view stand in the order of those of the materialization hypertable, under names of their own. */
const viewColumnOf = (matId: number, view: bigint): string => {
  const row = maybeOne<{ name: string }>(
    `select v.attname as name from _tessera_catalog.hypertable h
     join _tessera_catalog.dimension d on d.hypertable_id = h.id and d.interval_length is not null
     join pg_attribute m on m.attrelid = h.relid and m.attname = d.column_name
     join pg_attribute v on v.attrelid = $2::int8::oid and v.attnum = m.attnum
     where h.id = $1`,
    [matId, view],
  );
  if (row === undefined) throw new Error(`continuous aggregate ${matId} does not show its bucket`);
  return row.name;
};

export const findCagg = (view: bigint): Cagg | undefined =>
  complete(maybeOne<CaggRow>(`select ${COLUMNS} ${FROM} where a.user_view = $1::int8::oid`, [view]));

export const findCaggById = (id: number): Cagg | undefined =>
  complete(maybeOne<CaggRow>(`select ${COLUMNS} ${FROM} where a.mat_hypertable_id = $1`, [id]));

/** Continuous aggregates that read a hypertable, by their id. */
export const caggsOf = (rawId: number): Cagg[] =>
  query<CaggRow>(`select ${COLUMNS} ${FROM} where a.raw_hypertable_id = $1 order by a.mat_hypertable_id`, [
    rawId,
  ]).flatMap((row) => complete(row) ?? []);

/** The continuous aggregate behind an OID given by the user; 0A000 when it is none. */
export const openCagg = (oid: bigint | null): Cagg => {
  if (oid === null) throw nullCagg();
  const found = findCagg(oid);
  if (found === undefined) throw notCagg(nameOf(oid));
  return found;
};

export const openOwnCagg = (oid: bigint | null): Cagg => {
  const found = openCagg(oid);
  if (!found.view.owned) throw notCaggOwner(displayed(found.view));
  return found;
};

const nameOf = (oid: bigint): string => {
  const relation = findRelation(oid);
  return relation === undefined ? `relation with OID ${oid}` : displayed(relation);
};

export const isRunByOwner = (cagg: Cagg): boolean => cagg.view.owner === currentUser();

/** Where the owner of the continuous aggregate may create. */
export const ownPlace = (cagg: Cagg): string => cagg.mat.hypertable.associated_schema_name;

export const matTable = (cagg: Cagg): RelationName => cagg.mat.root;
