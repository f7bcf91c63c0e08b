import { isSpiError, log, one, query, run, warning } from '../engine/spi.ts';
import { literal } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { findNodeById, openNodeById, type Node } from './node.ts';
import { withServer, withNode } from './remote.ts';
import { origin, originHere } from './server.ts';

/** Version of the form of ids; a later version of tessera must be able to tell its own. */
const VERSION = 1;
const FORM = /^tessera-1-([0-9a-f]+)-(\d+)-(\d+)(?:-\d+)?$/;

/** Class of the advisory lock a transaction holds from its first PREPARE to its end, keyed by its id. */
export const TRANSACTION_CLASS = 0x5453000b;

interface Command {
  readonly nodeid: number;
  readonly server: string;
  readonly command: string;
}

/** Queues statements for a node; they run, all or none of them, when this transaction commits. */
export const queueCommand = (node: { readonly id: number }, server: string, command: string): void =>
  void run('insert into _tessera_catalog.remote_command (nodeid, server, command) values ($1, $2, $3)', [
    node.id,
    server,
    command,
  ]);

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
    `delete from _tessera_catalog.remote_command where transaction_id = pg_current_xact_id()
     returning nodeid, server::text as server, command, command_id`,
  ).sort(
    (a, b) => Number((a as { command_id?: bigint }).command_id) - Number((b as { command_id?: bigint }).command_id),
  );
  if (commands.length === 0) return;
  const here = origin();
  const { xid } = one<{ xid: string }>('select pg_current_xact_id()::text as xid');
  run('select pg_advisory_xact_lock($1, ($2::int8 & 2147483647)::int4)', [TRANSACTION_CLASS, BigInt(xid)]);
  prepared.length = 0;
  try {
    for (const server of new Set(commands.map((c) => c.server))) {
      const mine = commands.filter((c) => c.server === server);
      const node = openNodeById((mine[0] as Command).nodeid);
      const serverOid = one<{ oid: bigint }>('select oid::int8 as oid from pg_foreign_server where srvname = $1', [
        server,
      ]);
      const id = `tessera-${VERSION}-${here}-${xid}-${node.id}-${serverOid.oid}`;
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
  run('select _tessera_functions.start_finisher($1::text)', [xid]);
};

interface Pending {
  readonly gid: string;
  readonly owner: string;
}

/**
 * What becomes of a prepared transaction. The state of the local one decides; where the server has forgotten it, the
 * record does, and without one it was an abort.
 */
export const decide = (gid: string): 'commit' | 'rollback' | 'open' => {
  const xid = FORM.exec(gid)?.[2] as string;
  const { status } = one<{ status: string }>(
    `select case when $1::xid8 >= pg_snapshot_xmax(pg_current_snapshot()) then 'in progress'
       else coalesce(pg_xact_status($1::xid8), 'forgotten') end as status`,
    [xid],
  );
  if (status === 'in progress') return 'open';
  if (status !== 'forgotten') return status === 'committed' ? 'commit' : 'rollback';
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
