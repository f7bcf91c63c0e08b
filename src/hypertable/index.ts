/** What other features may use of hypertables. */
export { addPolicy, removePolicy, type NewPolicy } from './policy/add-policy.ts';
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
} from './capture/capture.ts';
export { copyReplicaIdentity } from './chunk/create-chunk.ts';
export { spaceDimension, timeDimension } from './dimension/dimensions.ts';
export { OWN_RESULTS_SETTING, watchIfResults, watchResults } from './capture/results-trigger.ts';
export { recordParts } from './table/parts.ts';
export {
  chunkKeys,
  addKeys,
  demoteKeys,
  keyColumns,
  promoteKeys,
  rootKeys,
  type ChunkKey,
  type KeyColumn,
} from './chunk/chunk-keys.ts';
export { copyGrants, foreignKeyDefinitions, indexDefinitions } from './chunk/chunk-definitions.ts';
export { openOwnHypertable, openHypertable, oidOf, type OpenHypertable } from './dimension/open-hypertable.ts';
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
} from './table/partition-ddl.ts';
export { readsInterval } from './table/argument-text.ts';
export { resolveBounds, selectChunks, toInternal, type SelectedChunk } from './dimension/chunk-bounds.ts';
export { dropChunks } from './chunk/drop-chunks.ts';
export { findRelation, relationOid, storedColumns, type Relation } from './table/relation.ts';
export {
  OF_THE_USER,
  readConstraints,
  readGroupedViews,
  readIncomingForeignKeys,
  readIndexes,
  readSamplers,
  readTriggers,
} from './table/read-table.ts';
export { internalSql, placeableSql, SQL_TYPES, typedLiteral } from './table/time-sql.ts';
export { makeHypertable } from './functions/create_hypertable.ts';
export { createRange } from './chunk/create-range.ts';
export { hypertableOf, type Config } from './policy/policy-kinds.ts';
export {
  internalNow,
  lagBound,
  parseLag,
  requireIntegerNow,
  requireReachable,
  requireReachableCreation,
  type Lag,
} from './policy/policy-time.ts';
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
} from './create/become-partitioned.ts';
export { checkReplaceable, checkTable, openColumn } from './create/check-table.ts';
