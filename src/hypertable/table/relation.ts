import { maybeOne, query } from '../../engine/spi.ts';
import type { RelationName } from '../../lib/quote.ts';

export interface Relation extends RelationName {
  readonly oid: bigint;
  readonly kind: string;
  readonly owner: string;
  readonly tablespace: string | null;
  readonly replicaIdentity: string;
  /** The current role may act as the owner. */
  readonly owned: boolean;
}

const COLUMNS = `c.oid::int8 as oid, n.nspname as schema, c.relname as name, c.relkind::text as kind,
  pg_get_userbyid(c.relowner)::text as owner, t.spcname as tablespace, c.relreplident::text as "replicaIdentity",
  pg_has_role(current_user, c.relowner, 'USAGE') as owned`;
const FROM = `from pg_class c join pg_namespace n on n.oid = c.relnamespace
  left join pg_tablespace t on t.oid = c.reltablespace`;

export const findRelation = (oid: bigint): Relation | undefined =>
  maybeOne<Relation>(`select ${COLUMNS} ${FROM} where c.oid::int8 = $1`, [oid]);

export const relationOid = (schema: string, name: string): bigint | undefined =>
  maybeOne<{ oid: bigint }>(
    'select c.oid::int8 as oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2',
    [schema, name],
  )?.oid;

/** Columns that a copy of rows must carry: not dropped, not generated. */
export const storedColumns = (oid: bigint): string[] =>
  query<{ attname: string }>(
    `select attname from pg_attribute
     where attrelid = $1::int8::oid and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`,
    [oid],
  ).map((r) => r.attname);
