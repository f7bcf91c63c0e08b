import { query } from '../../engine/spi.ts';

export interface UserType {
  readonly oid: bigint;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly extension: string | null;
  readonly needs: bigint[];
  readonly collations: bigint[];
}

/** OIDs below are PostgreSQL's own. */
export const SYSTEM = 16384n;

/** What a type t of pg_type is made of. */
const PARTS = `select t.typelem where t.typelem <> 0 union select t.typbasetype where t.typbasetype <> 0
         union select r.rngsubtype from pg_range r where r.rngtypid = t.oid
         union select r.rngtypid from pg_range r where r.rngmultitypid = t.oid
         union select a.atttypid from pg_attribute a where a.attrelid = nullif(t.typrelid, 0) and a.attnum > 0 and not a.attisdropped`;

const describe = (oids: readonly bigint[]): UserType[] =>
  query<UserType>(
    `select t.oid::int8 as oid, n.nspname as schema, t.typname as name, t.typtype::text as kind, e.extname as extension,
       array(select x::int8 from (${PARTS}) y(x)) as needs,
       array(select x::int8 from (
         select t.typcollation union select r.rngcollation from pg_range r where r.rngtypid = t.oid
         union select a.attcollation from pg_attribute a where a.attrelid = nullif(t.typrelid, 0) and a.attnum > 0 and not a.attisdropped
       ) y(x)) as collations
     from pg_type t join pg_namespace n on n.oid = t.typnamespace
     left join pg_depend d on d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e'
     left join pg_extension e on e.oid = d.refobjid and d.refclassid = 'pg_extension'::regclass
     where t.oid = any($1::int8[]::oid[])`,
    [oids],
  );

/** All types that columns consist of, down to the last part; tables by their OIDs, one column by its name or all. */
export const typesUsed = (tables: readonly bigint[], column: string | null = null): UserType[] => {
  const oids = query<{ oid: bigint }>(
    `with recursive used (oid) as (
       select a.atttypid from pg_attribute a
       where a.attrelid = any($1::int8[]::oid[]) and a.attnum > 0 and not a.attisdropped and coalesce(a.attname = nullif($2, ''), true)
       union
       select part.oid from used u join pg_type t on t.oid = u.oid cross join lateral (${PARTS}) part (oid))
     select oid::int8 as oid from used`,
    [tables, column ?? ''],
  ).map((r) => r.oid);
  return describe(oids);
};

/** Extensions with operator classes, functions and the like that indexes, defaults and checks of a table need. */
export const extensionsUsed = (table: bigint): string[] =>
  query<{ name: string }>(
    `select distinct e.extname as name
     from pg_depend d
     join pg_depend m on m.classid = d.refclassid and m.objid = d.refobjid and m.deptype = 'e' and m.refclassid = 'pg_extension'::regclass
     join pg_extension e on e.oid = m.refobjid and e.extname <> 'tessera'
     where (d.classid, d.objid) in (
       select 'pg_class'::regclass, indexrelid from pg_index where indrelid = $1::int8::oid
       union all select 'pg_attrdef'::regclass, oid from pg_attrdef where adrelid = $1::int8::oid
       union all select 'pg_constraint'::regclass, oid from pg_constraint where conrelid = $1::int8::oid and contype = 'c')
     order by 1`,
    [table],
  ).map((e) => e.name);

/** A type that nodes get from here, and not with an extension. */
export const isShaped = (t: UserType): boolean =>
  t.oid >= SYSTEM && t.extension === null && ['e', 'c', 'd', 'r'].includes(t.kind);
