import { conninfoText, OBJECT, origin, POLICY, recordAside, type Node, type Remote } from '../cluster/index.ts';
import { one, run } from '../engine/spi.ts';
import { PgError } from '../lib/pg-error.ts';
import { ident, literal, qualified } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import type { Shard } from './distributed-table.ts';

/**
 * A subscription of the target to the shards on the source. PostgreSQL itself copies the rows, one COPY from server to
 * server for each table, and then what has changed meanwhile.
 */
export interface Replication {
  readonly slot: string;
  readonly subscription: string;
  readonly oid: string;
}

const sleep = (seconds: number): void => void run('select pg_sleep($1::float8)', [seconds]);

const requireLogical = (source: Remote, node: Node): void => {
  const { wal } = source.one<{ wal: string }>(`select pg_catalog.current_setting('wal_level') as wal`);
  if (wal !== 'logical')
    throw new PgError({
      sqlstate: SQLSTATE.objectNotInPrerequisiteState,
      message: `shards cannot be copied from node ${node.name}:${node.port}`,
      detail: `Its wal_level is "${wal}".`,
      hint: 'Run there: alter system set wal_level = logical; and restart it.',
    });
};

export const namesFor = (operation: bigint): { slot: string; subscription: string; publication: string } => {
  const name = `tessera_move_${origin()}_${operation}`;
  return { slot: name, subscription: name, publication: name };
};

/** Before any of it is made, so that a crash leaves nothing behind that nobody knows of. */
export const announceReplication = (operation: bigint, source: Node, target: Node): void => {
  const names = namesFor(operation);
  const { policy } = { policy: POLICY.always };
  recordAside(operation, [
    { kind: OBJECT.subscription, name: names.subscription, group: target.group, policy },
    { kind: OBJECT.slot, name: names.slot, group: source.group, policy },
    { kind: OBJECT.publication, name: names.publication, group: source.group, policy },
  ]);
};

/** Types that are the same on every server can cross it in their binary form, which is faster. */
const binary = (shards: readonly Shard[], source: Remote, target: Remote): boolean => {
  const version = (r: Remote): number =>
    r.one<{ v: number }>(`select pg_catalog.current_setting('server_version_num')::int / 10000 as v`).v;
  const { foreign } = source.one<{ foreign: number }>(
    `select pg_catalog.count(*)::int as foreign from pg_catalog.pg_attribute a
     where a.attrelid = any(array[${shards.map((s) => literal(qualified(s))).join(', ')}]::pg_catalog.regclass[])
       and a.attnum > 0 and not a.attisdropped and a.atttypid >= 16384`,
  );
  const [from, to] = [version(source), version(target)];
  return foreign === 0 && from >= 16 && from === to;
};

export const startReplication = (
  operation: bigint,
  shards: readonly Shard[],
  from: { readonly node: Node; readonly remote: Remote },
  to: { readonly node: Node; readonly remote: Remote },
): Replication => {
  requireLogical(from.remote, from.node);
  const names = namesFor(operation);
  from.remote.exec(`create publication ${ident(names.publication)} for table ${shards.map(qualified).join(', ')}`);
  // Not by CREATE SUBSCRIPTION, which would wait for itself where both nodes are databases of one server.
  from.remote.rows(
    `select pg_catalog.pg_create_logical_replication_slot(${literal(names.slot)}, 'pgoutput')::text as slot`,
  );
  to.remote.exec(
    `create subscription ${ident(names.subscription)} connection ${literal(conninfoText(from.node))} publication ${ident(names.publication)}
     with (create_slot = false, slot_name = ${literal(names.slot)}, copy_data = true, synchronous_commit = off, binary = ${binary(shards, from.remote, to.remote)})`,
  );
  const { oid } = to.remote.one<{ oid: string }>(
    `select oid::text as oid from pg_catalog.pg_subscription where subname = ${literal(names.subscription)}`,
  );
  recordAside(operation, [
    { kind: OBJECT.slot, name: `pg\\_${oid}\\_sync\\_%`, group: from.node.group, policy: POLICY.always },
  ]);
  return { ...names, oid };
};

const failed = (target: Node, what: string): PgError =>
  new PgError({
    sqlstate: SQLSTATE.connectionException,
    message: `replication of shards to node ${target.name}:${target.port} has failed`,
    detail: what,
    hint: 'The log of that node says why.',
  });

const checkErrors = (r: Replication, target: { readonly node: Node; readonly remote: Remote }): void => {
  const { errors } = target.remote.one<{ errors: number }>(
    `select coalesce((select s.apply_error_count + s.sync_error_count from pg_catalog.pg_stat_subscription_stats s where s.subid = ${r.oid}), 0) as errors`,
  );
  if (errors > 0) throw failed(target.node, 'Its subscription reports an error.');
};

/** Waits until the rows of every table have been copied. */
export const awaitCopy = (r: Replication, target: { readonly node: Node; readonly remote: Remote }): void => {
  for (let wait = 0.01; ; wait = Math.min(wait * 1.5, 0.5)) {
    const { left } = target.remote.one<{ left: number }>(
      `select pg_catalog.count(*)::int as left from pg_catalog.pg_subscription_rel where srsubid = ${r.oid} and srsubstate <> 'r'`,
    );
    if (left === 0) return;
    checkErrors(r, target);
    sleep(wait);
  }
};

/** Seconds without any progress after which a transfer gives up. */
const patience = (): number =>
  Number(one<{ s: string }>(`select _tessera_functions.setting('logical_replication_timeout') as s`).s);

/** Waits until the target has applied everything the source has written until now; false when `limit` seconds were not enough. */
export const catchUp = (
  r: Replication,
  source: Remote,
  target: { readonly node: Node; readonly remote: Remote },
  limit: number | undefined,
): boolean => {
  const { lsn } = source.one<{ lsn: string }>('select pg_catalog.pg_current_wal_insert_lsn()::text as lsn');
  const most = patience();
  let still = 0;
  let waited = 0;
  let last = '';
  for (let wait = 0.002; ; wait = Math.min(wait * 1.3, limit === undefined ? 0.2 : 0.02)) {
    const { done, at } = source.one<{ done: boolean | null; at: string | null }>(
      `select w.replay_lsn >= ${literal(lsn)} as done, w.replay_lsn::text as at
       from (select 1) x left join (pg_catalog.pg_replication_slots s join pg_catalog.pg_stat_replication w on w.pid = s.active_pid)
         on s.slot_name = ${literal(r.slot)}`,
    );
    if (done === true) return true;
    if (limit !== undefined && waited >= limit) return false;
    checkErrors(r, target);
    still = at !== null && at !== last ? 0 : still + wait;
    last = at ?? last;
    if (still > most) throw failed(target.node, `It has made no progress for ${most} seconds.`);
    sleep(wait);
    waited += wait;
  }
};
