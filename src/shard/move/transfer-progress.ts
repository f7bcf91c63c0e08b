import { aside, type Node } from '../../cluster/index.ts';
import { backendPid } from '../../engine/session.ts';
import { literal } from '../../lib/quote.ts';
import type { Shard } from '../table/distributed-table.ts';

export type Status =
  | 'Setting Up'
  | 'Copying Data'
  | 'Catching Up'
  | 'Creating Constraints'
  | 'Final Catchup'
  | 'Creating Foreign Keys'
  | 'Completing'
  | 'Completed';

/** What others see of a transfer, written outside its transaction. */
export interface Progress {
  to(status: Status): void;
  replicate(slot: string, subscription: string): void;
}

export interface Transfer {
  readonly operation: bigint;
  readonly kind: 'move' | 'copy';
  readonly shards: readonly Shard[];
  readonly source: Node;
  readonly target: Node;
  readonly sizes: ReadonlyMap<bigint, bigint>;
}

/**
 * Shows a transfer while the body runs. The rows of a transfer that is cancelled go with the next cleanup.
 */
export const withProgress = (t: Transfer, body: (progress: Progress) => void): void => {
  const pid = backendPid();
  const rows = t.shards
    .map(
      (s) =>
        `(${t.operation}, ${pid}, ${literal(t.kind)}, ${s.relid}::oid, ${s.id}, ${t.source.id}, ${t.target.id}, 'Setting Up', ${t.sizes.get(s.id) ?? 0n})`,
    )
    .join(', ');
  aside((session) => {
    session.exec(
      `insert into _tessera_catalog.shard_transfer
         (operation_id, pid, operation_type, table_name, shardid, source_nodeid, target_nodeid, status, source_size) values ${rows}`,
    );
    const set = (assignment: string): void =>
      session.exec(`update _tessera_catalog.shard_transfer set ${assignment} where operation_id = ${t.operation}`);
    const end = (): void =>
      session.exec(`delete from _tessera_catalog.shard_transfer where operation_id = ${t.operation}`);
    try {
      body({
        to: (status) => set(`status = ${literal(status)}`),
        replicate: (slot, subscription) => set(`slot = ${literal(slot)}, subscription = ${literal(subscription)}`),
      });
    } catch (e) {
      try {
        end();
      } catch {
        // What went wrong first is what the caller has to know.
      }
      throw e;
    }
    end();
  }, 'set synchronous_commit = off; ');
};
