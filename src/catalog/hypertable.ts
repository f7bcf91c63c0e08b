import { sql } from 'kysely';
import { db, firstRow, rows } from './kysely.ts';
import type { DimensionRow, HypertableRow } from './database.ts';

export interface Hypertable extends HypertableRow {
  readonly dimensions: readonly DimensionRow[];
}

const withDimensions = (row: HypertableRow | undefined): Hypertable | undefined =>
  row === undefined
    ? undefined
    : {
        ...row,
        dimensions: rows(db.selectFrom('dimension').selectAll().where('hypertable_id', '=', row.id).orderBy('id')),
      };

export const findHypertable = (oid: bigint): Hypertable | undefined =>
  withDimensions(firstRow(db.selectFrom('hypertable').selectAll().where(sql<boolean>`relid = ${oid}::int8::oid`)));

export const findHypertableById = (id: number): Hypertable | undefined =>
  withDimensions(firstRow(db.selectFrom('hypertable').selectAll().where('id', '=', id)));

export const hypertableOid = (id: number): bigint | undefined =>
  firstRow(db.selectFrom('hypertable').select(sql<bigint>`relid::oid::int8`.as('oid')).where('id', '=', id))?.oid;
