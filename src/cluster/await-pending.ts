import { isReadCommitted } from '../engine/isolation.ts';
import { query } from '../engine/spi.ts';
import { stillPending } from './failures.ts';
import { findNodeById } from './node.ts';
import { origin } from './origin.ts';
import { aside } from './remote.ts';

/** Seconds that a finisher has, which needs some milliseconds, and that others have who are at it. */
const PATIENCE = { finisher: 10, others: 3 } as const;

/** Nodes that still have something prepared, by when nobody is at it any more. */
const leftOn = (ids: readonly number[], who: keyof typeof PATIENCE): number[] => {
  const sql = `select nodeid from _tessera_functions.await_finishers(
    array[${ids.join(', ')}]::int4[], ${PATIENCE[who]}, ${who === 'others'}) nodeid`;
  // The snapshot of this transaction may not see what others have committed since.
  const rows = isReadCommitted()
    ? query<{ nodeid: number }>(sql)
    : aside((session) => session.rows<{ nodeid: number }>(sql));
  return rows.map((r) => r.nodeid);
};

/**
 * What committed transactions have prepared on nodes is not visible there before their finishers have ended it: an index
 * that was made a moment ago could neither be dropped nor renamed. Waits for them, and does their work where they are gone.
 * Whoever looks at a node, or queues what depends on something there, has to have passed here with the locks that keep out
 * others.
 */
export const awaitPending = (ids: readonly number[]): void => {
  const nodes = [...new Set(ids)];
  if (nodes.length === 0) return;
  // What a copy of the database finds pending is that of its original.
  origin();
  const left = leftOn(nodes, 'finisher');
  if (left.length === 0) return;
  // Aside: moves must not have a transaction id, and what was healed stays so.
  aside((session) => session.perform(`_tessera_functions.heal_some_nodes(array[${left.join(', ')}]::int4[])`));
  const [stuck] = leftOn(left, 'others');
  const node = stuck === undefined ? undefined : findNodeById(stuck);
  if (node !== undefined) throw stillPending(node);
};

/** For whoever only looks: goes on after a while. */
export const awaitPendingOrGoOn = (ids: readonly number[]): void => {
  if (ids.length > 0) leftOn(ids, 'others');
};
