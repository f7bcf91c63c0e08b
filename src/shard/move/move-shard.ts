import {
  address,
  aside,
  awaitPending,
  beginOperation,
  enlisted,
  keepMade,
  OBJECT,
  ownerServer,
  POLICY,
  recordDeferred,
  withNode,
  withServer,
  type Node,
  type Remote,
} from '../../cluster/index.ts';
import { maybeOne, warning } from '../../engine/spi.ts';
import { findRelation, type Relation } from '../../hypertable/index.ts';
import { literal, qualified } from '../../lib/quote.ts';
import { copyDirectly } from './copy-blocked.ts';
import { copyRows } from './copy-rows.ts';
import {
  colocatedShards,
  findShard,
  tablesOfGroup,
  type DistributedTable,
  type Shard,
} from '../table/distributed-table.ts';
import { unknownShard } from '../distribute/failures.ts';
import { tryLockShard, tryShareGroup } from '../table/locks.ts';
import {
  afterRows,
  announceShards,
  foreignKeyStatements,
  grantReferences,
  keyStatements,
  makeOnNode,
} from '../definition/make-shards.ts';
import {
  busyShard,
  checkIdentity,
  checkNodes,
  checkNoOrphans,
  checkNoOwnId,
  checkPlacements,
  checkReferences,
  checkTable,
  checkTransaction,
  groupOf,
  type Mode,
} from './move-checks.ts';
import { ownedRelation } from '../table/owned-relation.ts';
import {
  announceReplication,
  awaitCopy,
  awaitSeat,
  catchUp,
  catchUpWithin,
  requireLogical,
  startReplication,
} from './replicate-shards.ts';
import { sizesOf } from '../table/shard-sizes.ts';
import { blockWrites, switchBlocked, switchPlacements } from './switch-placement.ts';
import { withProgress, type Progress } from './transfer-progress.ts';

interface Part {
  readonly table: DistributedTable;
  readonly shard: Shard;
  readonly owner: string;
}

interface Move {
  readonly operation: bigint;
  readonly parts: readonly Part[];
  readonly source: Node;
  readonly target: Node;
}

const isMoved = (shards: readonly Shard[], source: Node, target: Node): boolean =>
  shards.every((s) => s.groups.includes(target.group) && !s.groups.includes(source.group));

const byOwner = (parts: readonly Part[]): [string, Part[]][] =>
  [...new Set(parts.map((p) => p.owner))].map((owner) => [owner, parts.filter((p) => p.owner === owner)]);

/** As the role that owns the shards there, one transaction for each owner. */
const onTarget = ({ operation, target, parts }: Move, ddl: (p: Part) => string[], settings = ''): void => {
  for (const [owner, own] of byOwner(parts)) {
    const statements = own.flatMap(ddl);
    if (statements.length === 0) continue;
    withServer(
      ownerServer(target, owner),
      target,
      (remote) => remote.exec(statements.join(';\n')),
      enlisted(operation) + settings,
    );
  }
};

/** Nobody uses the shards there but replication, which must not make the move fail when it holds them for long. */
const PATIENT = 'set lock_timeout = 0; ';

/** Servers are made aside: this transaction must not have an id while slots are made, see replicate-shards. */
const ensureServers = ({ target, parts }: Move): void => {
  for (const [owner] of byOwner(parts)) {
    if (maybeOne('select from pg_foreign_server where srvname = $1', [ownerServer(target, owner)]) !== undefined)
      continue;
    aside((session) => session.perform(`_tessera_functions.ensure_owner_server(${target.id}, ${literal(owner)})`));
  }
};

const makeBare = ({ operation, target, parts }: Move): void => {
  for (const [owner, own] of byOwner(parts)) makeOnNode(operation, target, owner, own, 'bare');
};

const makeIndexes = (m: Move): void => onTarget(m, (p) => afterRows(p.table, p.shard), PATIENT);
/** Changes find their rows by the primary key; where none come in it is made faster after the rows. */
const makeKeys = (m: Move): void => onTarget(m, (p) => keyStatements(p.table, p.shard), PATIENT);

const makeForeignKeys = (m: Move): void => {
  for (const [owner, own] of byOwner(m.parts)) grantReferences(m.target, owner, own);
  onTarget(m, (p) => foreignKeyStatements(p.table, p.shard, m.target.group));
};

const analyze = (m: Move): void => onTarget(m, (p) => [`analyze ${qualified(p.shard)}`]);

