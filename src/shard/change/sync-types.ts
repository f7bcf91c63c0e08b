import {
  awaitPending,
  isCopy,
  nodeServer,
  origin,
  primaryOfGroup,
  queueCommand,
  requireUnused,
  withNode,
  type Node,
} from '../../cluster/index.ts';
import { run } from '../../engine/spi.ts';
import { findRelation, type Relation } from '../../hypertable/index.ts';
import { displayed, qualified } from '../../lib/quote.ts';
import { sameValue } from '../../lib/canonical-json.ts';
import { readTypes } from '../definition/definition.ts';
import { distributedTables, shardsOf, type DistributedTable } from '../table/distributed-table.ts';
import { typeCannotFollow } from './failures.ts';
import { madeOn } from '../definition/make-shards.ts';
import { planTypeChange, withoutNumbers, type TypeChange } from '../definition/type-plan.ts';
import type { TypeShape } from '../table/type-shape.ts';

const changeOf = (was: TypeShape, now: TypeShape): TypeChange => {
  const change = planTypeChange(was, now);
  if (change === undefined) throw typeCannotFollow(displayed(was));
  return change;
};

const groupsOf = (t: DistributedTable): number[] => shardsOf(t.relid).flatMap((s) => madeOn(t, s.groups));

/** Has the types on the nodes follow those here, after one of them was changed. */
export const syncTypes = (): void => {
  const tables = distributedTables().map((t) => ({ ...t, types: readTypes(t.relid) }));
  if (isCopy()) {
    if (tables.some((t) => !sameValue(withoutNumbers(t.types), withoutNumbers(t.definition.types)))) origin();
    return;
  }
  const changed = new Map<number, { readonly change: TypeChange; readonly groups: Set<number> }>();
  for (const t of tables)
    for (const now of t.types) {
      const was = t.definition.types.find((w) => w.id === now.id);
      if (was === undefined || sameValue(was, now)) continue;
      const known = changed.get(now.id) ?? { change: changeOf(was, now), groups: new Set() };
      for (const group of groupsOf(t)) known.groups.add(group);
      changed.set(now.id, known);
    }
  const kept = keepOut(tables.filter((t) => t.types.some((y) => (changed.get(y.id)?.change.atCommit.length ?? 0) > 0)));
  for (const { change, groups } of changed.values())
    for (const group of groups) apply(primaryOfGroup(group) as Node, change, kept);
  for (const t of tables)
    if (!sameValue(t.types, t.definition.types))
      run(
        `update _tessera_catalog.pg_dist_partition set definition = jsonb_set(definition, '{types}', $2::text::jsonb)
         where logicalrelid::oid = $1::int8::oid`,
        [t.relid, JSON.stringify(t.types)],
      );
};

/**
 * Until the finisher has changed the type on the nodes, these know values by what they were called before: nobody may use
 * a table with such values meanwhile.
 */
const keepOut = (tables: readonly DistributedTable[]): bigint[] => {
  const relids = tables.filter((t) => t.model === 's').map((t) => t.relid);
  requireUnused(relids);
  for (const relid of relids.sort((a, b) => (a < b ? -1 : 1)))
    run(`lock table only ${qualified(findRelation(relid) as Relation)} in access exclusive mode`);
  return relids;
};

const apply = (node: Node, change: TypeChange, tables: readonly bigint[]): void => {
  if (change.atOnce.length + change.atCommit.length > 0) awaitPending([node.id]);
  if (change.atOnce.length > 0)
    withNode(node, (remote) => {
      for (const statement of change.atOnce) remote.exec(statement);
    });
  if (change.atCommit.length > 0)
    queueCommand(
      node,
      nodeServer(node),
      change.atCommit.join(';\n'),
      ...tables.map((relid) => ({ relid, rewrites: true })),
    );
};
