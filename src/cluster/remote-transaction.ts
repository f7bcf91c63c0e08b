import { isSpiError, log, one, query, run, warning } from '../engine/spi.ts';
import { literal } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { usedBefore } from './failures.ts';
import { findNodeById, openNodeById, type Node } from './node.ts';
import { withServer, withNode } from './remote.ts';
import { origin, originHere } from './server.ts';

/** Version of the form of ids; a later version of tessera must be able to tell its own. */
const VERSION = 1;
const FORM = /^tessera-1-([0-9a-f]+)-(\d+)-(\d+)(?:-\d+)?$/;

/** Class of the advisory lock a transaction holds from its first PREPARE to its end, keyed by its id. */
export const TRANSACTION_CLASS = 0x5453000b;

interface Command {
  readonly id: bigint;
  readonly nodeid: number;
  readonly server: string;
  readonly command: string;
  readonly relid: bigint | null;
  readonly rewrites: boolean;
}

/** The table whose shards commands change. */
export interface Changed {
  readonly relid: bigint;
  readonly rewrites: boolean;
}

/** Queues statements for a node; they run, all or none of them, when this transaction commits. */
export const queueCommand = (node: { readonly id: number }, server: string, command: string, changed?: Changed): void =>
  void run(
    `insert into _tessera_catalog.remote_command (nodeid, server, command, relid, rewrites)
     values ($1, $2, $3, nullif($4::int8, 0)::oid, $5)`,
    [node.id, server, command, changed?.relid ?? 0n, changed?.rewrites ?? false],
  );

/**
 * Commands run in sessions of their own, which would wait for those in which this transaction has read or written the
 * shards, and these wait for the end of the transaction.
 */
export const requireUnused = (tables: readonly bigint[]): void => {
  if (tables.length === 0) return;
  const [used] = query<{ name: string }>(
    `select i.inhparent::regclass::text as name from pg_locks l join pg_inherits i on i.inhrelid = l.relation
     where l.pid = pg_backend_pid() and l.locktype = 'relation' and i.inhparent = any($1::int8[]::oid[])
       and l.database = (select oid from pg_database where datname = current_database())
       and l.mode in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock') limit 1`,
    [tables],
  );
  if (used !== undefined) throw usedBefore(used.name);
};

const prepared: { node: Node; server: string; id: string }[] = [];

const rollBack = (all: readonly { node: Node; server: string; id: string }[]): void => {
  for (const p of all) {
    try {
      withServer(p.server, p.node, (remote) => remote.exec(`rollback prepared ${literal(p.id)}`));
    } catch (e) {
      log(`prepared transaction "${p.id}" on node ${p.node.id} was left to be healed: ${(e as Error).message}`);
    }
  }
};

/**
 * First phase of two-phase commit (Gray 1978, with presumed abort): does on every node what was queued and prepares it
 * there. Runs as a deferred trigger, the last thing before the commit of the local transaction, which is the decision: the
 * rows of remote_txn are committed with it.
 */
export const prepareRemotely = (): void => {
  const commands = query<Command>(
    `with mine as (
       delete from _tessera_catalog.remote_command where transaction_id = pg_current_xact_id() returning *)
     select command_id as id, nodeid, server::text as server, command, relid::int8 as relid, rewrites from mine order by command_id`,
  );
  if (commands.length === 0) return;
  const tables = (all: readonly Command[]): bigint[] => [
    ...new Set(all.map((c) => c.relid).filter((relid) => relid !== null)),
  ];
  requireUnused(tables(commands));
  const here = origin();
  const { xid } = one<{ xid: string }>('select pg_current_xact_id()::text as xid');
  run('select pg_advisory_xact_lock($1, ($2::int8 & 2147483647)::int4)', [TRANSACTION_CLASS, BigInt(xid)]);
  prepared.length = 0;
  try {
    for (const server of new Set(commands.map((c) => c.server))) {
      const mine = commands.filter((c) => c.server === server);
      const node = openNodeById((mine[0] as Command).nodeid);
      // SET CONSTRAINTS can bring us here several times in a transaction.
      const id = `tessera-${VERSION}-${here}-${xid}-${node.id}-${mine[0]?.id}`;
      run('insert into _tessera_catalog.remote_txn (remote_transaction_id, nodeid, server) values ($1, $2, $3)', [
        id,
        node.id,
        server,
      ]);
      withServer(server, node, (remote) => {
        remote.exec('begin');
        for (const c of mine) remote.exec(c.command);
        remote.exec(`prepare transaction ${literal(id)}`);
      });
      prepared.push({ node, server, id });
    }
  } catch (e) {
    // Nothing is decided yet, so this is an abort.
    rollBack(prepared);
    throw e;
  }
  run('select _tessera_functions.start_finisher($1::text, $2::int8[]::oid[])', [
    xid,
    tables(commands.filter((c) => c.rewrites)),
  ]);
};

