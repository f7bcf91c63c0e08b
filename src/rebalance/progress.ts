import { findNodeById, isUnderWay, withNode, type Node } from '../cluster/index.ts';
import { query } from '../engine/spi.ts';
import { literal } from '../lib/quote.ts';
import { sizesOf } from '../shard/index.ts';

interface Transfer {
  readonly pid: number;
  readonly kind: string;
  readonly table: string;
  readonly shardid: bigint;
  readonly name: string;
  readonly source: number;
  readonly target: number;
  readonly status: string;
  readonly size: bigint;
  readonly subscription: string | null;
  readonly seconds: number;
}

export interface ProgressRow {
  readonly sessionid: number;
  readonly table_name: string;
  readonly shardid: bigint;
  readonly shard_size: bigint;
  readonly sourcename: string;
  readonly sourceport: number;
  readonly targetname: string;
  readonly targetport: number;
  readonly progress: bigint;
  readonly source_shard_size: bigint;
  readonly target_shard_size: bigint;
  readonly operation_type: string;
  readonly source_lsn: string | null;
  readonly target_lsn: string | null;
  readonly status: string;
  readonly bytes_per_second: bigint;
  readonly eta: string | null;
}

const sizesOnTarget = (node: Node, names: readonly string[]): Map<string, bigint> =>
  withNode(
    node,
    (remote) =>
      new Map(
        remote
          .rows<{ name: string; size: number }>(
            `select v.name, coalesce(pg_catalog.pg_total_relation_size(pg_catalog.to_regclass(v.name)), 0) as size
             from (values ${names.map((n) => `(${literal(n)})`).join(', ')}) v(name)`,
          )
          .map((r) => [r.name, BigInt(r.size)]),
      ),
  );

const lsns = (source: Node, target: Node, subscription: string | null) =>
  subscription === null
    ? { source: null, target: null }
    : {
        source: withNode(source, (r) => r.one<{ lsn: string }>('select pg_catalog.pg_current_wal_lsn()::text as lsn'))
          .lsn,
        target:
          withNode(target, (r) =>
            r.rows<{ lsn: string | null }>(
              `select pg_catalog.max(s.latest_end_lsn)::text as lsn from pg_catalog.pg_stat_subscription s where s.subname = ${literal(subscription)} and s.relid is null`,
            ),
          )[0]?.lsn ?? null,
      };

/** Transfers that are under way, with what their nodes say of them now. */
export const readProgress = (): ProgressRow[] => {
  const transfers = query<Transfer>(
    `select t.pid, t.operation_type as kind, t.table_name::text as "table", t.shardid, format('%I.%I', s.shard_schema, s.shard_name) as name,
       t.source_nodeid as source, t.target_nodeid as target, t.status, t.source_size as size, t.subscription::text as subscription,
       extract(epoch from clock_timestamp() - t.started_at)::float8 as seconds
     from _tessera_catalog.shard_transfer t join _tessera_catalog.pg_dist_shard s using (shardid)
     where ${isUnderWay('t.operation_id')}
     order by t.operation_id, t.shardid`,
  );
  const sources = new Map(sizesOf(transfers.map((t) => t.shardid)).map((z) => [z.shardid, z.total]));
  const operations = [...new Set(transfers.map((t) => t.pid))];
  return operations.flatMap((pid) => {
    const mine = transfers.filter((t) => t.pid === pid);
    const [first] = mine as [Transfer];
    const [source, target] = [findNodeById(first.source), findNodeById(first.target)];
    if (source === undefined || target === undefined) return [];
    const there = sizesOnTarget(
      target,
      mine.map((t) => t.name),
    );
    const lsn = lsns(source, target, first.subscription);
    const total = mine.reduce((sum, t) => sum + Number(t.size), 0);
    const done = mine.reduce((sum, t) => sum + Number(there.get(t.name) ?? 0n), 0);
    const rate = first.seconds > 0 ? done / first.seconds : 0;
    const eta = rate > 0 && done < total ? `${Math.ceil((total - done) / rate)} seconds` : null;
    return mine.map((t) => ({
      sessionid: t.pid,
      table_name: t.table,
      shardid: t.shardid,
      shard_size: t.size,
      sourcename: source.name,
      sourceport: source.port,
      targetname: target.name,
      targetport: target.port,
      progress: t.status === 'Completed' ? 2n : 1n,
      source_shard_size: sources.get(t.shardid) ?? t.size,
      target_shard_size: there.get(t.name) ?? 0n,
      operation_type: t.kind,
      source_lsn: lsn.source,
      target_lsn: lsn.target,
      status: t.status,
      bytes_per_second: BigInt(Math.round(rate)),
      eta,
    }));
  });
};
