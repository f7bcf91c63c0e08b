/** What other features may use of shards. */
export {
  distributedTables,
  findDistributed,
  shardsOf,
  tablesOfGroup,
  type DistributedTable,
  type Shard,
} from './table/distributed-table.ts';
export { groupBusy } from './table/failures.ts';
export { tryLockPlanning } from './table/locks.ts';
export { checkIdentity, nameOf, type Mode } from './move/move-checks.ts';
export { ownedRelation } from './table/owned-relation.ts';
export { referenceTables } from './distribute/reference.ts';
export { rightsOn, type ReplicationRights } from './move/replicate-shards.ts';
export { sizesOf } from './table/shard-sizes.ts';
