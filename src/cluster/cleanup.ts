import { isSpiError, one, query, run } from '../engine/spi.ts';
import { PgError } from '../lib/pg-error.ts';
import { ident, literal } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { primaryOfGroup } from './node.ts';
import { aside, withNode, type Remote } from './remote.ts';

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

const dropSubscription = (remote: Remote, name: string): void => {
  const [found] = remote.rows<{ oid: string; enabled: boolean }>(
    `select s.oid::text as oid, s.subenabled as enabled from pg_catalog.pg_subscription s join pg_catalog.pg_database d on d.oid = s.subdbid
     where d.datname = pg_catalog.current_database() and s.subname = ${literal(name)}`,
  );
  if (found === undefined) return;
  remote.exec(`alter subscription ${ident(name)} disable`);
  // Its slot is in the ledger for itself; the source may be gone.
  remote.exec(`alter subscription ${ident(name)} set (slot_name = none)`);
  remote.exec(`drop subscription ${ident(name)}`);
};

/** A slot and those that copied the tables of its subscription, which are named after the subscription's OID. */
const dropSlots = (remote: Remote, name: string): void => {
  remote.rows(
    `select pg_catalog.pg_drop_replication_slot(slot_name) is null as gone from pg_catalog.pg_replication_slots
     where slot_name like ${literal(name)} and active_pid is null and database = pg_catalog.current_database()`,
  );
  const { left } = remote.one<{ left: number }>(
    `select pg_catalog.count(*)::int as left from pg_catalog.pg_replication_slots
     where slot_name like ${literal(name)} and database = pg_catalog.current_database()`,
  );
  if (left > 0)
    throw new PgError({
      sqlstate: SQLSTATE.objectNotInPrerequisiteState,
      message: `replication slot "${name}" is in use`,
    });
};

const DROP: Readonly<Record<number, (remote: Remote, name: string) => void>> = {
  [OBJECT.shard]: (remote, name) => remote.exec(`set lock_timeout = '1s'; drop table if exists ${name} cascade`),
  [OBJECT.subscription]: dropSubscription,
  [OBJECT.slot]: dropSlots,
  [OBJECT.publication]: (remote, name) => remote.exec(`drop publication if exists ${ident(name)}`),
};

const drop = (remote: Remote, r: Remnant): void => {
  const how = DROP[r.kind];
  if (how === undefined) throw new Error(`cleanup record of unknown kind ${r.kind}`);
  how(remote, r.name);
};

const messageOf = (e: unknown): string => (e instanceof Error ? e.message : String(e));

interface Outcome {
  readonly done: bigint[];
  readonly failed: Map<bigint, string>;
}

const dropAll = (records: readonly CleanupRecord[]): Outcome => {
  const outcome: Outcome = { done: [], failed: new Map() };
  const unreachable = new Map<number, string>();
  for (const r of records) {
    const node = primaryOfGroup(r.group);
    const message = unreachable.get(r.group);
    if (message !== undefined) {
      outcome.failed.set(r.id, message);
      continue;
    }
    try {
      // A node that was removed took what was on it along.
      if (node !== undefined) withNode(node, (remote) => drop(remote, r));
      outcome.done.push(r.id);
    } catch (e) {
      if (isSpiError(e) && e.sqlerrcode === SQLSTATE.queryCanceled) throw e;
      outcome.failed.set(r.id, messageOf(e));
      // One attempt to connect says enough for all that is there.
      if (e instanceof PgError && e.sqlstate.startsWith('08')) unreachable.set(r.group, e.message);
    }
  }
  return outcome;
};

/**
 * Drops what operations that are over have left on nodes and returns how much went and how much could not. What belongs to
 * an operation under way, be it of this transaction, is passed by; so is what another cleaner has just taken.
 */
export const cleanUp = (): { readonly dropped: number; readonly failed: number } => {
  const records = query<CleanupRecord>(
    `select record_id as id, operation_id as operation, object_type as kind, object_name as name, node_group_id as "group",
       policy_type as policy
     from _tessera_catalog.pg_dist_cleanup c
     where (operation_id & 2147483647) <> all($1::int8[])
       and pg_try_advisory_xact_lock(${CLEANUP_CLASS}, (operation_id & 2147483647)::int4)
     order by object_type = 1, object_type, record_id
     for update skip locked`,
    [ownOperations()],
  );
  const { done, failed } = dropAll(records);
  if (done.length > 0) run('delete from _tessera_catalog.pg_dist_cleanup where record_id = any($1)', [done]);
  for (const [id, message] of failed)
    run('update _tessera_catalog.pg_dist_cleanup set message = $2 where record_id = $1', [id, message]);
  return { dropped: done.length, failed: failed.size };
};

export const remnantsLeft = (names: readonly string[], group: number): bigint =>
  one<{ n: bigint }>(
    `select count(*) as n from _tessera_catalog.pg_dist_cleanup where object_type = 1 and object_name = any($1) and node_group_id = $2`,
    [names, group],
  ).n;