/** From here on the transaction decides: what is new stays if it commits, and what is old goes. */
const settle = ({ operation, parts, source }: Move): void => {
  keepMade(operation);
  recordDeferred(
    operation,
    parts.map((p) => ({ kind: OBJECT.shard, name: qualified(p.shard), group: source.group, policy: POLICY.deferred })),
  );
};

const replicate = (m: Move, progress: Progress): void => {
  const { operation, source, target } = m;
  const shards = m.parts.map((p) => p.shard);
  makeKeys(m);
  announceReplication(operation, source, target);
  const copyOver = (from: Remote, to: Remote): void => {
    awaitSeat({ node: target, remote: to });
    checkNoOwnId(from);
    const replication = startReplication(
      operation,
      shards,
      { node: source, remote: from },
      { node: target, remote: to },
    );
    progress.replicate(replication.slot, replication.subscription);
    progress.to('Copying Data');
    awaitCopy(replication);
    progress.to('Catching Up');
    catchUp(replication);
    progress.to('Creating Constraints');
    makeIndexes(m);
    // Close behind the writers a foreign key finds its tables free.
    catchUp(replication);
    progress.to('Creating Foreign Keys');
    makeForeignKeys(m);
    analyze(m);
    progress.to('Final Catchup');
    catchUp(replication);
    progress.to('Completing');
    settle(m);
    switchPlacements(
      { shards, source, target },
      (seconds) => catchUpWithin(replication, seconds),
      () => catchUp(replication),
    );
  };
  const session = enlisted(operation);
  withNode(source, (from) => withNode(target, (to) => copyOver(from, to), session), session);
};

const copy = (m: Move, progress: Progress): void => {
  const shards = m.parts.map((p) => p.shard);
  blockWrites(shards);
  progress.to('Copying Data');
  if (!copyDirectly(m.operation, shards, m.source, m.target)) copyRows(m.operation, m.parts, m.source, m.target);
  progress.to('Creating Constraints');
  makeKeys(m);
  makeIndexes(m);
  progress.to('Creating Foreign Keys');
  makeForeignKeys(m);
  analyze(m);
  progress.to('Completing');
  settle(m);
  switchBlocked({ shards, source: m.source, target: m.target });
};

const checkBefore = (shards: readonly Shard[], group: number, source: Node, target: Node, mode: Mode): void => {
  checkPlacements(shards, source, target);
  checkTransaction(tablesOfGroup(group), mode);
  checkReferences(shards, target);
  if (mode === 'auto') checkIdentity(group);
  if (mode !== 'block_writes')
    withNode(source, (from) => {
      withNode(target, (to) => requireLogical({ node: source, remote: from }, { node: target, remote: to }));
      checkNoOwnId(from);
    });
};

/** Remnants of earlier moves would be in the way, and their slots and workers are few. */
const cleanUpAside = (): void => void aside((session) => session.perform('_tessera_functions.clean_up_nodes()'));

const transfer = (shards: readonly Shard[], source: Node, target: Node, mode: Mode): void => {
  const m: Move = {
    operation: beginOperation(),
    parts: shards.map((s) => ({
      table: groupOf(s.relid),
      shard: s,
      owner: (findRelation(s.relid) as Relation).owner,
    })),
    source,
    target,
  };
  ensureServers(m);
  announceShards(m.operation, target, shards);
  const sizes = new Map(sizesOf(shards.map((s) => s.id)).map((z) => [z.shardid, z.total]));
  withProgress({ operation: m.operation, kind: 'move', shards, source, target, sizes }, (progress) => {
    makeBare(m);
    if (mode === 'block_writes') copy(m, progress);
    else replicate(m, progress);
  });
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
  const shards = colocatedShards(shard, table.group);
  // Whoever moves a shard moves those of all tables of its group, and must own them all.
  for (const s of shards) ownedRelation(caller, s.relid);
  if (!tryShareGroup(table.group)) throw busyShard(shardid);
  for (const s of shards) if (!tryLockShard(s.id)) throw busyShard(s.id);
  // Looked up again: another move may have ended before the lock was taken.
  const now = colocatedShards(shard, table.group);
  if (!now.some((s) => s.id === shardid)) throw unknownShard(shardid);
  if (isMoved(now, source, target)) {
    warning(`shard ${shardid} is already on node ${address(target)}`);
    return;
  }
  awaitPending([source.id, target.id]);
  checkBefore(now, table.group, source, target, mode);
  cleanUpAside();
  checkNoOrphans(now, target);
  transfer(now, source, target, mode);
};
