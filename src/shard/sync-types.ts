import { isCopy, nodeServer, primaryOfGroup, queueCommand, withNode, type Node } from '../cluster/index.ts';
import { query } from '../engine/spi.ts';
import { displayed, literal } from '../lib/quote.ts';
import { inPlainText } from './definition.ts';
import { distributedTables, shardsOf } from './distributed-table.ts';
import { typeCannotFollow } from './failures.ts';
import { madeOn } from './make-shards.ts';
import { planTypeChange, type TypeShape } from './type-plan.ts';
import { typesUsed } from './types-on-nodes.ts';

const shapes = (condition: string): string =>
  `select n.nspname as schema, t.typname as name, t.typtype::text as kind, t.typnotnull as "notNull",
     array(select e.enumlabel::text from pg_catalog.pg_enum e where e.enumtypid = t.oid order by e.enumsortorder) as labels,
     coalesce((select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod)) order by a.attnum)
       from pg_catalog.pg_attribute a where a.attrelid = nullif(t.typrelid, 0) and a.attnum > 0 and not a.attisdropped), '[]') as fields,
     coalesce((select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', c.conname, 'definition', pg_catalog.pg_get_constraintdef(c.oid)) order by c.conname)
       from pg_catalog.pg_constraint c where c.contypid = t.oid and c.contype = 'c'), '[]') as checks
   from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace where ${condition}`;

const syncNode = (node: Node, types: readonly TypeShape[]): void => {
  if (types.length === 0) return;
  const names = types.map((t) => `(${literal(t.schema)}, ${literal(t.name)})`).join(', ');
  withNode(node, (remote) => {
    remote.exec('set search_path to pg_catalog; set timezone to UTC');
    const there = remote.rows<TypeShape>(shapes(`(n.nspname, t.typname) in (${names})`));
    for (const now of types) {
      const was = there.find((t) => t.schema === now.schema && t.name === now.name);
      const change = was === undefined ? undefined : planTypeChange(was, now);
      if (change === undefined) throw typeCannotFollow(displayed(now));
      for (const statement of change.atOnce) remote.exec(statement);
      if (change.atCommit.length > 0) queueCommand(node, nodeServer(node), change.atCommit.join(';\n'));
    }
  });
};

/** Has the types on the nodes follow those here, after one of them was changed. */
export const syncTypes = (): void => {
  if (isCopy()) return;
  const tables = distributedTables().map((t) => ({
    relid: t.relid,
    groups: shardsOf(t.relid).flatMap((s) => madeOn(t, s.groups)),
  }));
  for (const group of new Set(tables.flatMap((t) => t.groups))) {
    const used = typesUsed(tables.filter((t) => t.groups.includes(group)).map((t) => t.relid))
      .filter((t) => t.oid >= 16384n && t.extension === null && ['e', 'c', 'd', 'r'].includes(t.kind))
      .map((t) => t.oid);
    const types = inPlainText(() => query<TypeShape>(shapes('t.oid = any($1::int8[]::oid[])'), [used]));
    syncNode(primaryOfGroup(group) as Node, types);
  }
};
