import { maybeOne, one, query, run, warning } from '../engine/spi.ts';
import { cleanUp, isUnderWay } from './cleanup.ts';
import { address, leftovers, operationUnderWay, unknownRemovedNode } from './failures.ts';
import type { Node } from './node.ts';

const REMNANTS = 'from _tessera_catalog.pg_dist_cleanup c where c.node_group_id = $1';

/**
 * Before a node is forgotten, what earlier operations left there goes, or there is an error: a slot keeps WAL until the disk
 * is full. A node that does not answer is let go, since it may never come back; what it has stays in the ledger.
 */
export const leaveNothing = (node: Node): void => {
  if (maybeOne(`select ${REMNANTS} and ${isUnderWay('c.operation_id')} limit 1`, [node.group]) !== undefined)
    throw operationUnderWay(address(node));
  if (maybeOne(`select ${REMNANTS} limit 1`, [node.group]) === undefined) return;
  const { unreachable } = cleanUp(node.group);
  const { count, reason } = one<{ count: number; reason: string }>(
    `select count(*)::int as count, coalesce(max(c.message), '') as reason ${REMNANTS}`,
    [node.group],
  );
  if (count === 0) return;
  if (!unreachable.includes(node.group)) throw leftovers(address(node), count, reason);
  run('insert into _tessera_catalog.removed_node (groupid, nodename, nodeport) values ($1, $2, $3)', [
    node.group,
    node.name,
    node.port,
  ]);
  warning(`${count} objects of earlier operations stay on node ${address(node)}, which does not answer`);
};

/** The groups that removed nodes of this address had; from now on nothing is known of them. */
const takeRemoved = (name: string, port: number): number[] =>
  query<{ group: number }>(
    'delete from _tessera_catalog.removed_node where nodename = $1 and nodeport = $2 returning groupid as "group"',
    [name, port],
  ).map((r) => r.group);

/** A node that comes back brings along what could not be dropped when it was removed. */
export const rejoin = (node: Node): void => {
  for (const group of takeRemoved(node.name, node.port))
    run('update _tessera_catalog.pg_dist_cleanup set node_group_id = $1 where node_group_id = $2', [node.group, group]);
};

/** The server is gone for good, and what was on it. */
export const forgetRemovedNode = (name: string, port: number): void => {
  const groups = takeRemoved(name, port);
  if (groups.length === 0) throw unknownRemovedNode(name, port);
  for (const group of groups) run('delete from _tessera_catalog.pg_dist_cleanup where node_group_id = $1', [group]);
};
