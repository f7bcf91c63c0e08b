import { hasSqlState, query, run, subtransaction } from '../engine/spi.ts';
import type { CodecColumn } from './column-codec.ts';
import type { PlanColumn } from './settings-plan.ts';

export interface TableColumn extends CodecColumn, PlanColumn {
  /** min() and max() exist for the type. */
  readonly hasMin: boolean;
}

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

/** Columns of a table in their order, with all that compression must know. */
export const readTableColumns = (oid: bigint): TableColumn[] =>
  query<Omit<TableColumn, 'orderable'>>(
    `with recursive base as (
       select a.attnum, a.atttypid as type from pg_attribute a where a.attrelid = $1::int8::oid and a.attnum > 0 and not a.attisdropped
       union all
       select b.attnum, t.typbasetype from base b join pg_type t on t.oid = b.type where t.typtype = 'd'
     )
     select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, format_type(t.oid, null) as "baseType",
       a.attnotnull as "notNull", a.attgenerated <> '' as generated,
       t.typtype = 'e' or t.typcategory in ('A', 'S') or exists (
         select from pg_opclass o join pg_am m on m.oid = o.opcmethod
         where m.amname = 'hash' and o.opcdefault and o.opcintype = t.oid) as hashable,
       case when a.attcollation <> 0 and a.attcollation <> d.typcollation
         then format('%I.%I', n.nspname, c.collname) end as collation,
       exists (
         select from pg_proc p where p.proname = 'min' and p.prokind = 'a' and p.pronamespace = 'pg_catalog'::regnamespace
           and (p.proargtypes[0] = t.oid or t.typtype = 'e' and p.proargtypes[0] = 'anyenum'::regtype)) as "hasMin"
     from pg_attribute a
     join base b on b.attnum = a.attnum join pg_type t on t.oid = b.type and t.typtype <> 'd'
     join pg_type d on d.oid = a.atttypid
     left join pg_collation c on c.oid = a.attcollation left join pg_namespace n on n.oid = c.collnamespace
     where a.attrelid = $1::int8::oid and a.attnum > 0 and not a.attisdropped
     order by a.attnum`,
    [oid],
  ).map((c) => ({ ...c, orderable: BTREE_BY_NAME.has(c.baseType) || hasOrder(c.baseType) }));
