import { log, one, query, run } from '../engine/spi.ts';
import { PgError } from '../lib/pg-error.ts';
import { literal } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { awaitPending } from './await-pending.ts';
import { preparedAlready, shardBusy, usedBefore } from './failures.ts';
import { openNodeById, type Node } from './node.ts';
import { origin } from './origin.ts';
import { aside, withServer } from './remote.ts';

/** Version of the form of ids; a later version of tessera must be able to tell its own. */
const VERSION = 1;

/** What the ids of prepared transactions of an origin begin with. */
export const prefixOf = (origin: string): string => `tessera-${VERSION}-${origin}-`;

/** Class of the advisory lock a transaction holds from before its first PREPARE to its end, keyed by its id. */
const TRANSACTION_CLASS = 0x5453000b;

/** The table whose shards commands change. */
export interface Changed {
  readonly relid: bigint;
  readonly rewrites: boolean;
}

/** Queues statements for a node; they run, all or none of them, when this transaction commits. */
export const queueCommand = (
  node: { readonly id: number },
  server: string,
  command: string,
  ...changed: Changed[]
): void => {
  // Whatever the user has said about all constraints: prepared now, they would be in the way of the next ones.
  run('set constraints _tessera_catalog.prepare_remotely deferred');
  const [first, ...others] = changed;
  for (const [text, of] of [[command, first] as const, ...others.map((o) => ['', o] as const)])
    run(
      `insert into _tessera_catalog.remote_command (nodeid, server, command, relid, rewrites)
       values ($1, $2, $3, nullif($4::int8, 0)::oid, $5)`,
      [node.id, server, text, of?.relid ?? 0n, of?.rewrites ?? false],
    );
};

/**
 * Commands run in sessions of their own, which would wait for those in which this transaction has read or written the
 * shards, and these wait for the end of the transaction.
 */
export const requireUnused = (tables: readonly bigint[], next: string | null = null): void => {
  if (tables.length === 0) return;
  const [used] = query<{ name: string }>(
    `select i.inhparent::regclass::text as name from pg_locks l join pg_inherits i on i.inhrelid = l.relation
     where l.pid = pg_backend_pid() and l.locktype = 'relation' and i.inhparent = any($1::int8[]::oid[])
       and l.database = (select oid from pg_database where datname = current_database())
       and l.mode in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock') limit 1`,
    [tables],
  );
  if (used !== undefined) throw usedBefore(used.name, next);
};

interface Branch {
  readonly id: string;
  readonly node: Node;
  readonly server: string;
  readonly commands: readonly string[];
}

interface Queued {
  readonly nodeid: number;
  readonly server: string;
  readonly commands: string[];
  readonly tables: bigint[];
  /** Those of the tables whose shards are written anew. */
  readonly rewritten: bigint[];
}

const takeCommands = (): Queued[] =>
  query<Queued>(
    `with mine as (
       delete from _tessera_catalog.remote_command where transaction_id = pg_current_xact_id()
       returning nodeid, server::text as server, command, command_id, relid::int8 as relid, rewrites)
     select nodeid, server, array_agg(command order by command_id) as commands,
       coalesce(array_agg(distinct relid) filter (where relid is not null), '{}') as tables,
       coalesce(array_agg(distinct relid) filter (where rewrites and relid is not null), '{}') as rewritten
     from mine group by nodeid, server order by nodeid, server`,
  );

/** Names the transaction of each login on each node, and records that it is committed if this one is. */
const branchesOf = (xid: string, queued: readonly Queued[]): Branch[] => {
  const here = origin();
  return queued.map(({ nodeid, server, commands }) => {
    const node = openNodeById(nodeid);
    const { oid } = one<{ oid: string }>('select oid::text as oid from pg_foreign_server where srvname = $1', [server]);
    const id = `${prefixOf(here)}${xid}-${nodeid}-${oid}`;
    run('insert into _tessera_catalog.remote_txn (remote_transaction_id, nodeid, server) values ($1, $2, $3)', [
      id,
      nodeid,
      server,
    ]);
    return { id, node, server, commands };
  });
};

/**
 * A crash would give our id to another transaction, if nothing on disk bears it; then what we leave prepared would be taken
 * for the other's.
 */
const keepId = (): void => {
  const { version } = one<{ version: number }>(`select current_setting('server_version_num')::int as version`);
  if (version >= 170000) run(`select pg_logical_emit_message(false, 'tessera', '', true)`);
  // Whoever commits writes all before it.
  else aside((session) => session.rows(`select pg_catalog.pg_logical_emit_message(true, 'tessera', '')::text as lsn`));
};

const rollBack = (branches: readonly Branch[]): void => {
  for (const b of branches) {
    try {
      withServer(b.server, b.node, (remote) => remote.exec(`rollback prepared ${literal(b.id)}`));
    } catch (e) {
      log(`prepared transaction "${b.id}" on node ${b.node.id} was left to be healed: ${(e as Error).message}`);
    }
  }
};

/**
 * First phase of two-phase commit (Gray 1978, with presumed abort): does on every node what was queued and prepares it
 * there. Runs as a deferred trigger, the last thing before the commit of the local transaction, which is the decision: the
 * rows of remote_txn are committed with it.
 */
export const prepareRemotely = (): void => {
  const { xid, before } = one<{ xid: string; before: boolean }>(
    `select pg_current_xact_id()::text as xid, exists (
       select from _tessera_catalog.remote_txn where split_part(remote_transaction_id, '-', 4) = pg_current_xact_id()::text) as before`,
  );
  // The first ones keep their locks, for which the second would wait.
  if (before) throw preparedAlready();
  const queued = takeCommands();
  if (queued.length === 0) return;
  requireUnused([...new Set(queued.flatMap((q) => q.tables))]);
  awaitPending(queued.map((q) => q.nodeid));
  const branches = branchesOf(xid, queued);
  run('select pg_advisory_xact_lock($1, ($2::int8 & 2147483647)::int4)', [TRANSACTION_CLASS, BigInt(xid)]);
  // A decision that is carried out on nodes must not be lost in a crash.
  run(`select set_config('synchronous_commit', 'local', true) where current_setting('synchronous_commit') = 'off'`);
  keepId();
  // From here on, however this transaction ends, what it has prepared is ended at once.
  run('select _tessera_functions.start_finisher($1::text, $2::int4[], $3::int8[]::oid[])', [
    xid,
    branches.map((b) => b.node.id),
    [...new Set(queued.flatMap((q) => q.rewritten))],
  ]);
  const prepared: Branch[] = [];
  try {
    for (const b of branches) {
      withServer(b.server, b.node, (remote) =>
        remote.exec(['begin', ...b.commands, `prepare transaction ${literal(b.id)}`].join(';\n')),
      );
      prepared.push(b);
    }
  } catch (e) {
    rollBack(prepared);
    throw e instanceof PgError && e.sqlstate === SQLSTATE.lockNotAvailable ? shardBusy(e) : e;
  }
};
