import { columnOptions } from '../../lib/column-options.ts';
import { withSettings } from '../../engine/session.ts';
import { maybeOne, one, query } from '../../engine/spi.ts';
import { OF_THE_USER } from '../../hypertable/index.ts';
import type { Column, Key, ShardDefinition } from '../table/shard-ddl.ts';
import { isShaped, typesUsed } from './types-used.ts';
import type { TypeShape } from '../table/type-shape.ts';

/** Expressions as text that means the same in a session on a node and in every other one here. */
export const inPlainText = <T>(body: () => T): T =>
  withSettings(
    {
      search_path: 'pg_catalog, pg_temp',
      datestyle: 'ISO, MDY',
      intervalstyle: 'postgres',
      timezone: 'UTC',
      extra_float_digits: '1',
      lc_monetary: 'C',
      bytea_output: 'hex',
      quote_all_identifiers: 'off',
    },
    body,
  );

const STORAGE = (letter: string): string =>
  `case ${letter} when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end`;

const readColumns = (oid: bigint): Column[] =>
  query<Column>(
    `select a.attnum::int as number, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
       case when a.attcollation <> t.typcollation then (select format('%I.%I', n.nspname, c.collname)
         from pg_collation c join pg_namespace n on n.oid = c.collnamespace where c.oid = a.attcollation) end as collation,
       a.attnotnull as "notNull",
       case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end as generated,
       nullif(a.attcompression, '')::text as compression,
       ${STORAGE('a.attstorage')} as storage, ${STORAGE('t.typstorage')} as "usualStorage",
       nullif(a.attstattarget, -1)::int as target, ${columnOptions('a.attoptions')} as options
     from pg_attribute a join pg_type t on t.oid = a.atttypid
     left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attrelid = $1::int8::oid and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [oid],
  );

/** What the shards of a table look like, read from the table itself; keys are kept apart. */
export const readDefinition = (oid: bigint): ShardDefinition => inPlainText(() => read(oid));

const read = (oid: bigint): ShardDefinition => ({
  columns: readColumns(oid),
  checks: query(
    `select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint
     where conrelid = $1::int8::oid and contype = 'c' order by conname`,
    [oid],
  ),
  indexes: query(
    `select r.relname as name, substring(pg_get_indexdef(i.indexrelid)
         from length(format('CREATE INDEX %I ON %s%s ', r.relname, case c.relkind when 'p' then 'ONLY ' end, i.indrelid::regclass)) + 1) as definition
     from pg_index i join pg_class r on r.oid = i.indexrelid join pg_class c on c.oid = i.indrelid
     where i.indrelid = $1::int8::oid and not i.indisunique and not i.indisexclusion
       and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = i.indrelid and k.contype <> 'f')
     order by r.relname`,
    [oid],
  ),
  statistics: query(
    `select s.stxname as name, array(select case k when 'd' then 'ndistinct' when 'f' then 'dependencies' when 'm' then 'mcv' end
         from unnest(s.stxkind) k where k in ('d', 'f', 'm')) as kinds,
       pg_get_statisticsobjdef_columns(s.oid) as columns, nullif(s.stxstattarget, -1)::int as target
     from pg_statistic_ext s where s.stxrelid = $1::int8::oid and ${OF_THE_USER} order by s.stxname`,
    [oid],
  ),
  replicaIdentity: one<{ r: string }>(
    `select case relreplident when 'f' then 'full' when 'n' then 'nothing' else 'default' end as r from pg_class where oid = $1::int8::oid`,
    [oid],
  ).r,
  types: readTypes(oid),
});

/**
 * Without NOT VALID: whatever comes from a node is read as text, and so has to satisfy all constraints of a domain. The node
 * looks at the rows it has.
 */
export const domainCheck = (oid: string): string =>
  `pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(${oid}), ' NOT VALID$', '')`;

/** Runs on nodes as well. */
export const shapesOfTypes = (condition: string): string =>
  `select t.oid::int8::float8 as id, n.nspname as schema, t.typname as name, t.typtype::text as kind, t.typnotnull as "notNull",
     coalesce((select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('id', e.oid::int8, 'name', e.enumlabel) order by e.enumsortorder)
       from pg_catalog.pg_enum e where e.enumtypid = t.oid), '[]') as labels,
     coalesce((select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod)) order by a.attnum)
       from pg_catalog.pg_attribute a where a.attrelid = nullif(t.typrelid, 0) and a.attnum > 0 and not a.attisdropped), '[]') as fields,
     coalesce((select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', c.conname, 'definition', ${domainCheck('c.oid')}) order by c.conname)
       from pg_catalog.pg_constraint c where c.contypid = t.oid and c.contype = 'c'), '[]') as checks
   from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace where ${condition}`;

/** Those that shards know by what they are like; types of extensions are the same everywhere. */
export const readTypes = (table: bigint): TypeShape[] =>
  inPlainText(() =>
    query<TypeShape>(`${shapesOfTypes('t.oid = any($1::int8[]::oid[])')} order by 1`, [
      typesUsed([table])
        .filter((t) => isShaped(t))
        .map((t) => t.oid),
    ]),
  );

/** A key as it is read from a table, with what decides whether shards can keep it. */
export interface FoundKey extends Key {
  readonly columns: readonly string[];
  readonly referencedColumns: readonly string[];
  readonly onUpdate: string | null;
  readonly onDelete: string | null;
  readonly comment: string | null;
}

/** Those that are compared for equality: an exclusion constraint can have others. */
const KEY_COLUMNS = `array(select a.attname::text from unnest(c.conkey, c.conexclop) with ordinality k(n, op, o)
         join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.n left join pg_operator p on p.oid = k.op
         where k.op is null or p.oprname = '=' order by o) as columns,
       array(select a.attname::text from unnest(c.confkey) with ordinality k(n, o)
         join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.n order by o) as "referencedColumns",
       case when c.contype = 'f' then c.confupdtype::text end as "onUpdate", case when c.contype = 'f' then c.confdeltype::text end as "onDelete"`;

/** Keys of a table that is about to lose them to its shards. */
export const readKeys = (oid: bigint): FoundKey[] => inPlainText(() => queryKeys(oid));

/** Where the other table is to be named stands %s. */
const FOREIGN_KEY = `regexp_replace(pg_get_constraintdef(c.oid),
           ' REFERENCES ' || regexp_replace(c.confrelid::regclass::text, '([^\\w])', '\\\\\\1', 'g') || '\\(', ' REFERENCES %s(')`;

/** Foreign keys of other tables to one that is about to be distributed. */
export const readIncomingKeys = (oid: bigint): IncomingKey[] =>
  inPlainText(() =>
    query<FoundKey & { child: bigint }>(
      `select c.conrelid::int8 as child, obj_description(c.oid, 'pg_constraint') as comment, c.conname as name, 'f' as kind,
         ${FOREIGN_KEY} as definition, c.confrelid::int8 as referenced, ${KEY_COLUMNS}
       from pg_constraint c where c.confrelid = $1::int8::oid and c.conrelid <> c.confrelid and c.contype = 'f' and c.conparentid = 0
       order by c.conrelid, c.conname`,
      [oid],
    ),
  ).map(({ child, ...key }) => ({ child, key }));

/** A foreign key of a plain table to one that is about to be distributed. */
export interface IncomingKey {
  readonly child: bigint;
  readonly key: FoundKey;
}

const queryKeys = (oid: bigint): FoundKey[] =>
  query<FoundKey>(
    `select c.conname as name, c.contype::text as kind,
       case c.contype when 'f' then ${FOREIGN_KEY}
         else pg_get_constraintdef(c.oid) end as definition,
       nullif(c.confrelid, 0)::int8 as referenced, ${KEY_COLUMNS}, obj_description(c.oid, 'pg_constraint') as comment
     from pg_constraint c where c.conrelid = $1::int8::oid and c.contype in ('p', 'u', 'x', 'f')
       and not (c.contype = 'f' and c.conparentid <> 0)
     union all
     select r.relname, 'i', substring(pg_get_indexdef(i.indexrelid)
         from length(format('CREATE UNIQUE INDEX %I ON %s%s ', r.relname, case when r.relpersistence = 't' then 'pg_temp.' end, i.indrelid::regclass)) + 1), null,
       array(select coalesce(a.attname::text, '') from unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) with ordinality u(n, o)
         left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.n order by o), '{}'::text[], null, null, obj_description(r.oid, 'pg_class')
     from pg_index i join pg_class r on r.oid = i.indexrelid
     where i.indrelid = $1::int8::oid and i.indisunique
       and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = i.indrelid)
     order by 2 desc, 1`,
    [oid],
  );

/** Keys of a distributed table, in an order in which they can be made. */
export const keysOf = (oid: bigint): FoundKey[] =>
  query<FoundKey>(
    `select name, kind::text as kind, definition, columns::text[] as columns, referenced::oid::int8 as referenced,
       referenced_columns::text[] as "referencedColumns", on_update::text as "onUpdate", on_delete::text as "onDelete", comment
     from _tessera_catalog.pg_dist_key where logicalrelid::oid = $1::int8::oid order by position(kind::text in 'puixf'), name`,
    [oid],
  );

/** The oldest hash operator class of a type decides the partition; its table on the nodes checks that rows belong where they are. */
export const keyType = (oid: bigint, column: string): { type: string; collation: string | null } | undefined =>
  maybeOne(
    `select format_type(a.atttypid, a.atttypmod) as type,
       case when a.attcollation <> 0 then (select format('%I.%I', n.nspname, c.collname)
         from pg_collation c join pg_namespace n on n.oid = c.collnamespace where c.oid = a.attcollation) end as collation
     from pg_attribute a where a.attrelid = $1::int8::oid and a.attname = $2 and not a.attisdropped`,
    [oid, column],
  );
