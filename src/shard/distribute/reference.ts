import {
  activePrimaries,
  address,
  beginOperation,
  ensureOwnerServer,
  keepMade,
  primaryOfGroup,
  withNode,
  withServer,
  type Node,
} from '../../cluster/index.ts';
import { withSettings } from '../../engine/session.ts';
import { query, run, warning } from '../../engine/spi.ts';
import { findRelation, type Relation } from '../../hypertable/index.ts';
import { literal, qualified, type RelationName } from '../../lib/quote.ts';
import {
  distributedTables,
  findShard,
  shardsOf,
  type DistributedTable,
  type Shard,
} from '../table/distributed-table.ts';
import { cannotCopy, inactiveTarget, noPlacement, unknownShard } from './failures.ts';
import { insertRows } from './reference-changes.ts';
import {
  announceShards,
  foreignKeyStatements,
  grantReferences,
  madeOn,
  makeOnNode,
} from '../definition/make-shards.ts';

/** Every active node has a copy of each reference table; on the coordinator the table itself is it. */
export const referencePlacements = (): number[] => {
  run('lock table _tessera_catalog.pg_dist_node in row share mode');
  return activePrimaries().map((n) => n.group);
};

export const referenceTables = (): { readonly table: DistributedTable; readonly shard: Shard }[] =>
  distributedTables()
    .filter((t) => t.model === 't')
    .map((table) => ({ table, shard: shardsOf(table.relid)[0] as Shard }));

/** Text of values that is the same on both sides, whatever the settings of the session. */
const EXACT = {
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  extra_float_digits: '3',
  lc_monetary: 'C',
  bytea_output: 'hex',
  xmloption: 'content',
  row_security: 'off',
};

/** Rows that one statement carries. */
const BATCH = 1000;

/**
 * Fills one copy with the rows of its table, committed there as it goes: a foreign table would keep locks on the copy until
 * this transaction ends, and foreign keys could not be made. The ledger drops it if the transaction fails.
 */
export const fillCopy = (table: DistributedTable, node: Node, owner: string, copy: RelationName): void =>
  withSettings(EXACT, () =>
    withServer(ensureOwnerServer(node, owner), node, (remote) => {
      const root = findRelation(table.relid) as Relation;
      remote.each(
        `select ${literal(insertRows(table, copy, '@rows@'))} as template, array_agg(x.r)::text as rows
         from (select pg_catalog.format('%s', t.*) as r, (row_number() over () - 1) / ${BATCH} as b from only ${qualified(root)} t) x group by x.b`,
      );
    }),
  );

export const fillCopies = (table: DistributedTable, owner: string): void => {
  for (const shard of shardsOf(table.relid))
    for (const group of madeOn(table, shard.groups)) fillCopy(table, primaryOfGroup(group) as Node, owner, shard);
};

const missingOn = (node: Node): { readonly table: DistributedTable; readonly shard: Shard }[] =>
  referenceTables().filter((r) => !r.shard.groups.includes(node.group));

/** In an order in which foreign keys find what they point at. */
const inOrder = <T extends { readonly table: DistributedTable }>(all: readonly T[]): T[] => {
  const keys = query<{ from: bigint; to: bigint }>(
    `select logicalrelid::oid::int8 as "from", referenced::oid::int8 as "to" from _tessera_catalog.pg_dist_key
     where kind = 'f' and referenced <> logicalrelid`,
  );
  const sorted: T[] = [];
  let left = [...all];
  while (left.length > 0) {
    const waiting = left;
    const free = waiting.filter(
      (t) => !keys.some((k) => k.from === t.table.relid && waiting.some((o) => o.table.relid === k.to)),
    );
    // A circle cannot be ordered; NOT NULL aside, PostgreSQL refuses to fill it too.
    const next = free.length > 0 ? free : waiting;
    sorted.push(...next);
    left = waiting.filter((t) => !next.includes(t));
  }
  return sorted;
};

/**
 * Brings copies of all reference tables to a node that lacks them. Their rows stand still meanwhile: writers wait to the
 * end of this transaction.
 */
