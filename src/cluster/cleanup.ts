import { isCancel, one, query, run } from '../engine/spi.ts';
import { PgError } from '../lib/pg-error.ts';
import { ident, literal } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { primaryOfGroup, type Node } from './node.ts';
import { aside, withNode, type Remote } from './remote.ts';
import { origin } from './origin.ts';

/** Kinds of objects, in the order in which they can be dropped. */
export const OBJECT = { shard: 1, subscription: 2, slot: 3, publication: 4 } as const;
/** 0: always, 1: when the operation failed, 2: some time after it succeeded. */
export const POLICY = { always: 0, onFailure: 1, deferred: 2 } as const;

export interface Remnant {
  readonly kind: number;
  /** Qualified and quoted for a shard, plain for the rest. */
  readonly name: string;
  readonly group: number;
  readonly policy: number;
}

/** Class of the advisory lock that says an operation is alive; held to the end of its transaction. */
export const CLEANUP_CLASS = 0x5453000a;

/**
 * Begins an operation that makes objects on nodes. Its number comes from a session aside, so that this transaction gets no
 * transaction id: a replication slot could not be made while it is open.
 */
export const beginOperation = (): bigint => {
  const { id } = aside((s) =>
    s.one<{ id: string }>(`select nextval('_tessera_catalog.pg_dist_operationid_seq')::text as id`),
  );
  const operation = BigInt(id);
  holdOperation(operation);
  return operation;
};

/** An operation that has nothing to do but to drop something after its commit. */
export const beginDrop = (): bigint => {
  const { id } = one<{ id: bigint }>(`select nextval('_tessera_catalog.pg_dist_operationid_seq') as id`);
  holdOperation(id);
  return id;
};

const holdOperation = (operation: bigint): void =>
  void run('select pg_advisory_xact_lock($1, ($2::int8 & 2147483647)::int4)', [CLEANUP_CLASS, operation]);

/** Operations of this very transaction, whose locks would be had again for the asking. */
const ownOperations = (): bigint[] =>
  query<{ id: bigint }>(
    `select objid::int8 as id from pg_locks
     where locktype = 'advisory' and pid = pg_backend_pid() and classid = $1::int8::oid and granted
       and database = (select oid from pg_database where datname = current_database())`,
    [CLEANUP_CLASS],
  ).map((r) => r.id);

const sessionName = (operation: bigint): string => `tessera ${origin()} ${operation}`;

/** What marks a session on a node, so that the cleanup ends what it still does when its operation is over. */
export const enlisted = (operation: bigint): string => `set application_name = ${literal(sessionName(operation))}; `;

/** The same for sessions that foreign tables open: for the session that uses them. */
export const enlistedForeign = (operation: bigint): string =>
  `set postgres_fdw.application_name = ${literal(sessionName(operation))}; `;

/** Records, committed at once, what an operation is about to make: nothing is made that nobody knows of. */
export const recordAside = (operation: bigint, remnants: readonly Remnant[]): void => {
  if (remnants.length === 0) return;
  const values = remnants
    .map((r) => `(${operation}, ${r.kind}, ${literal(r.name)}, ${r.group}, ${r.policy})`)
    .join(', ');
  aside((s) =>
    s.exec(
      `insert into _tessera_catalog.pg_dist_cleanup (operation_id, object_type, object_name, node_group_id, policy_type) values ${values}`,
    ),
  );
};

/** Records what goes once this transaction has committed. */
export const recordDeferred = (operation: bigint, remnants: readonly Remnant[]): void => {
  for (const r of remnants)
    run(
      `insert into _tessera_catalog.pg_dist_cleanup (operation_id, object_type, object_name, node_group_id, policy_type)
       values ($1, $2, $3, $4, $5)`,
      [operation, r.kind, r.name, r.group, r.policy],
    );
};

/** What was made for the case of failure stays if this transaction commits. */
export const keepMade = (operation: bigint): void =>
  void run('delete from _tessera_catalog.pg_dist_cleanup where operation_id = $1 and policy_type = 1', [operation]);

interface CleanupRecord extends Remnant {
  readonly id: bigint;
  readonly operation: bigint;
}

