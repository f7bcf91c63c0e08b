import {
  address,
  awaitPending,
  ownerServer,
  primaryOfGroup,
  requireUnused,
  withServer,
  type Node,
} from '../../cluster/index.ts';
import { isCancel, warning } from '../../engine/spi.ts';
import { displayed, qualified } from '../../lib/quote.ts';
import { findDistributed, shardsOf } from '../table/distributed-table.ts';
import { notDistributed } from '../table/failures.ts';
import { ownedRelation } from '../table/owned-relation.ts';

/** What can be done to shards that leaves their rows as they are; each cannot run in a transaction. */
const COMMANDS = {
  vacuum: 'vacuum',
  vacuum_analyze: 'vacuum (analyze)',
  vacuum_full: 'vacuum (full)',
  vacuum_full_analyze: 'vacuum (full, analyze)',
  reindex: 'reindex table',
  reindex_concurrently: 'reindex table concurrently',
} as const;
export type Maintenance = keyof typeof COMMANDS;

/**
 * PostgreSQL passes over foreign tables, and says no more than a warning. Returns how many placements it was done to; what
 * fails on one is a warning, and the others go on.
 */
export const maintainShards = (caller: string, relid: bigint, what: Maintenance): number => {
  const root = ownedRelation(caller, relid);
  const table = findDistributed(relid);
  if (table === undefined) throw notDistributed(displayed(root));
  requireUnused([relid]);
  const placements = shardsOf(relid).flatMap((shard) =>
    // On the coordinator a reference table is its own copy.
    shard.groups.filter((g) => g !== 0 || table.model !== 't').map((g) => ({ shard, node: primaryOfGroup(g) as Node })),
  );
  awaitPending(placements.map((p) => p.node.id));
  let done = 0;
  for (const { shard, node } of placements)
    try {
      withServer(ownerServer(node, root.owner), node, (r) => r.answer(`${COMMANDS[what]} ${qualified(shard)}`));
      done++;
    } catch (e) {
      if (isCancel(e) || !(e instanceof Error)) throw e;
      warning(`shard ${qualified(shard)} on node ${address(node)}: ${e.message}`);
    }
  return done;
};
