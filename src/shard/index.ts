/** What other features may use of shards. */
export { distributedTables, shardsOf, tablesOfGroup, type DistributedTable, type Shard } from './distributed-table.ts';
export { groupBusy } from './failures.ts';
export { tryLockPlanning } from './locks.ts';
export { checkIdentity, nameOf, type Mode } from './move-checks.ts';
export { ownedRelation } from './owned-relation.ts';
export { referenceTables } from './reference.ts';
export { rightsOn, type ReplicationRights } from './replicate-shards.ts';
export { sizesOf } from './shard-sizes.ts';