/** Nobody waits for these any more, but what they are making would come after we have looked for it. */
const endSessions = (remote: Remote, operations: readonly bigint[]): void =>
  void remote.rows(
    `select pg_catalog.pg_terminate_backend(pid, 5000) as ended from pg_catalog.pg_stat_activity
     where datname = pg_catalog.current_database() and application_name in (${operations.map((o) => literal(sessionName(o))).join(', ')})`,
  );

/** Until nothing of it begins to copy any more; a worker that waits for a lock begins nothing either. */
const untilStopped = (name: string): string => `begin
  for i in 1 .. 200 loop
    exit when not exists (
      select from pg_catalog.pg_stat_subscription s where s.subname = ${literal(name)} and s.relid is null and s.pid is not null);
    perform pg_catalog.pg_sleep(0.01);
  end loop;
end`;

/** Stops a subscription and takes its slot from it: the slot is in the ledger for itself, and the source may be gone. */
const stopSubscription = (remote: Remote, name: string): void => {
  if (!hasSubscription(remote, name)) return;
  remote.exec(`alter subscription ${ident(name)} disable; alter subscription ${ident(name)} set (slot_name = none)`);
  remote.exec(`do ${literal(untilStopped(name))}`);
};

const hasSubscription = (remote: Remote, name: string): boolean =>
  remote.rows(
    `select 1 from pg_catalog.pg_subscription s join pg_catalog.pg_database d on d.oid = s.subdbid
     where d.datname = pg_catalog.current_database() and s.subname = ${literal(name)}`,
  ).length > 0;

const dropSubscription = (remote: Remote, name: string): void => {
  if (!hasSubscription(remote, name)) return;
  remote.exec(`drop subscription ${ident(name)}`);
};

/** Slots of a name or a pattern. Whoever still reads from one belongs to a subscription that is stopped. */
const dropSlots = (remote: Remote, name: string): void => {
  const slots = `from pg_catalog.pg_replication_slots
     where slot_name like ${literal(name)} and database = pg_catalog.current_database()`;
  remote.rows(`select pg_catalog.pg_terminate_backend(active_pid, 1000) as gone ${slots} and active_pid is not null`);
  remote.rows(`select pg_catalog.pg_drop_replication_slot(slot_name) is null as gone ${slots} and active_pid is null`);
  const { left } = remote.one<{ left: number }>(`select pg_catalog.count(*)::int as left ${slots}`);
  if (left > 0)
    throw new PgError({
      sqlstate: SQLSTATE.objectNotInPrerequisiteState,
      message: `replication slot "${name}" is in use`,
    });
};

/** Ends a subscription while its operation goes on. */
export const endReplication = (subscription: string, slots: readonly string[], source: Node, target: Node): void => {
  withNode(target, (remote) => stopSubscription(remote, subscription));
  withNode(source, (remote) => {
    for (const slot of slots) dropSlots(remote, slot);
  });
  withNode(target, (remote) => dropSubscription(remote, subscription));
};

/** Only a table of one of our roles: what somebody else has under this name stopped us from making ours. */
const dropShard = (remote: Remote, name: string): void => {
  const ours = remote.rows(
    `select 1 from pg_catalog.pg_class c join pg_catalog.pg_roles r on r.oid = c.relowner
     where c.oid = pg_catalog.to_regclass(${literal(name)}) and r.rolname ~ '^tessera_[0-9a-f]+_[0-9]+$'`,
  );
  if (ours.length > 0) remote.exec(`drop table if exists ${name} cascade`);
};

type Drop = (remote: Remote, name: string) => void;

/**
 * In this order, each on all nodes before the next: a subscription that still runs keeps its slots in use, and dropping
 * one waits for the slots its copies have on the source.
 */
const PHASES: readonly { readonly last: boolean; readonly how: Readonly<Record<number, Drop>> }[] = [
  { last: false, how: { [OBJECT.subscription]: stopSubscription } },
  {
    last: true,
    how: {
      [OBJECT.slot]: dropSlots,
      [OBJECT.publication]: (remote, name) => remote.exec(`drop publication if exists ${ident(name)}`),
    },
  },
  { last: true, how: { [OBJECT.subscription]: dropSubscription, [OBJECT.shard]: dropShard } },
];

const messageOf = (e: unknown): string => (e instanceof Error ? e.message : String(e));

interface Outcome {
  readonly done: bigint[];
  readonly failed: Map<bigint, string>;
  /** Groups of nodes that could not be connected to, and why. */
  readonly unreachable: Map<number, string>;
}

