import {
  address,
  awaitPending,
  beginOperation,
  enlisted,
  ensureOwnerServer,
  keepMade,
  OBJECT,
  origin,
  POLICY,
  primaryOfGroup,
  recordAside,
  remoteRole,
  withNode,
  withServer,
  type Node,
  type Remote,
} from '../../cluster/index.ts';
import { one } from '../../engine/spi.ts';
import { findRelation } from '../../hypertable/index.ts';
import { ident, literal, qualified, type RelationName } from '../../lib/quote.ts';
import { keysOf, keyType } from './definition.ts';
import { findDistributed, shardsOf, type DistributedTable, type Shard } from '../table/distributed-table.ts';
import { strayTable } from './failures.ts';
import {
  foreignKeyDdl,
  HASH_SCHEMA,
  indexDdl,
  keyDdl,
  shardName,
  statisticsDdl,
  tableDdl,
  type Belonging,
  type Key,
} from '../table/shard-ddl.ts';
import { besideOthers, ensureTypes } from './types-on-nodes.ts';

const digest = (text: string): string => one<{ d: string }>('select md5($1::text) as d', [text]).d;
const bytes = (text: string): number => one<{ n: number }>('select octet_length($1::text) as n', [text]).n;

export const nameOfShard = (name: string, shardid: bigint): string => shardName(name, shardid, digest, bytes(name));

/** The table by which shards of this key check their rows: partitioned like the distributed table, and empty. */
const hashTable = (table: bigint, key: string): { readonly name: RelationName; readonly ddl: string } => {
  const found = keyType(table, key);
  if (found === undefined) throw new Error(`distribution column ${key} is gone`);
  const column = `v ${found.type}${found.collation === null ? '' : ` collate ${found.collation}`}`;
  const name = { schema: HASH_SCHEMA, name: `hash_${digest(column).slice(0, 16)}` };
  return { name, ddl: `create table if not exists ${qualified(name)} (${column}) partition by hash (v)` };
};

const belonging = (table: DistributedTable, shard: Shard): Belonging | undefined =>
  table.key === null || shard.modulus === null || shard.remainder === null
    ? undefined
    : {
        hash: hashTable(table.relid, table.key).name,
        column: table.key,
        modulus: shard.modulus,
        remainder: shard.remainder,
      };

/** What shards on a node need beside themselves; made as the administrator and left where it is. */
const prepareNode = (node: Node, table: DistributedTable, owner: string, schemas: readonly string[]): void => {
  awaitPending([node.id]);
  besideOthers(() =>
    withNode(node, (remote: Remote) => {
      const role = ident(remoteRole(owner));
      ensureTypes(node, remote, table.relid, remoteRole(owner));
      remote.exec(
        [
          ...schemas.map(
            (s) => `create schema if not exists ${ident(s)}; grant usage, create on schema ${ident(s)} to ${role}`,
          ),
          ...(table.key === null
            ? []
            : [
                `create schema if not exists ${ident(HASH_SCHEMA)}; grant usage on schema ${ident(HASH_SCHEMA)} to public`,
                hashTable(table.relid, table.key).ddl,
              ]),
        ].join(';\n'),
      );
    }),
  );
};

/** Tables that have the names of shards on a node where these have no placement. */
const strays = (remote: Remote, shards: readonly Shard[]): { readonly name: string; readonly ours: boolean }[] =>
  remote.rows(
    `select n as name, r.rolname like ${literal(`tessera\\_${origin()}\\_%`)} as ours
     from pg_catalog.unnest(array[${shards.map((s) => literal(qualified(s))).join(', ')}]) n
     join pg_catalog.pg_class c on c.oid = pg_catalog.to_regclass(n) join pg_catalog.pg_roles r on r.oid = c.relowner`,
  );

/**
 * Enters shards in the ledger before they are made: to be dropped unless the operation succeeds. What has their names
 * already goes if a role of ours owns it; it is left from when the node was removed. Otherwise nothing must be entered,
 * or the cleanup would drop what belongs to somebody else.
 */
export const announceShards = (operation: bigint, node: Node, shards: readonly Shard[]): void =>
  withNode(node, (remote) => {
    const found = strays(remote, shards);
    const foreign = found.find((f) => !f.ours);
    if (foreign !== undefined) throw strayTable(foreign.name, address(node));
    recordAside(
      operation,
      shards.map((s) => ({ kind: OBJECT.shard, name: qualified(s), group: node.group, policy: POLICY.onFailure })),
    );
    for (const f of found) remote.exec(`drop table ${f.name} cascade`);
  });

/** The shard a foreign key of this shard points at: the copy of a reference table, or the shard of the same remainder. */
export const referencedShard = (shard: Shard, key: Key): Shard => {
  if (key.referenced === shard.relid) return shard;
  const target = findDistributed(key.referenced as bigint);
  const found =
    target === undefined
      ? undefined
      : shardsOf(target.relid).find((s) => target.model === 't' || s.remainder === shard.remainder);
  if (found === undefined) throw new Error(`foreign key ${key.name} points at nothing`);
  return found;
};