export const copyReferences = (node: Node): number => {
  if (missingOn(node).length === 0) return 0;
  for (const r of missingOn(node))
    run(`lock table only ${qualified(findRelation(r.table.relid) as Relation)} in share row exclusive mode`);
  const missing = inOrder(missingOn(node));
  if (node.group !== 0) {
    const operation = beginOperation();
    announceShards(
      operation,
      node,
      missing.map((r) => r.shard),
    );
    for (const r of missing) {
      const root = findRelation(r.table.relid) as Relation;
      makeOnNode(operation, node, root.owner, [r], 'whole');
      fillCopy(r.table, node, root.owner, r.shard);
    }
    keepMade(operation);
  }
  for (const r of missing)
    run('insert into _tessera_catalog.pg_dist_placement (shardid, groupid) values ($1, $2)', [r.shard.id, node.group]);
  return missing.length;
};

export const copyToGroups = (groups: readonly number[]): void => {
  for (const g of groups) {
    const node = primaryOfGroup(g);
    if (node !== undefined) copyReferences(node);
  }
};

/** All nodes that lack copies get them; returns how many were made. */
export const copyEverywhere = (): number => {
  run('lock table _tessera_catalog.pg_dist_node in row share mode');
  return activePrimaries().reduce((sum, node) => sum + copyReferences(node), 0);
};

/** All of them to one node, named by one of their shards; what is there already only warns. */
export const copyReferencesTo = (shardid: bigint, source: Node, target: Node): void => {
  const shard = findShard(shardid);
  if (shard === undefined) throw unknownShard(shardid);
  if (!referenceTables().some((r) => r.shard.id === shardid)) throw cannotCopy(shardid);
  if (!target.active) throw inactiveTarget(address(target));
  if (!shard.groups.includes(source.group)) throw noPlacement(shardid, address(source));
  if (copyReferences(target) === 0) warning(`shard ${shardid} is already on node ${address(target)}`);
};

/** One table to one node, without its foreign keys; others can be copied at the same time. */
export const copyOne = (shardid: bigint, node: Node): void => {
  const found = referenceTables().find((r) => r.shard.id === shardid);
  if (found === undefined) throw unknownShard(shardid);
  const root = findRelation(found.table.relid) as Relation;
  run(`lock table only ${qualified(root)} in share row exclusive mode`);
  const [now] = shardsOf(found.table.relid);
  if (now === undefined || now.groups.includes(node.group)) return;
  if (node.group !== 0) {
    const operation = beginOperation();
    announceShards(operation, node, [now]);
    makeOnNode(operation, node, root.owner, [{ table: found.table, shard: now }], 'without foreign keys');
    fillCopy(found.table, node, root.owner, now);
    keepMade(operation);
  }
  run('insert into _tessera_catalog.pg_dist_placement (shardid, groupid) values ($1, $2)', [now.id, node.group]);
};

/** The foreign keys of all copies on a node, when all of them are there. */
export const finishCopies = (node: Node): void => {
  if (node.group === 0) return;
  const copies = referenceTables().filter((r) => r.shard.groups.includes(node.group));
  const names = withNode(node, (remote) =>
    remote.rows<{ name: string; shard: string }>(
      `select k.conname as name, pg_catalog.format('%I.%I', n.nspname, c.relname) as shard from pg_catalog.pg_constraint k
       join pg_catalog.pg_class c on c.oid = k.conrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace where k.contype = 'f'`,
    ),
  );
  for (const r of copies) {
    const owner = (findRelation(r.table.relid) as Relation).owner;
    const there = new Set(
      names.filter((x) => x.shard.replaceAll('"', '') === `${r.shard.schema}.${r.shard.name}`).map((x) => x.name),
    );
    const ddl = foreignKeyStatements(r.table, r.shard, node.group, (name) => !there.has(name));
    grantReferences(node, owner, [r]);
    if (ddl.length > 0) withServer(ensureOwnerServer(node, owner), node, (remote) => remote.exec(ddl.join(';\n')));
  }
};
