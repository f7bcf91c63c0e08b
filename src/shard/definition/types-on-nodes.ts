import { withNode, type Node, type Remote } from '../../cluster/index.ts';
import { query } from '../../engine/spi.ts';
import { PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { ident, literal, qualified } from '../../lib/quote.ts';
import { domainCheck, readTypes, shapesOfTypes } from './definition.ts';
import { extensionTypeMissing, oldTypeOnNode } from './failures.ts';
import { planOldType } from './type-plan.ts';
import { extensionsUsed, isShaped, SYSTEM, typesUsed, type UserType } from './types-used.ts';
import type { TypeShape } from '../table/type-shape.ts';

const enumDdl = (t: UserType): string => {
  const labels = query<{ l: string }>(
    'select enumlabel as l from pg_enum where enumtypid = $1::int8::oid order by enumsortorder',
    [t.oid],
  );
  return `create type ${qualified(t)} as enum (${labels.map((l) => literal(l.l)).join(', ')})`;
};

const domainDdl = (t: UserType): string => {
  const [d] = query<{ base: string; notnull: boolean; checks: string[]; collation: string | null }>(
    `select format_type(t.typbasetype, t.typtypmod) as base, t.typnotnull as notnull,
       array(select format('constraint %I %s', conname, ${domainCheck('oid')}) from pg_constraint where contypid = t.oid and contype = 'c' order by conname) as checks,
       case when t.typcollation <> b.typcollation then (select format('%I.%I', n.nspname, c.collname)
         from pg_collation c join pg_namespace n on n.oid = c.collnamespace where c.oid = t.typcollation) end as collation
     from pg_type t join pg_type b on b.oid = t.typbasetype where t.oid = $1::int8::oid`,
    [t.oid],
  ) as [{ base: string; notnull: boolean; checks: string[]; collation: string | null }];
  return `create domain ${qualified(t)} as ${d.base}${d.collation === null ? '' : ` collate ${d.collation}`}${d.notnull ? ' not null' : ''} ${d.checks.join(' ')}`;
};

const compositeDdl = (t: UserType): string => {
  const fields = query<{ f: string }>(
    `select format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)) || case when a.attcollation <> b.typcollation then
       (select format(' collate %I.%I', n.nspname, c.collname) from pg_collation c join pg_namespace n on n.oid = c.collnamespace
        where c.oid = a.attcollation) else '' end as f
     from pg_attribute a join pg_type t on t.typrelid = a.attrelid join pg_type b on b.oid = a.atttypid
     where t.oid = $1::int8::oid and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [t.oid],
  );
  return `create type ${qualified(t)} as (${fields.map((f) => f.f).join(', ')})`;
};

const rangeDdl = (t: UserType): string => {
  const [r] = query<{ sub: string; opclass: string; collation: string | null; multirange: string; canonical: boolean }>(
    `select format_type(r.rngsubtype, null) as sub, format('%I.%I', n.nspname, o.opcname) as opclass, format('%I.%I', mn.nspname, m.typname) as multirange,
       r.rngcanonical::oid <> 0 as canonical,
       (select format('%I.%I', cn.nspname, c.collname) from pg_collation c join pg_namespace cn on cn.oid = c.collnamespace
        where c.oid = r.rngcollation) as collation
     from pg_range r join pg_opclass o on o.oid = r.rngsubopc join pg_namespace n on n.oid = o.opcnamespace
     join pg_type m on m.oid = r.rngmultitypid join pg_namespace mn on mn.oid = m.typnamespace
     where r.rngtypid = $1::int8::oid`,
    [t.oid],
  ) as [{ sub: string; opclass: string; collation: string | null; multirange: string; canonical: boolean }];
  // Its function would have to be there first.
  if (r.canonical) throw extensionTypeMissing(qualified(t));
  return `create type ${qualified(t)} as range (subtype = ${r.sub}, subtype_opclass = ${r.opclass}, multirange_type_name = ${r.multirange}${
    r.collation === null ? '' : `, collation = ${r.collation}`
  })`;
};

/** Arrays and multiranges come with what they are made of. */
const createDdl = (t: UserType): string | undefined => {
  switch (t.kind) {
    case 'e':
      return enumDdl(t);
    case 'd':
      return domainDdl(t);
    case 'c':
      return compositeDdl(t);
    case 'r':
      return rangeDdl(t);
    default:
      return undefined;
  }
};

const create = (remote: Remote, schema: string, ddl: string): void =>
  remote.exec(`create schema if not exists ${ident(schema)}; ${ddl}`);

/** What is said to one of two sessions that make the same thing at the same time: IF NOT EXISTS does not wait. */
const COLLISIONS: readonly string[] = [
  SQLSTATE.uniqueViolation,
  SQLSTATE.duplicateTable,
  SQLSTATE.duplicateObject,
  SQLSTATE.duplicateSchema,
  SQLSTATE.internalError,
];

/** Does what can be done again until nobody else comes in between. */
export const besideOthers = (body: () => void, tries = 5): void => {
  try {
    body();
  } catch (e) {
    if (tries === 0 || !(e instanceof PgError && COLLISIONS.includes(e.sqlstate))) throw e;
    besideOthers(body, tries - 1);
  }
};

interface Collation {
  readonly schema: string;
  readonly name: string;
  readonly provider: string;
  readonly deterministic: boolean;
  readonly locale: string | null;
  readonly collate: string | null;
  readonly ctype: string | null;
  readonly rules: string | null;
}

const PROVIDERS: Readonly<Record<string, string>> = { c: 'libc', i: 'icu', b: 'builtin' };

const ensureCollations = (remote: Remote, oids: readonly bigint[]): string[] => {
  // The column for the locale is not called the same in all versions.
  const found = query<Collation>(
    `select n.nspname as schema, c.collname as name, c.collprovider::text as provider, c.collisdeterministic as deterministic,
       coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale') as locale, c.collcollate::text as collate, c.collctype::text as ctype,
       to_jsonb(c) ->> 'collicurules' as rules
     from pg_collation c join pg_namespace n on n.oid = c.collnamespace
     where c.oid = any($1::int8[]::oid[]) and c.oid >= ${SYSTEM}`,
    [oids],
  );
  for (const c of found) {
    const options = [
      `provider = ${PROVIDERS[c.provider] ?? 'libc'}`,
      ...(c.locale === null
        ? [`lc_collate = ${literal(c.collate)}`, `lc_ctype = ${literal(c.ctype)}`]
        : [`locale = ${literal(c.locale)}`]),
      ...(c.rules === null ? [] : [`rules = ${literal(c.rules)}`]),
      ...(c.deterministic ? [] : ['deterministic = false']),
    ];
    create(remote, c.schema, `create collation if not exists ${qualified(c)} (${options.join(', ')})`);
  }
  return found.map((c) => c.schema);
};

/** What the node has of them from earlier. */
const typesThere = (node: Node, types: readonly UserType[]): TypeShape[] =>
  types.length === 0
    ? []
    : withNode(
        node,
        (remote) =>
          remote.rows<TypeShape>(
            shapesOfTypes(
              `(n.nspname, t.typname) in (${types.map((t) => `(${literal(t.schema)}, ${literal(t.name)})`).join(', ')})`,
            ),
          ),
        // Names of types are read here with the same path.
        'set search_path to pg_catalog; set timezone to UTC; ',
      );

const bringUpToDate = (remote: Remote, there: TypeShape, now: TypeShape): void => {
  const statements = planOldType(there, now);
  if (statements === undefined) throw oldTypeOnNode(qualified(now));
  for (const statement of statements) remote.exec(statement);
};

/**
 * Makes the types and collations of a table's columns where a node does not have them, and lets its owner there use them.
 * The session has to be alone in this.
 */
export const ensureTypes = (node: Node, remote: Remote, table: bigint, role: string): void => {
  const types = new Map(typesUsed([table]).map((t) => [t.oid, t]));
  const own = query<{ c: bigint }>(
    'select distinct attcollation::int8 as c from pg_attribute where attrelid = $1::int8::oid and attnum > 0 and not attisdropped',
    [table],
  ).map((r) => r.c);
  const user = [...types.values()].filter((t) => t.oid >= SYSTEM);
  const schemas = new Set([
    ...ensureCollations(remote, [...own, ...user.flatMap((t) => t.collations)]),
    ...user.map((t) => t.schema),
  ]);
  const there = typesThere(node, user.filter(isShaped));
  const shapes = readTypes(table);
  const made = new Set<bigint>();
  const ensure = (t: UserType): void => {
    if (t.oid < SYSTEM || made.has(t.oid)) return;
    made.add(t.oid);
    for (const part of t.needs) ensure(types.get(part) as UserType);
    if (t.extension !== null) {
      remote.exec(`create extension if not exists ${ident(t.extension)} cascade`);
      return;
    }
    const ddl = createDdl(t);
    const old = there.find((o) => o.schema === t.schema && o.name === t.name);
    if (ddl !== undefined && old === undefined) create(remote, t.schema, ddl);
    if (old !== undefined) bringUpToDate(remote, old, shapes.find((s) => s.id === Number(t.oid)) as TypeShape);
    if (t.kind === 'b' && t.needs.length === 0) throw extensionTypeMissing(qualified(t));
  };
  for (const t of user) ensure(t);
  for (const extension of extensionsUsed(table))
    remote.exec(`create extension if not exists ${ident(extension)} cascade`);
  if (schemas.size > 0) remote.exec(`grant usage on schema ${[...schemas].map(ident).join(', ')} to ${ident(role)}`);
};
