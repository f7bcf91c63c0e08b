import {
  address,
  conninfoText,
  enlisted,
  OBJECT,
  origin,
  POLICY,
  recordAside,
  withNode,
  type Node,
  type Remote,
} from '../../cluster/index.ts';
import { one, run } from '../../engine/spi.ts';
import { PgError } from '../../lib/pg-error.ts';
import { ident, literal, qualified } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import type { Shard } from '../table/distributed-table.ts';
import { tryTakeSeat } from '../table/locks.ts';

/** A node and a session of the owner of the extension on it. */
export interface End {
  readonly node: Node;
  readonly remote: Remote;
}

/**
 * A subscription of the target to the shards on the source. PostgreSQL itself copies the rows, one COPY from server to
 * server for each table, and then what has changed meanwhile.
 */
export interface Replication {
  readonly slot: string;
  readonly subscription: string;
  readonly oid: string;
  /** Pattern of the names of slots that copy its tables. */
  readonly copies: string;
  readonly from: End;
  readonly to: End;
}

const sleep = (seconds: number): void => void run('select pg_sleep($1::float8)', [seconds]);

export const walLevel = (remote: Remote): string =>
  remote.one<{ wal: string }>(`select pg_catalog.current_setting('wal_level') as wal`).wal;

/** Why shards cannot be replicated, and what changes that. */
interface Obstacle {
  readonly sqlstate: string;
  readonly detail: string;
  readonly hint: string;
}

/** What a role may do on a node that replication of shards needs. */
export interface ReplicationRights {
  readonly role: string;
  readonly quoted: string;
  readonly super: boolean;
  readonly replication: boolean;
  readonly create: boolean;
  readonly subscribe: boolean;
  /** What gives the right to subscribe; null on PostgreSQL 15, where superusers alone have it. */
  readonly subscribing: string | null;
  readonly database: string;
}

export const rightsOn = (remote: Remote): ReplicationRights =>
  remote.one(
    `select r.rolname as role, pg_catalog.quote_ident(r.rolname) as quoted, r.rolsuper as super, r.rolreplication or r.rolsuper as replication,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') as create,
       pg_catalog.quote_ident(pg_catalog.current_database()) as database,
       (select pg_catalog.format('grant pg_create_subscription to %I', r.rolname) from pg_catalog.pg_roles s
        where s.rolname = 'pg_create_subscription') as subscribing,
       r.rolsuper or exists (select from pg_catalog.pg_roles s where s.rolname = 'pg_create_subscription'
         and pg_catalog.pg_has_role(s.oid, 'USAGE')) as subscribe
     from pg_catalog.pg_roles r where r.rolname = current_user`,
  );

const lacking = (node: Node, role: string, what: string, statement: string | null): Obstacle => ({
  sqlstate: SQLSTATE.insufficientPrivilege,
  detail: `Role "${role}" on node ${address(node)} ${what}${statement === null ? ': PostgreSQL 15 lets superusers alone do so' : ''}.`,
  hint:
    statement === null
      ? `Pass shard_transfer_mode => 'block_writes'.`
      : `Run there: ${statement}; or pass shard_transfer_mode => 'block_writes'.`,
});

/** What keeps PostgreSQL from replicating from one node to the other; asked before anything is made. */
export const findObstacle = (from: End, to: End): Obstacle | undefined => {
  const wal = walLevel(from.remote);
  if (wal !== 'logical')
    return {
      sqlstate: SQLSTATE.objectNotInPrerequisiteState,
      detail: `Its wal_level is "${wal}".`,
      hint: `Pass shard_transfer_mode := 'block_writes', or run there: alter system set wal_level = logical; and restart it.`,
    };
  const source = rightsOn(from.remote);
  if (!source.replication)
    return lacking(from.node, source.role, 'may not make replication slots', `alter role ${source.quoted} replication`);
  if (!source.create)
    return lacking(
      from.node,
      source.role,
      'may not make publications',
      `grant create on database ${source.database} to ${source.quoted}`,
    );
  const target = rightsOn(to.remote);
  if (!target.create)
    return lacking(
      to.node,
      target.role,
      'may not make subscriptions',
      `grant create on database ${target.database} to ${target.quoted}`,
    );
  if (!target.subscribe) return lacking(to.node, target.role, 'may not make subscriptions', target.subscribing);
  return undefined;
};

export const requireLogical = (from: End, to: End): void => {
  const obstacle = findObstacle(from, to);
  if (obstacle !== undefined)
    throw new PgError({ ...obstacle, message: `shards cannot be replicated from node ${address(from.node)}` });
};

const namesFor = (operation: bigint): { slot: string; subscription: string; publication: string } => {
  const name = `tessera_move_${origin()}_${operation}`;
  return { slot: name, subscription: name, publication: name };
};

