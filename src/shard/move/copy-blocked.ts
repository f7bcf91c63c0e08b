import { endReplication, enlisted, withNode, type Node, type Remote } from '../../cluster/index.ts';
import { hasSqlState, subtransaction } from '../../engine/spi.ts';
import { PgError } from '../../lib/pg-error.ts';
import { qualified } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import type { Shard } from '../table/distributed-table.ts';
import { announceReplication, copyUnlessStuck, findObstacle, startReplication, type End } from './replicate-shards.ts';

/**
 * Seconds after which copying from server to server counts as stuck. A replication slot waits for all transactions that
 * write on the source, and some of them may wait for the writers we keep out.
 */
const PATIENCE = 2;

const isWait = (e: unknown): boolean =>
  hasSqlState(e, SQLSTATE.lockNotAvailable) || (e instanceof PgError && e.sqlstate === SQLSTATE.lockNotAvailable);

/**
 * Copies the rows of shards that nobody writes from server to server, as a subscription does; false, and nothing has
 * been copied, where that cannot begin at once.
 */
export const copyDirectly = (operation: bigint, shards: readonly Shard[], source: Node, target: Node): boolean => {
  const copyOver = (from: Remote, to: Remote): boolean => {
    const ends: [End, End] = [
      { node: source, remote: from },
      { node: target, remote: to },
    ];
    if (findObstacle(...ends) !== undefined) return false;
    announceReplication(operation, source, target);
    let replication: ReturnType<typeof startReplication>;
    try {
      replication = subtransaction(() =>
        startReplication(operation, shards, ...ends, { patience: PATIENCE, publish: 'insert' }),
      );
    } catch (e) {
      if (isWait(e)) return false;
      throw e;
    }
    const copied = copyUnlessStuck(replication, PATIENCE);
    // Copies that are stuck have slots on the source, which dropping the subscription alone would wait for.
    endReplication(replication.subscription, [replication.slot, replication.copies], source, target);
    if (copied) return true;
    to.exec(`truncate ${shards.map(qualified).join(', ')}`);
    return false;
  };
  const session = enlisted(operation);
  return withNode(source, (from) => withNode(target, (to) => copyOver(from, to), session), session);
};