interface Pending {
  readonly gid: string;
  readonly owner: string;
}

/**
 * What becomes of a prepared transaction when the local one is over: the record decides, which was committed with it, and
 * without one it was an abort, if only back to a savepoint.
 */
export const decide = (gid: string): 'commit' | 'rollback' | 'open' => {
  const xid = FORM.exec(gid)?.[2] as string;
  const { status } = one<{ status: string }>(
    `select case when $1::xid8 >= pg_snapshot_xmax(pg_current_snapshot()) then 'in progress'
       else coalesce(pg_xact_status($1::xid8), 'forgotten') end as status`,
    [xid],
  );
  if (status === 'in progress') return 'open';
  if (status === 'aborted') return 'rollback';
  return query('select from _tessera_catalog.remote_txn where remote_transaction_id = $1', [gid]).length > 0
    ? 'commit'
    : 'rollback';
};

/** Second phase, and healing: ends on a node every prepared transaction of ours whose local transaction is over. */
export const healNode = (node: Node): { readonly resolved: number; readonly open: number } => {
  const here = originHere();
  // Decisions older than this were made before the look at the node, so what they decide is in the list or over.
  const { horizon } = one<{ horizon: string }>('select pg_snapshot_xmin(pg_current_snapshot())::text as horizon');
  return withNode(node, (remote) => {
    const pending = remote.rows<Pending>(
      `select gid, owner from pg_catalog.pg_prepared_xacts
       where database = pg_catalog.current_database() and gid like ${literal(`tessera-${VERSION}-${here}-%`)}`,
    );
    let open = 0;
    let resolved = 0;
    for (const p of pending) {
      const verdict = decide(p.gid);
      if (verdict === 'open') {
        open += 1;
        continue;
      }
      try {
        remote.exec(`${verdict} prepared ${literal(p.gid)}`);
        resolved += 1;
      } catch (e) {
        // Somebody else has just ended it.
        if (!(e instanceof Error && 'sqlstate' in e && e.sqlstate === SQLSTATE.undefinedObject)) throw e;
      }
      run('delete from _tessera_catalog.remote_txn where remote_transaction_id = $1', [p.gid]);
    }
    run(
      `delete from _tessera_catalog.remote_txn where nodeid = $1 and split_part(remote_transaction_id, '-', 4)::xid8 < $2::xid8`,
      [node.id, horizon],
    );
    return { resolved, open };
  });
};

/** Heals all nodes; one that does not answer is left for the next time. */
export const healAll = (nodes: readonly Node[]): number => {
  let resolved = 0;
  for (const node of nodes) {
    try {
      resolved += healNode(node).resolved;
    } catch (e) {
      if (isSpiError(e) && e.sqlerrcode === SQLSTATE.queryCanceled) throw e;
      warning(`prepared transactions of node ${node.name}:${node.port} could not be resolved: ${(e as Error).message}`);
    }
  }
  return resolved;
};

export const involvedNodes = (xid: string): Node[] =>
  query<{ nodeid: number }>(
    `select distinct nodeid from _tessera_catalog.remote_txn where split_part(remote_transaction_id, '-', 4) = $1`,
    [xid],
  )
    .map((r) => findNodeById(r.nodeid))
    .filter((n) => n !== undefined);
