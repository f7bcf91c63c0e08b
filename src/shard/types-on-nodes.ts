import type { Remote } from '../cluster/index.ts';
import { query } from '../engine/spi.ts';
import { ident, literal, qualified } from '../lib/quote.ts';
import { extensionTypeMissing } from './failures.ts';

interface UserType {
  readonly oid: bigint;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly extension: string | null;
  readonly needs: bigint[];
}

const SYSTEM = 16384n;

const describe = (oids: readonly bigint[]): UserType[] =>
  query<UserType>(
    `select t.oid::int8 as oid, n.nspname as schema, t.typname as name, t.typtype::text as kind, e.extname as extension,
       array(select x::int8 from (
         select t.typelem where t.typelem <> 0 union select t.typbasetype where t.typbasetype <> 0
         union select r.rngsubtype from pg_range r where r.rngtypid = t.oid
         union select a.atttypid from pg_attribute a where a.attrelid = nullif(t.typrelid, 0) and a.attnum > 0 and not a.attisdropped
       ) y(x)) as needs
     from pg_type t join pg_namespace n on n.oid = t.typnamespace
     left join pg_depend d on d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e'
     left join pg_extension e on e.oid = d.refobjid and d.refclassid = 'pg_extension'::regclass
     where t.oid = any($1::int8[]::oid[])`,
    [oids],
  );

const createDdl = (t: UserType): string | undefined => {
  const name = qualified(t);
  if (t.kind === 'e') {
    const labels = query<{ l: string }>(
      'select enumlabel as l from pg_enum where enumtypid = $1::int8::oid order by enumsortorder',
      [t.oid],
    );
    return `create type ${name} as enum (${labels.map((l) => literal(l.l)).join(', ')})`;
  }
  if (t.kind === 'd') {
    const [d] = query<{ base: string; notnull: boolean; checks: string[]; collation: string | null }>(
      `select format_type(t.typbasetype, t.typtypmod) as base, t.typnotnull as notnull,
         array(select format('constraint %I %s', conname, pg_get_constraintdef(oid)) from pg_constraint where contypid = t.oid and contype = 'c' order by conname) as checks,
         case when t.typcollation <> b.typcollation then (select format('%I.%I', n.nspname, c.collname)
           from pg_collation c join pg_namespace n on n.oid = c.collnamespace where c.oid = t.typcollation) end as collation
       from pg_type t join pg_type b on b.oid = t.typbasetype where t.oid = $1::int8::oid`,
      [t.oid],
    );
    if (d === undefined) return undefined;
    return `create domain ${name} as ${d.base}${d.collation === null ? '' : ` collate ${d.collation}`}${d.notnull ? ' not null' : ''} ${d.checks.join(' ')}`;
  }
  if (t.kind === 'c') {
    const fields = query<{ f: string }>(
      `select format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)) as f from pg_attribute a join pg_type t on t.typrelid = a.attrelid
       where t.oid = $1::int8::oid and a.attnum > 0 and not a.attisdropped order by a.attnum`,
      [t.oid],
    );
    return `create type ${name} as (${fields.map((f) => f.f).join(', ')})`;
  }
  if (t.kind === 'r') {
    const [r] = query<{ sub: string }>(
      'select format_type(rngsubtype, null) as sub from pg_range where rngtypid = $1::int8::oid',
      [t.oid],
    );
    return `create type ${name} as range (subtype = ${r?.sub})`;
  }
  return undefined;
};

/** Makes the types of a table's columns, and what they consist of, where a node does not have them. */
export const ensureTypes = (remote: Remote, table: bigint): void => {
  const first = query<{ t: bigint }>(
    'select distinct atttypid::int8 as t from pg_attribute where attrelid = $1::int8::oid and attnum > 0 and not attisdropped',
    [table],
  ).map((r) => r.t);
  const seen = new Set<bigint>();
  const ensure = (oids: readonly bigint[]): void => {
    const fresh = oids.filter((o) => o >= SYSTEM && !seen.has(o));
    if (fresh.length === 0) return;
    for (const o of fresh) seen.add(o);
    for (const t of describe(fresh)) {
      ensure(t.needs);
      if (t.extension !== null) {
        remote.exec(`create extension if not exists ${ident(t.extension)} cascade`);
        continue;
      }
      // Arrays and multiranges come with what they are made of.
      const ddl = createDdl(t);
      if (ddl === undefined) {
        if (t.kind === 'b' && t.needs.length === 0) throw extensionTypeMissing(qualified(t));
        continue;
      }
      const known = remote.rows(
        `select 1 from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
         where n.nspname = ${literal(t.schema)} and t.typname = ${literal(t.name)}`,
      );
      if (known.length === 0) remote.exec(`create schema if not exists ${ident(t.schema)}; ${ddl}`);
    }
  };
  ensure(first);
};
