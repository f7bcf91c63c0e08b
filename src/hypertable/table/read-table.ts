import { columnOptions } from '../../lib/column-options.ts';
import { maybeOne, one, query } from '../../engine/spi.ts';
import { ident } from '../../lib/quote.ts';

/** Everything of a plain table that its partitioned successor must get again, read before anything changes. */
export interface TableDefinition {
  readonly persistence: string;
  readonly hasRules: boolean;
  readonly isPartition: boolean;
  readonly reloptions: string[] | null;
  /** Those of its TOAST table, as they are said of the table. */
  readonly toastOptions: string[];
  readonly comment: string | null;
  readonly rowSecurity: boolean;
  readonly forceRowSecurity: boolean;
  readonly accessMethod: string | null;
}

export const readTable = (oid: bigint): TableDefinition =>
  one<TableDefinition>(
    `select c.relpersistence::text as persistence, c.relispartition as "isPartition",
       exists (select from pg_rewrite r where r.ev_class = c.oid) as "hasRules",
       c.reloptions::text[] as reloptions,
       array(select 'toast.' || o from pg_class t, unnest(t.reloptions) o where t.oid = c.reltoastrelid) as "toastOptions",
       obj_description(c.oid, 'pg_class') as comment,
       c.relrowsecurity as "rowSecurity", c.relforcerowsecurity as "forceRowSecurity", a.amname as "accessMethod"
     from pg_class c left join pg_am a on a.oid = c.relam where c.oid = $1::int8::oid`,
    [oid],
  );

export interface ColumnDefinition {
  readonly number: number;
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly generated: boolean;
  readonly identity: string;
  readonly statistics: number;
  readonly options: string[] | null;
}

export const readColumns = (oid: bigint): ColumnDefinition[] =>
  query<ColumnDefinition>(
    `select attnum::int as number, attname as name, format_type(atttypid, atttypmod) as type, attnotnull as "notNull",
       attgenerated <> '' as generated, attidentity::text as identity, coalesce(attstattarget, -1)::int as statistics,
       nullif(${columnOptions('attoptions')}, '{}') as options
     from pg_attribute where attrelid = $1::int8::oid and attnum > 0 and not attisdropped order by attnum`,
    [oid],
  );

export interface ConstraintDefinition {
  readonly oid: bigint;
  readonly name: string;
  readonly type: string;
  readonly definition: string;
  readonly comment: string | null;
  readonly noInherit: boolean;
  readonly validated: boolean;
  readonly index: string | null;
}

/** A foreign key to a partitioned table has parts, one for each partition there. */
const OF_ITS_OWN = `not (contype = 'f' and conparentid <> 0)`;

/** Since PostgreSQL 18 there are constraints that are not even meant to hold. */
const VALIDATED = `convalidated or not coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true)`;

/** What pg_get_constraintdef() leaves out. */
const WITH_INDEX_OPTIONS = `case when contype in ('p', 'u') and i.reloptions is not null
         then regexp_replace(pg_get_constraintdef(c.oid), '((?: DEFERRABLE)?(?: INITIALLY DEFERRED)?)$', ' WITH (' || array_to_string(i.reloptions, ', ') || ')\\1')
         else pg_get_constraintdef(c.oid) end`;

/** Keys, exclusions, outgoing foreign keys, checks and, where they have names, NOT NULL constraints. */
export const readConstraints = (oid: bigint): ConstraintDefinition[] =>
  query<ConstraintDefinition>(
    `select c.oid::int8 as oid, conname as name, contype::text as type, ${WITH_INDEX_OPTIONS} as definition,
       obj_description(c.oid, 'pg_constraint') as comment, connoinherit as "noInherit", ${VALIDATED} as validated,
       case when contype in ('p', 'u', 'x') then conindid::regclass::text end as index
     from pg_constraint c left join pg_class i on i.oid = c.conindid and contype in ('p', 'u')
     where conrelid = $1::int8::oid and contype in ('p', 'u', 'x', 'f', 'c', 'n') and ${OF_ITS_OWN}
     order by case contype when 'p' then 0 when 'u' then 1 when 'x' then 2 else 3 end, conname`,
    [oid],
  );

export interface IndexDefinition {
  readonly oid: bigint;
  readonly name: string;
  readonly schema: string;
  readonly definition: string;
  readonly unique: boolean;
  readonly primary: boolean;
  readonly exclusion: boolean;
  readonly constraint: boolean;
  readonly columns: string[];
  readonly comment: string | null;
  readonly tablespace: string | null;
  readonly replicaIdentity: boolean;
  readonly clustered: boolean;
}