/** Before any of it is made, so that a crash leaves nothing behind that nobody knows of. */
export const announceReplication = (operation: bigint, source: Node, target: Node): void => {
  const names = namesFor(operation);
  const policy = POLICY.always;
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

/**
 * Waits for a seat on the target. A subscription needs two of its replication workers while it copies; if all were taken
 * by subscriptions that wait for their second one, none would ever go on.
 */
export const awaitSeat = (target: End): void => {
  const { workers } = target.remote.one<{ workers: number }>(
    `select pg_catalog.current_setting('max_logical_replication_workers')::int as workers`,
  );
  while (!tryTakeSeat(target.node.id, Math.max(1, Math.floor(workers / 2)))) sleep(0.1);
};

/** How replication is to begin. */
export interface Beginning {
  /** Seconds to wait for transactions that write on the source. */
  readonly patience: number;
  /** What is published: a table that publishes deletes must have a replica identity, or none of its rows can be deleted. */
  readonly publish: string;
}

/** A slot waits for all transactions that write on its server, which may take longer than a lock should. */
const makeSlot = (operation: bigint, node: Node, slot: string, patience: number): void =>
  withNode(
    node,
    (remote) => remote.perform(`pg_catalog.pg_create_logical_replication_slot(${literal(slot)}, 'pgoutput')`),
    `${enlisted(operation)}set lock_timeout = '${patience}s'; `,
  );

/** Makes publication, slot and subscription. This transaction must not have an id if the source is its own server. */
export const startReplication = (
  operation: bigint,
  shards: readonly Shard[],
  from: End,
  to: End,
  how: Beginning = { patience: patience(), publish: 'insert, update, delete, truncate' },
): Replication => {
  const names = namesFor(operation);
  from.remote.exec(
    `create publication ${ident(names.publication)} for table ${shards.map(qualified).join(', ')} with (publish = ${literal(how.publish)})`,
  );
  // Not by CREATE SUBSCRIPTION, which would wait for itself where both nodes are databases of one server.
  makeSlot(operation, from.node, names.slot, how.patience);
  to.remote.exec(
    `create subscription ${ident(names.subscription)} connection ${literal(conninfoText(from.node))} publication ${ident(names.publication)}
     with (enabled = false, create_slot = false, slot_name = ${literal(names.slot)}, copy_data = true,
       synchronous_commit = off, binary = ${binary(shards, from.remote, to.remote)})`,
  );
  const { oid, system } = to.remote.one<{ oid: string; system: string }>(
    `select s.oid::text as oid, c.system_identifier::text as system
     from pg_catalog.pg_subscription s, pg_catalog.pg_control_system() c where s.subname = ${literal(names.subscription)}`,
  );
  // Its workers make slots of their own on the source, by these names.
  const copies = `pg\\_${oid}\\_sync\\_%\\_${system}`;
  recordAside(operation, [{ kind: OBJECT.slot, name: copies, group: from.node.group, policy: POLICY.always }]);
  to.remote.exec(`alter subscription ${ident(names.subscription)} enable`);
  return { ...names, oid, copies, from, to };
};

/** Seconds without any progress after which a transfer gives up. */
const patience = (): number =>
  Number(one<{ s: string }>(`select _tessera_functions.setting('logical_replication_timeout') as s`).s);

const failed = (target: Node, what: string): PgError =>
  new PgError({
    sqlstate: SQLSTATE.connectionException,
    message: `replication of shards to node ${address(target)} has failed`,
    detail: what,
    hint: 'The log of that node says why.',
  });

const checkErrors = (r: Replication): void => {
  const { errors } = r.to.remote.one<{ errors: number }>(
    `select coalesce((select s.apply_error_count + s.sync_error_count from pg_catalog.pg_stat_subscription_stats s where s.subid = ${r.oid}), 0) as errors`,
  );
  if (errors > 0) throw failed(r.to.node, 'Its subscription reports an error.');
};

/** Sleeps between looks at something that should go on; gives up when it has looked the same for too long. */
const watch = (r: Replication, longest: number): ((sight: string) => void) => {
  const most = patience();
  let wait = 0.002;
  let still = 0;
  let last = '';
  return (sight) => {
    checkErrors(r);
    still = sight === last ? still + wait : 0;
    last = sight;
    if (still > most) throw failed(r.to.node, `It has made no progress for ${most} seconds.`);
    sleep(wait);
    wait = Math.min(wait * 1.5, longest);
  };
};

/**
 * Waits until the rows of every table have been copied, or the beginning of a copy has been stuck for some seconds: its
 * slot is not made as long as transactions that write on the source do not end.
 */
export const copyUnlessStuck = (r: Replication, seconds: number): boolean => {
  for (let stuck = 0, wait = 0.01; ; wait = Math.min(wait * 1.5, 0.5)) {
    const { left, begun } = r.to.remote.one<{ left: number; begun: number }>(
      `select pg_catalog.count(*) filter (where srsubstate <> 'r')::int as left, pg_catalog.count(*) filter (where srsubstate <> 'i')::int as begun
       from pg_catalog.pg_subscription_rel where srsubid = ${r.oid}`,
    );
    if (left === 0) return true;
    const { pending } = r.from.remote.one<{ pending: boolean }>(
      `select coalesce(pg_catalog.bool_or(confirmed_flush_lsn is null), false) as pending from pg_catalog.pg_replication_slots
       where slot_name like ${literal(r.copies)}`,
    );
    checkErrors(r);
    stuck = pending || begun === 0 ? stuck + wait : 0;
    if (stuck > seconds) return false;
    sleep(wait);
  }
};

/** Waits until the rows of every table have been copied. */
export const awaitCopy = (r: Replication): void => {
  const goOn = watch(r, 0.5);
  for (;;) {
    const { left, sight } = r.to.remote.one<{ left: number; sight: string }>(
      `select pg_catalog.count(*) filter (where t.srsubstate <> 'r')::int as left,
         pg_catalog.concat_ws(' ', pg_catalog.string_agg(t.srsubstate::text, '' order by t.srrelid),
           (select pg_catalog.sum(p.bytes_processed) from pg_catalog.pg_stat_progress_copy p
            join pg_catalog.pg_stat_subscription w on w.pid = p.pid where w.subid = ${r.oid}),
           (select pg_catalog.max(w.latest_end_lsn) from pg_catalog.pg_stat_subscription w where w.subid = ${r.oid})) as sight
       from pg_catalog.pg_subscription_rel t where t.srsubid = ${r.oid}`,
    );
    if (left === 0) return;
    goOn(sight);
  }
};

/** How far the target has applied what the source has written, and whether that is at least as far as `lsn`. */
const applied = (r: Replication, lsn: string): { readonly done: boolean | null; readonly at: string | null } =>
  r.from.remote.one(
    `select w.replay_lsn >= ${literal(lsn)} as done, w.replay_lsn::text as at
     from (select 1) x left join (pg_catalog.pg_replication_slots s join pg_catalog.pg_stat_replication w on w.pid = s.active_pid)
       on s.slot_name = ${literal(r.slot)}`,
  );

/**
 * A position behind everything that is committed on the server, itself committed and so written out. The end of WAL would
 * not do: it may stay in memory, out of reach of replication, until somebody commits.
 */
const mark = (server: Remote): string =>
  server.one<{ lsn: string }>(`select pg_catalog.pg_logical_emit_message(true, 'tessera', '')::text as lsn`).lsn;

/** Waits until the target has applied everything the source has committed until now. */
export const catchUp = (r: Replication): void => {
  const lsn = mark(r.from.remote);
  const goOn = watch(r, 0.2);
  for (;;) {
    const { done, at } = applied(r, lsn);
    if (done === true) return;
    goOn(at ?? '');
  }
};

/** Marks the end of WAL and waits; one call, because opening a connection takes longer than the target needs. */
const waitOnSource = (slot: string, seconds: number): string => `declare
  goal pg_catalog.pg_lsn := pg_catalog.pg_logical_emit_message(true, 'tessera', '');
  until pg_catalog.timestamptz := pg_catalog.clock_timestamp() + interval '${seconds.toFixed(3)} seconds';
begin
  commit;
  while not exists (
    select from pg_catalog.pg_replication_slots s join pg_catalog.pg_stat_replication w on w.pid = s.active_pid
    where s.slot_name = ${literal(slot)} and w.replay_lsn >= goal)
  loop
    if pg_catalog.clock_timestamp() > until then
      raise exception using errcode = '${SQLSTATE.lockNotAvailable}', message = 'the target has not caught up';
    end if;
    perform pg_catalog.pg_sleep(0.001);
    perform pg_catalog.pg_stat_clear_snapshot();
  end loop;
end`;

/**
 * As catchUp(), but within so many seconds or not at all, for when writers wait. The target applies without waiting for its
 * disk, so it is made to do so once: after a crash it must not lack what writers were told is there.
 */
export const catchUpWithin = (r: Replication, seconds: number): boolean => {
  try {
    // Without a prelude, which would make it one transaction.
    withNode(r.from.node, (source) => source.exec(`do ${literal(waitOnSource(r.slot, seconds))}`));
  } catch (e) {
    if (e instanceof PgError && e.sqlstate === SQLSTATE.lockNotAvailable) return false;
    throw e;
  }
  r.to.remote.perform(`pg_catalog.pg_logical_emit_message(true, 'tessera', '')`);
  return true;
};
