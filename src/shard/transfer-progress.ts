import { aside, type Node } from '../cluster/index.ts';
import { one } from '../engine/spi.ts';
import { literal } from '../lib/quote.ts';
import type { Shard } from './distributed-table.ts';

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
  end(): void;
}

export const beginProgress = (
  operation: bigint,
  kind: 'move' | 'copy',
  shards: readonly Shard[],
  source: Node,
  target: Node,
  sizes: ReadonlyMap<bigint, bigint>,
): Progress => {
  const { pid } = one<{ pid: number }>('select pg_backend_pid() as pid');
  const rows = shards
    .map(
      (s) =>
        `(${operation}, ${pid}, ${literal(kind)}, ${s.relid}::oid, ${s.id}, ${source.id}, ${target.id}, 'Setting Up', ${sizes.get(s.id) ?? 0n})`,
    )
    .join(', ');
  const exec = (sql: string): void => aside((session) => session.exec(sql));
  exec(
    `insert into _tessera_catalog.shard_transfer
       (operation_id, pid, operation_type, table_name, shardid, source_nodeid, target_nodeid, status, source_size) values ${rows}`,
  );
  return {
    to: (status) =>
      exec(`update _tessera_catalog.shard_transfer set status = ${literal(status)} where operation_id = ${operation}`),
    replicate: (slot, subscription) =>
      exec(
        `update _tessera_catalog.shard_transfer set slot = ${literal(slot)}, subscription = ${literal(subscription)} where operation_id = ${operation}`,
      ),
    end: () => exec(`delete from _tessera_catalog.shard_transfer where operation_id = ${operation}`),
  };
};