export const readIndexes = (oid: bigint): IndexDefinition[] =>
  query<IndexDefinition>(
    `select i.indexrelid::int8 as oid, c.relname as name, n.nspname as schema, pg_get_indexdef(i.indexrelid) as definition,
       i.indisunique as unique, i.indisprimary as primary, i.indisexclusion as exclusion, k.oid is not null as constraint,
       array(select coalesce(a.attname::text, '') from unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) with ordinality u(n, o)
         left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.n order by o) as columns,
       obj_description(i.indexrelid, 'pg_class') as comment, t.spcname as tablespace, i.indisreplident as "replicaIdentity", i.indisclustered as clustered
     from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
     left join pg_constraint k on k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x') and k.conrelid = i.indrelid
     left join pg_tablespace t on t.oid = c.reltablespace
     where i.indrelid = $1::int8::oid order by c.relname`,
    [oid],
  );

export interface TriggerDefinition {
  readonly name: string;
  readonly definition: string;
  readonly enabled: string;
  readonly comment: string | null;
  readonly rowWithTransitionTables: boolean;
}

export const readTriggers = (oid: bigint): TriggerDefinition[] =>
  query<TriggerDefinition>(
    `select tgname as name, pg_get_triggerdef(oid) as definition, tgenabled::text as enabled,
       obj_description(oid, 'pg_trigger') as comment,
       (tgtype & 1) = 1 and (tgoldtable is not null or tgnewtable is not null) as "rowWithTransitionTables"
     from pg_trigger where tgrelid = $1::int8::oid and not tgisinternal order by tgname`,
    [oid],
  );

export interface IncomingForeignKey {
  readonly name: string;
  readonly child: string;
  readonly childOid: bigint;
  readonly definition: string;
  readonly owned: boolean;
  readonly comment: string | null;
  readonly childIsHypertable: boolean;
}

export const readIncomingForeignKeys = (oid: bigint): IncomingForeignKey[] =>
  query<IncomingForeignKey>(
    `select c.conname as name, c.conrelid::regclass::text as child, c.conrelid::int8 as "childOid",
       pg_get_constraintdef(c.oid) as definition, pg_has_role(current_user, r.relowner, 'USAGE') as owned,
       obj_description(c.oid, 'pg_constraint') as comment,
       exists (select from _tessera_catalog.hypertable h where h.relid::oid = c.conrelid) as "childIsHypertable"
     from pg_constraint c join pg_class r on r.oid = c.conrelid
     where c.confrelid = $1::int8::oid and c.contype = 'f' and c.conrelid <> c.confrelid and c.conparentid = 0`,
    [oid],
  );

export interface GrantDefinition {
  readonly column: string | null;
  readonly grantee: string;
  readonly privilege: string;
  readonly grantable: boolean;
}

/** Privileges of a table or sequence. */
export interface Grants {
  /** Whether anything was said of the whole; otherwise its owner alone has rights on that. */
  readonly explicit: boolean;
  readonly list: readonly GrantDefinition[];
}

export const readGrants = (oid: bigint): Grants => {
  const { explicit } = one<{ explicit: boolean }>(
    'select relacl is not null as explicit from pg_class where oid = $1::int8::oid',
    [oid],
  );
  const list = query<GrantDefinition>(
    `select a.name as column, case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end as grantee,
       x.privilege_type as privilege, x.is_grantable as grantable
     from (select null as name, relacl as acl from pg_class where oid = $1::int8::oid union all
       select attname::text, attacl from pg_attribute where attrelid = $1::int8::oid and not attisdropped) a, aclexplode(a.acl) x`,
    [oid],
  );
  return { explicit, list };
};

export interface PolicyDefinition {
  readonly name: string;
  readonly comment: string | null;
  readonly ddl: string;
}

export const readPolicies = (oid: bigint, table: string): PolicyDefinition[] =>
  query<{
    name: string;
    permissive: boolean;
    command: string;
    roles: string;
    using: string | null;
    check: string | null;
    comment: string | null;
  }>(
    `select polname as name, obj_description(oid, 'pg_policy') as comment, polpermissive as permissive,
       case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end as command,
       (select string_agg(case r when 0 then 'public' else quote_ident(pg_get_userbyid(r)) end, ', ') from unnest(polroles) r) as roles,
       pg_get_expr(polqual, polrelid) as using, pg_get_expr(polwithcheck, polrelid) as check
     from pg_policy where polrelid = $1::int8::oid order by polname`,
    [oid],
  ).map((p) => ({
    name: p.name,
    comment: p.comment,
    ddl:
      `create policy ${ident(p.name)} on ${table} as ${p.permissive ? 'permissive' : 'restrictive'} for ${p.command} to ${p.roles}` +
      (p.using === null ? '' : ` using (${p.using})`) +
      (p.check === null ? '' : ` with check (${p.check})`),
  }));

