/** What other features may use of hypertables. */
export { addPolicy, removePolicy, type NewPolicy } from './add-policy.ts';
export {
  captureCompressed,
  captureHeap,
  disableCapture,
  removeCapture,
  enableCapture,
  flushCapture,
  isCaptured,
  logEverything,
  withoutCapture,
} from './capture.ts';
export { copyReplicaIdentity } from './create-chunk.ts';
export { spaceDimension, timeDimension } from './dimensions.ts';
export { recordParts } from './parts.ts';
export {
  chunkKeys,
  addKeys,
  demoteKeys,
  keyColumns,
  promoteKeys,
  rootKeys,
  type ChunkKey,
  type KeyColumn,
} from './chunk-keys.ts';
export { copyGrants, foreignKeyDefinitions, indexDefinitions } from './chunk-definitions.ts';
export { openOwnHypertable, openHypertable, oidOf, type OpenHypertable } from './open-hypertable.ts';
export {
  assignTriggerDdl,
  attachPartition,
  CHANGED_SETTING,
  clearTriggerDdl,
  createChunkTable,
  createListChunk,
  PLACES_SETTING,
  type PartNames,
  partNames,
  placeFunctionDdl,
  placesDdl,
  truncateTriggerDdl,
} from './partition-ddl.ts';
export { readsInterval } from './argument-text.ts';
export { resolveBounds, selectChunks, toInternal, type SelectedChunk } from './chunk-bounds.ts';
export { dropChunks } from './drop-chunks.ts';
export { findRelation, relationOid, storedColumns, type Relation } from './relation.ts';
export { readConstraints, readIncomingForeignKeys, readIndexes, readTriggers } from './read-table.ts';
export { internalSql, placeableSql, SQL_TYPES, typedLiteral } from './time-sql.ts';
export { makeHypertable } from './functions/create_hypertable.ts';
export { createRange } from './create-range.ts';
export { hypertableOf, type Config } from './policy-kinds.ts';
export {
  internalNow,
  lagBound,
  parseLag,
  requireIntegerNow,
  requireReachable,
  requireReachableCreation,
  type Lag,
} from './policy-time.ts';
export {
  comment,
  createForeignKeysToIt,
  createGrants,
  createStatistics,
  createTriggersAndPolicies,
  replaceByRoot,
  replaceViews,
  takeSnapshot,
  type Snapshot,
} from './become-partitioned.ts';
export { checkReplaceable, checkTable, openColumn } from './check-table.ts';