export const nameIn =
  (shard: Shard) =>
  (name: string): string =>
    nameOfShard(name, shard.id);

/** Everything a shard gets after its rows: indexes, foreign keys, extended statistics. */
export const afterRows = (table: DistributedTable, shard: Shard): string[] => [
  ...table.definition.indexes.map((i) => indexDdl(shard, i, nameIn(shard))),
  ...table.definition.statistics.map((s) => statisticsDdl(shard, s, nameIn(shard))),
];

export const keyStatements = (table: DistributedTable, shard: Shard): string[] =>
  keysOf(table.relid)
    .filter((k) => k.kind !== 'f')
    .map((k) => keyDdl(shard, k, nameIn(shard)));

/** On the coordinator a reference table is itself its copy. */
const copyIn = (target: Shard, group: number): RelationName => {
  if (group !== 0 || findDistributed(target.relid)?.model !== 't') return target;
  return findRelation(target.relid) as RelationName;
};

/** Shards and copies the foreign keys of a shard point at, by their names on a node. */
const referencedOn = (shard: Shard, group: number): RelationName[] =>
  keysOf(shard.relid)
    .filter((k) => k.kind === 'f' && k.referenced !== shard.relid)
    .map((k) => copyIn(referencedShard(shard, k), group));

export const foreignKeyStatements = (
  table: DistributedTable,
  shard: Shard,
  group: number,
  wanted: (name: string) => boolean = () => true,
): string[] =>
  keysOf(table.relid)
    .filter((k) => k.kind === 'f' && wanted(k.name))
    .map((k) => foreignKeyDdl(shard, k, copyIn(referencedShard(shard, k), group), true));

/** The owner of a table that refers to somebody else's may do so; the nodes know his shards by another role. */
export const grantReferences = (node: Node, owner: string, work: readonly { readonly shard: Shard }[]): void => {
  const targets = work.flatMap((w) => referencedOn(w.shard, node.group));
  if (targets.length === 0) return;
  const role = remoteRole(owner);
  awaitPending([node.id]);
  besideOthers(() =>
    withNode(node, (remote) => {
      for (const target of new Map(targets.map((t) => [qualified(t), t])).values()) {
        const name = qualified(target);
        const { may } = remote.one<{ may: boolean }>(
          `select pg_catalog.has_schema_privilege(${literal(role)}, ${literal(target.schema)}, 'USAGE')
           and pg_catalog.has_table_privilege(${literal(role)}, ${literal(name)}, 'REFERENCES') as may`,
        );
        // GRANT does not wait for those who are changing the table, and fails.
        if (!may)
          remote.exec(
            `begin; lock table only ${name} in share row exclusive mode; grant usage on schema ${ident(target.schema)} to ${ident(role)};
           grant references on ${name} to ${ident(role)}; commit`,
          );
      }
    }),
  );
};

export const bareTable = (table: DistributedTable, shard: Shard): string[] =>
  tableDdl(shard, table.definition, belonging(table, shard));

/** Creates the tables of shards on one node, whole or bare, as the role that owns them there. */
export const makeOnNode = (
  operation: bigint,
  node: Node,
  owner: string,
  work: readonly { readonly table: DistributedTable; readonly shard: Shard }[],
  how: 'whole' | 'without foreign keys' | 'bare',
): void => {
  const server = ensureOwnerServer(node, owner);
  for (const table of new Set(work.map((w) => w.table)))
    prepareNode(node, table, owner, [...new Set(work.filter((w) => w.table === table).map((w) => w.shard.schema))]);
  if (how === 'whole') grantReferences(node, owner, work);
  withServer(
    server,
    node,
    (remote) => {
      const all = (ddl: (t: DistributedTable, s: Shard) => string[]): string[] =>
        work.flatMap((w) => ddl(w.table, w.shard));
      const statements =
        how === 'bare'
          ? all(bareTable)
          : [
              ...all(bareTable),
              ...all(keyStatements),
              ...all(afterRows),
              ...(how === 'whole' ? all((t, s) => foreignKeyStatements(t, s, node.group)) : []),
            ];
      // One transaction: the statements of one string.
      if (statements.length > 0) remote.exec(statements.join(';\n'));
    },
    enlisted(operation),
  );
};

/** The coordinator needs no copy of a reference table beside the table. */
export const madeOn = (table: DistributedTable, groups: readonly number[]): number[] =>
  table.model === 't' ? groups.filter((g) => g !== 0) : [...groups];

/** Makes all placements of a new table; what was made goes again unless this transaction commits. */
export const makeShards = (table: DistributedTable, owner: string): void => {
  const shards = shardsOf(table.relid).map((s) => ({ ...s, groups: madeOn(table, s.groups) }));
  const operation = beginOperation();
  for (const group of new Set(shards.flatMap((s) => s.groups))) {
    const node = primaryOfGroup(group);
    if (node === undefined) throw new Error(`group ${group} has no primary`);
    const here = shards.filter((s) => s.groups.includes(group));
    announceShards(operation, node, here);
    makeOnNode(
      operation,
      node,
      owner,
      here.map((shard) => ({ table, shard })),
      'whole',
    );
  }
  keepMade(operation);
};
