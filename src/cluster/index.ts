/** What other features may use of the cluster. */
export { requireAdmin } from './admin.ts';
export {
  beginDrop,
  beginOperation,
  cleanUp,
  endReplication,
  enlisted,
  enlistedForeign,
  isUnderWay,
  keepMade,
  OBJECT,
  POLICY,
  recordAside,
  recordDeferred,
  type Remnant,
} from './cleanup.ts';
export { awaitPending } from './await-pending.ts';
export { address } from './failures.ts';
export { activePrimaries, allNodes, findNodeById, openNode, openNodeById, primaryOfGroup, type Node } from './node.ts';
export { isCopy, origin } from './origin.ts';
export { aside, withNode, withServer, type Remote } from './remote.ts';
export { queueCommand, requireUnused } from './remote-transaction.ts';
export { conninfoText, ensureOwnerServer, nodeServer, ownerServer, remoteRole } from './server.ts';
