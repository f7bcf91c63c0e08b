import { query, run } from '../../engine/spi.ts';
import { qualified, type RelationName } from '../../lib/quote.ts';
import type { Relation } from '../table/relation.ts';

export const indexDefinitions = (
  chunk: Relation,
): {
  definition: string;
  name: string;
  parent: string;
  constraint: string | null;
  constraintDefinition: string | null;
}[] =>
  query(
    `select pg_get_indexdef(i.indexrelid) as definition, c.relname as name, coalesce(p.inhparent::regclass::text, '') as parent,
       k.conname as constraint, pg_get_constraintdef(k.oid) as "constraintDefinition"
     from pg_index i join pg_class c on c.oid = i.indexrelid left join pg_inherits p on p.inhrelid = i.indexrelid
     left join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = i.indrelid and k.contype in ('p', 'u', 'x')
     where i.indrelid = $1::int8::oid order by c.relname`,
    [chunk.oid],
  );

/** Foreign keys the chunk has for itself, not through its hypertable. */
export const foreignKeyDefinitions = (chunk: Relation): { name: string; definition: string }[] =>
  query(
    `select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint
     where conrelid = $1::int8::oid and contype = 'f' and conparentid = 0 order by conname`,
    [chunk.oid],
  );

/** A table without grants of its own has the default privileges of its owner, and so has the copy. */
export const copyGrants = (from: Relation, to: RelationName): void => {
  for (const g of query<{ grantee: string; privilege: string; grantable: boolean }>(
    `select case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end as grantee,
       x.privilege_type as privilege, x.is_grantable as grantable
     from pg_class c, aclexplode(c.relacl) x where c.oid = $1::int8::oid`,
    [from.oid],
  ))
    run(`grant ${g.privilege} on ${qualified(to)} to ${g.grantee}${g.grantable ? ' with grant option' : ''}`);
};
