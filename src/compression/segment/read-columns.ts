import { hasSqlState, query, run, subtransaction } from '../../engine/spi.ts';
import { qualified, type RelationName } from '../../lib/quote.ts';
import type { CodecColumn, NativeStorage } from './column-codec.ts';
import type { PlanColumn } from '../settings/settings-plan.ts';

export interface TableColumn extends CodecColumn, PlanColumn {
  /** min() and max() exist for the type. */
  readonly hasMin: boolean;
  /** Equal values are the same value, so that grouping by them loses nothing. */
  readonly exact: boolean;
}

/** The text of their values names something that DDL gives another name, or has another form after it. */
const BY_NAME = `('regclass', 'regproc', 'regprocedure', 'regoper', 'regoperator', 'regtype', 'regrole', 'regnamespace',
  'regconfig', 'regdictionary', 'regcollation', 'aclitem')`;

/** Down to the types a type is made of: of a domain its base, of an array its elements, of a range its bounds. */
const INSIDE = `
  select t.oid, t.typtype, t.typname from pg_type t where t.oid = a.atttypid
  union
  select t.oid, t.typtype, t.typname from inside i join pg_type o on o.oid = i.oid, pg_type t
  where t.oid in (o.typbasetype, case when o.typcategory = 'A' then o.typelem end,
    (select r.rngsubtype from pg_range r where o.oid in (r.rngtypid, r.rngmultitypid)))`;

const hasOrder = (type: string): boolean => {
  try {
    subtransaction(() => run(`select null::${type} < null::${type}`));
    return true;
  } catch (e) {
    if (hasSqlState(e, '42883', '42725', '42P21', '42P22', '0A000')) return false;
    throw e;
  }
};

const BTREE_BY_NAME = new Set([
  'smallint',
  'integer',
  'bigint',
  'real',
  'double precision',
  'numeric',
  'text',
  'boolean',
  'date',
  'uuid',
  'bytea',
  'timestamp with time zone',
  'timestamp without time zone',
  'character varying',
  'character',
  'interval',
  'inet',
]); // prettier-ignore

const EXACT = `('smallint', 'integer', 'bigint', 'boolean', 'date', 'uuid', 'bytea', 'oid', 'timestamp with time zone', 'timestamp without time zone')`;

interface ColumnRow extends Omit<TableColumn, 'orderable' | 'native'> {
  readonly unstable: boolean;
  readonly isArray: boolean;
  readonly stored: string | null;
  readonly element: string | null;
  readonly number: number;
}

const nativeOf = (c: ColumnRow, segments: RelationName | null): NativeStorage | null => {
  if (c.stored !== null) return c.stored === 'bytea' ? null : { element: c.element ?? c.type, holder: c.isArray };
  if (!c.unstable || segments === null) return null;
  const holder = { schema: segments.schema, name: `${segments.name}_${c.number}` };
  return { element: c.isArray ? qualified(holder) : c.type, holder: c.isArray };
};

/**
 * Columns of a table in their order, with all that compression must know. Those that segments have already are as they
 * are there: an earlier version kept the text of every type.
 */
export const readTableColumns = (oid: bigint, segments: RelationName | null): TableColumn[] =>
  query<ColumnRow>(
    `with recursive base as (
       select a.attnum, a.atttypid as type from pg_attribute a where a.attrelid = $1::int8::oid and a.attnum > 0 and not a.attisdropped
       union all
       select b.attnum, t.typbasetype from base b join pg_type t on t.oid = b.type where t.typtype = 'd'
     )
     select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, format_type(t.oid, null) as "baseType",
       a.attnotnull as "notNull", a.attgenerated <> '' as generated, a.attnum as number, t.typcategory = 'A' as "isArray",
       format_type(s.atttypid, null) as stored, format_type(st.typelem, null) as element,
       (with recursive inside as (${INSIDE})
         select coalesce(bool_or(typtype in ('e', 'c') or typname in ${BY_NAME}), false) from inside) as unstable,
       format_type(t.oid, null) in ${EXACT} or t.typtype = 'e' or exists (
         select from pg_collation x where x.oid = a.attcollation and x.collisdeterministic
           and t.oid in ('text'::regtype, 'varchar'::regtype, 'name'::regtype)) as exact,
       t.typtype = 'e' or t.typcategory in ('A', 'S') or exists (
         select from pg_opclass o join pg_am m on m.oid = o.opcmethod
         where m.amname = 'hash' and o.opcdefault and o.opcintype = t.oid) as hashable,
       case when a.attcollation <> 0 and a.attcollation <> d.typcollation
         then format('%I.%I', n.nspname, c.collname) end as collation,
       exists (
         select from pg_proc p where p.proname = 'min' and p.prokind = 'a' and p.pronamespace = 'pg_catalog'::regnamespace
           and (p.proargtypes[0] = t.oid or t.typtype = 'e' and p.proargtypes[0] = 'anyenum'::regtype
             or t.typcategory = 'A' and p.proargtypes[0] = 'anyarray'::regtype)) as "hasMin"
     from pg_attribute a
     join base b on b.attnum = a.attnum join pg_type t on t.oid = b.type and t.typtype <> 'd'
     join pg_type d on d.oid = a.atttypid
     left join pg_collation c on c.oid = a.attcollation left join pg_namespace n on n.oid = c.collnamespace
     left join pg_attribute s on s.attrelid = to_regclass($2) and s.attname = a.attname and not s.attisdropped
     left join pg_type st on st.oid = s.atttypid
     where a.attrelid = $1::int8::oid and a.attnum > 0 and not a.attisdropped
     order by a.attnum`,
    [oid, segments === null ? null : qualified(segments)],
  ).map((c) => ({
    ...c,
    native: nativeOf(c, segments),
    orderable: BTREE_BY_NAME.has(c.baseType) || hasOrder(c.baseType),
  }));