const dropAll = (records: readonly CleanupRecord[]): Outcome => {
  const unreachable = new Map<number, string>();
  const outcome: Outcome = { done: [], failed: new Map(), unreachable };
  const attempt = (r: CleanupRecord, drop: Drop): boolean => {
    const node = primaryOfGroup(r.group);
    const known = unreachable.get(r.group);
    if (known !== undefined) {
      outcome.failed.set(r.id, known);
      return false;
    }
    try {
      // Nobody knows where it was.
      if (node !== undefined) withNode(node, (remote) => drop(remote, r.name), `set lock_timeout = '1s'; `);
      return true;
    } catch (e) {
      if (isCancel(e)) throw e;
      outcome.failed.set(r.id, messageOf(e));
      // One attempt to connect says enough for all that is there.
      if (e instanceof PgError && e.sqlstate.startsWith('08')) unreachable.set(r.group, e.message);
      return false;
    }
  };
  for (const [group, first] of new Map(records.map((r) => [r.group, r])))
    attempt(first, (remote) =>
      endSessions(remote, [...new Set(records.filter((r) => r.group === group).map((r) => r.operation))]),
    );
  for (const { last, how } of PHASES)
    for (const r of records) {
      const drop = how[r.kind];
      if (drop !== undefined && attempt(r, drop) && last) outcome.done.push(r.id);
    }
  for (const r of records)
    if (!PHASES.some((p) => p.how[r.kind] !== undefined))
      outcome.failed.set(r.id, `cleanup record of unknown kind ${r.kind}`);
  for (const id of outcome.done) outcome.failed.delete(id);
  return outcome;
};

/** Condition on an operation: its transaction is open. What a cancelled one has shown outside of it stays until a cleanup. */
export const isUnderWay = (column: string): string =>
  `exists (select from pg_locks l where l.locktype = 'advisory' and l.classid = ${CLEANUP_CLASS} and l.objid::int8 = ${column} & 2147483647
     and l.objsubid = 2 and l.granted and l.database = (select oid from pg_database where datname = current_database()))`;

const isOver = (column: string): string =>
  `pg_try_advisory_xact_lock(${CLEANUP_CLASS}, (${column} & 2147483647)::int4)`;

interface CleanedUp {
  readonly dropped: number;
  readonly failed: number;
  /** Groups of nodes that could not be connected to. */
  readonly unreachable: readonly number[];
}

/**
 * Drops what operations that are over have left on nodes and returns how much went and how much could not. What belongs to
 * an operation under way, be it of this transaction, is passed by; so is what another cleaner has just taken, and what is
 * on nodes that were removed. With a group, only the operations that have something on that node, wherever it is.
 */
export const cleanUp = (group: number | null = null): CleanedUp => {
  // Asked first: the locks of operations that are over are ours from then on.
  const own = ownOperations();
  run(
    `delete from _tessera_catalog.shard_transfer where operation_id = any (
       select o.id from (select distinct operation_id as id from _tessera_catalog.shard_transfer) o
       where (o.id & 2147483647) <> all($1::int8[]) and ${isOver('o.id')})`,
    [own],
  );
  const records = query<CleanupRecord>(
    `select record_id as id, operation_id as operation, object_type as kind, object_name as name, node_group_id as "group",
       policy_type as policy
     from _tessera_catalog.pg_dist_cleanup c
     where (operation_id & 2147483647) <> all($1::int8[])
       and not exists (select from _tessera_catalog.removed_node n where n.groupid = c.node_group_id)
       and ($2::int is null or exists (
         select from _tessera_catalog.pg_dist_cleanup o where o.operation_id = c.operation_id and o.node_group_id = $2::int))
       and ${isOver('operation_id')}
     order by object_type = 1, object_type, record_id
     for update skip locked`,
    [own, group],
  );
  const { done, failed, unreachable } = dropAll(records);
  if (done.length > 0) run('delete from _tessera_catalog.pg_dist_cleanup where record_id = any($1)', [done]);
  for (const [id, message] of failed)
    run('update _tessera_catalog.pg_dist_cleanup set message = $2 where record_id = $1', [id, message]);
  return { dropped: done.length, failed: failed.size, unreachable: [...unreachable.keys()] };
};
