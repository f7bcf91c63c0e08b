/** What other features may use of the cluster. */
export { requireAdmin } from './admin.ts';
export {
  beginOperation,
  cleanUp,
  enlist,
  enlistForeign,
  isUnderWay,
  keepMade,
  OBJECT,
  POLICY,
  recordAside,
  recordDeferred,
  type Remnant,
} from './cleanup.ts';
export { address } from './failures.ts';
export { activePrimaries, allNodes, findNodeById, openNode, openNodeById, primaryOfGroup, type Node } from './node.ts';
export { aside, withNode, withServer, type Remote } from './remote.ts';
export { queueCommand } from './remote-transaction.ts';
export { conninfoText, ensureOwnerServer, origin, ownerServer, remoteRole } from './server.ts';