export interface SequenceDefinition {
  readonly oid: bigint;
  readonly name: string;
  readonly schema: string;
  readonly column: string;
  /** 'i' for identity, 'a' for serial. */
  readonly dependency: string;
  readonly comment: string | null;
  readonly grants: Grants;
}

export const readSequences = (oid: bigint): SequenceDefinition[] =>
  query<Omit<SequenceDefinition, 'grants'>>(
    `select s.oid::int8 as oid, s.relname as name, n.nspname as schema, a.attname as column, d.deptype::text as dependency,
       obj_description(s.oid, 'pg_class') as comment
     from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S' join pg_namespace n on n.oid = s.relnamespace
     join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
     where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = $1::int8::oid
       and d.deptype in ('a', 'i')`,
    [oid],
  ).map((s) => ({ ...s, grants: readGrants(s.oid) }));

export interface ViewDefinition {
  readonly name: string;
  readonly definition: string;
  readonly options: string[] | null;
}

/** Plain views that read the table, in an order in which they can be replaced. */
export const readViews = (oid: bigint): ViewDefinition[] =>
  query<ViewDefinition>(
    `select distinct v.oid::int8 as oid, v.oid::regclass::text as name, pg_get_viewdef(v.oid) as definition, v.reloptions::text[] as options
     from pg_depend d join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass
     join pg_class v on v.oid = r.ev_class and v.relkind = 'v'
     where d.refclassid = 'pg_class'::regclass and d.refobjid = $1::int8::oid and v.oid <> d.refobjid order by oid`,
    [oid],
  );

export interface StatisticsDefinition {
  readonly oid: bigint;
  readonly name: string;
  readonly schema: string;
  readonly definition: string;
  readonly comment: string | null;
  /** -1 for the usual one. */
  readonly target: number;
}

/** Those that refuse clauses which PostgreSQL would leave out are made anew where they are needed. */
export const OF_THE_USER = `not exists (select from pg_depend d where d.classid = 'pg_statistic_ext'::regclass and d.objid = s.oid
       and d.refclassid = 'pg_proc'::regclass and d.refobjid = '_tessera_functions.guard_reads()'::regprocedure)`;

export const readStatistics = (oid: bigint): StatisticsDefinition[] =>
  query<StatisticsDefinition>(
    `select s.oid::int8 as oid, stxname as name, nspname as schema, pg_get_statisticsobjdef(s.oid) as definition,
       obj_description(s.oid, 'pg_statistic_ext') as comment, coalesce(stxstattarget, -1)::int as target
     from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
     where stxrelid = $1::int8::oid and ${OF_THE_USER} order by stxname`,
    [oid],
  );

/** Views and functions that sample the table, which foreign tables do not do. */
export const readSamplers = (oid: bigint): string[] =>
  query<{ name: string }>('select s as name from _tessera_functions.samplers($1::int8::oid) s order by 1', [oid]).map(
    (s) => s.name,
  );

/** Plain views that group by a key of the table and so may name its other columns; they depend on that key. */
export const readGroupedViews = (oid: bigint): string[] =>
  query<{ name: string }>(
    `select distinct r.ev_class::regclass::text as name from pg_depend d join pg_rewrite r on r.oid = d.objid
     join pg_constraint c on c.oid = d.refobjid and c.conrelid = $1::int8::oid
     where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_constraint'::regclass order by 1`,
    [oid],
  ).map((v) => v.name);

export const publicationOf = (oid: bigint): string | undefined =>
  maybeOne<{ name: string }>(
    `select p.pubname as name from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
     where r.prrelid = $1::int8::oid limit 1`,
    [oid],
  )?.name;

/** Objects that LIKE and our own copying do not carry over: materialized views, rules, what has values of the row's type. */
export const otherDependents = (oid: bigint): string | null =>
  one<{ objects: string | null }>(
    `select string_agg(distinct pg_describe_object(d.classid, d.objid, d.objsubid), ', ') as objects
     from pg_depend d left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
     left join pg_class v on v.oid = r.ev_class
     where d.deptype in ('n', 'e') and not (d.classid = 'pg_rewrite'::regclass and v.relkind = 'v')
       and (d.refclassid = 'pg_class'::regclass and d.refobjid = $1::int8::oid and d.classid not in (
           'pg_constraint'::regclass, 'pg_trigger'::regclass, 'pg_attrdef'::regclass, 'pg_policy'::regclass, 'pg_class'::regclass)
         or d.refclassid = 'pg_type'::regclass and d.refobjid in (
           select x from pg_type t, unnest(array[t.oid, t.typarray]) x where t.typrelid = $1::int8::oid and x <> 0))`,
    [oid],
  ).objects;
