import {
  address,
  aside,
  beginOperation,
  keepMade,
  OBJECT,
  ownerServer,
  POLICY,
  recordAside,
  recordDeferred,
  withNode,
  withServer,
  type Node,
} from '../cluster/index.ts';
import { maybeOne, warning } from '../engine/spi.ts';
import { findRelation, type Relation } from '../hypertable/index.ts';
import { literal, qualified } from '../lib/quote.ts';
import { colocatedShards, findShard, type DistributedTable, type Shard } from './distributed-table.ts';
import { unknownShard } from './failures.ts';
import { tryLockShard, tryShareGroup } from './locks.ts';
import { afterRows, foreignKeyStatements, grantReferences, keyStatements, makeOnNode } from './make-shards.ts';
import {
  busyShard,
  checkIdentity,
  checkNodes,
  checkNoOrphans,
  checkOwner,
  checkPlacements,
  checkTable,
  groupOf,
  type Mode,
} from './move-checks.ts';
import { announceReplication, awaitCopy, catchUp, startReplication } from './replicate-shards.ts';
import { sizesOf } from './shard-sizes.ts';
import { blockWrites, switchPlacements } from './switch-placement.ts';
import { beginProgress, type Progress } from './transfer-progress.ts';

interface Part {
  readonly table: DistributedTable;
  readonly shard: Shard;
  readonly owner: string;
}

const isMoved = (shards: readonly Shard[], source: Node, target: Node): boolean =>
  shards.every((s) => s.groups.includes(target.group) && !s.groups.includes(source.group));

/** As the role that owns the shards there, one transaction for each owner. */
const onTarget = (target: Node, parts: readonly Part[], ddl: (p: Part) => string[]): void => {
  for (const owner of new Set(parts.map((p) => p.owner))) {
    const statements = parts.filter((p) => p.owner === owner).flatMap(ddl);
    if (statements.length > 0)
      withServer(ownerServer(target, owner), target, (remote) => remote.exec(statements.join(';\n')));
  }
};

/** Servers are made aside: this transaction must not have an id while slots are made, see replicate-shards. */
const ensureServers = (target: Node, parts: readonly Part[]): void => {
  for (const owner of new Set(parts.map((p) => p.owner))) {
    if (maybeOne('select from pg_foreign_server where srvname = $1', [ownerServer(target, owner)]) !== undefined)
      continue;
    aside((session) =>
      session.rows(`select _tessera_functions.ensure_owner_server(${target.id}, ${literal(owner)}) as server`),
    );
  }
};

const makeBare = (target: Node, parts: readonly Part[]): void => {
  for (const owner of new Set(parts.map((p) => p.owner)))
    makeOnNode(
      target,
      owner,
      parts.filter((p) => p.owner === owner),
      'bare',
    );
};

const transfer = (
  operation: bigint,
  parts: readonly Part[],
  source: Node,
  target: Node,
  blocking: boolean,
  progress: Progress,
): void => {
  const shards = parts.map((p) => p.shard);
  makeBare(target, parts);
  // Changes find their rows by the primary key; where none come in it is made faster afterwards.
  if (!blocking) onTarget(target, parts, (p) => keyStatements(p.table, p.shard));
  if (blocking) blockWrites(shards);
  announceReplication(operation, source, target);
  withNode(source, (from) =>
    withNode(target, (to) => {
      const there = { node: target, remote: to };
      const replication = startReplication(operation, shards, { node: source, remote: from }, there);
      progress.replicate(replication.slot, replication.subscription);
      progress.to('Copying Data');
      awaitCopy(replication, there);
      progress.to('Catching Up');
      catchUp(replication, from, there, undefined);
      progress.to('Creating Constraints');
      if (blocking) onTarget(target, parts, (p) => keyStatements(p.table, p.shard));
      onTarget(target, parts, (p) => afterRows(p.table, p.shard));
      progress.to('Creating Foreign Keys');
      for (const owner of new Set(parts.map((p) => p.owner)))
        grantReferences(
          target,
          owner,
          parts.filter((p) => p.owner === owner),
        );
      onTarget(target, parts, (p) => foreignKeyStatements(p.table, p.shard, target.group));
      onTarget(target, parts, (p) => [`analyze ${qualified(p.shard)}`]);
      progress.to('Final Catchup');
      catchUp(replication, from, there, undefined);
      switchPlacements(shards, source, target, () => catchUp(replication, from, there, 0.5));
    }),
  );
  progress.to('Completing');
};

/**
 * Moves the shards of all colocated tables from one node to another. Everything made on nodes is in the ledger before it
 * is made; the one point of commit is that of the caller's transaction, after which the old placements are dropped.
 */
export const moveShard = (caller: string, shardid: bigint, source: Node, target: Node, mode: Mode): void => {
  const shard = findShard(shardid);
  if (shard === undefined) throw unknownShard(shardid);
  const table = groupOf(shard.relid);
  checkTable(table);
  checkNodes(source, target);
  if (!tryShareGroup(table.group)) throw busyShard(shardid);
  const shards = colocatedShards(shard, table.group);
  for (const s of shards) checkOwner(caller, s.relid);
  for (const s of shards) if (!tryLockShard(s.id)) throw busyShard(s.id);
  // Looked up again: another move may have ended before the lock was taken.
  const now = colocatedShards(shard, table.group);
  if (isMoved(now, source, target)) {
    warning(`shard ${shardid} is already on node ${address(target)}`);
    return;
  }
  checkPlacements(now, source, target);
  if (mode === 'auto') checkIdentity(table.group);
  aside((session) => session.rows('select dropped from _tessera_functions.clean_up_nodes()'));
  checkNoOrphans(now, target);
  const parts = now.map((s) => ({
    table: groupOf(s.relid),
    shard: s,
    owner: (findRelation(s.relid) as Relation).owner,
  }));
  const operation = beginOperation();
  ensureServers(target, parts);
  recordAside(
    operation,
    now.map((s) => ({ kind: OBJECT.shard, name: qualified(s), group: target.group, policy: POLICY.onFailure })),
  );
  const sizes = new Map(sizesOf(now.map((s) => s.id)).map((z) => [z.shardid, z.total]));
  const progress = beginProgress(operation, 'move', now, source, target, sizes);
  try {
    transfer(operation, parts, source, target, mode === 'block_writes', progress);
  } catch (e) {
    progress.end();
    throw e;
  }
  keepMade(operation);
  recordDeferred(
    operation,
    now.map((s) => ({ kind: OBJECT.shard, name: qualified(s), group: source.group, policy: POLICY.deferred })),
  );
  progress.end();
};
