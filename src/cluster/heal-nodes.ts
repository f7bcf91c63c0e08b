import { hasSqlState, isCancel, log, one, query, run, subtransaction, warning } from '../engine/spi.ts';
import { PgError } from '../lib/pg-error.ts';
import { literal } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { address } from './failures.ts';
import type { Node } from './node.ts';
import { originHere } from './origin.ts';
import { withNode, withServer } from './remote.ts';
import { prefixOf } from './remote-transaction.ts';
import { nodeServer } from './server.ts';

/** Origin, transaction, node, server. Nineteen digits fit any transaction id; what has more is not ours. */
const FORM = /^tessera-1-[0-9a-f]+-(\d{1,19})-\d+(?:-\d+)?$/;

type Verdict = 'commit' | 'rollback' | 'open';

/**
 * What becomes of a prepared transaction: once the local one is over, the record decides, which was committed with it.
 * Under REPEATABLE READ it counts as over when the snapshot can see its record.
 */
const decide = (gid: string): Verdict =>
  one<{ verdict: Verdict }>(
    `select case
       when not pg_visible_in_snapshot($1::xid8, pg_current_snapshot()) then 'open'
       when pg_xact_status($1::xid8) = 'in progress' then 'open'
       when exists (select from _tessera_catalog.remote_txn where remote_transaction_id = $2) then 'commit'
       else 'rollback' end as verdict`,
    [FORM.exec(gid)?.[1] as string, gid],
  ).verdict;

const pendingOn = (node: Node, origin: string): string[] =>
  withNode(node, (remote) =>
    remote.rows<{ gid: string }>(
      `select gid from pg_catalog.pg_prepared_xacts
       where database = pg_catalog.current_database() and gid like ${literal(`${prefixOf(origin)}%`)}`,
    ),
  )
    .map((p) => p.gid)
    .filter((gid) => FORM.test(gid));

/** Servers through which it may be ended: nobody may do so but the login that prepared it and superusers. */
const waysTo = (node: Node, gid: string): string[] => [
  ...query<{ name: string }>(
    `select srvname::text as name from pg_foreign_server
     where oid::text = $1 and srvtype = 'tessera node' and split_part(srvversion, ' ', 1) = $2
       and _tessera_functions.is_trusted(srvowner)`,
    [gid.split('-').at(-1) as string, String(node.id)],
  ).map((s) => s.name),
  nodeServer(node),
];

const ENDED_BY_ANOTHER: readonly string[] = [SQLSTATE.undefinedObject, SQLSTATE.objectNotInPrerequisiteState];

/** False where another session is about to end it, or has done so, or where nobody of ours may. */
const end = (node: Node, verdict: 'commit' | 'rollback', gid: string): boolean => {
  for (const server of waysTo(node, gid)) {
    try {
      withServer(server, node, (remote) => remote.exec(`${verdict} prepared ${literal(gid)}`));
      return true;
    } catch (e) {
      if (!(e instanceof PgError)) throw e;
      if (ENDED_BY_ANOTHER.includes(e.sqlstate)) return false;
      if (e.sqlstate !== SQLSTATE.insufficientPrivilege) throw e;
    }
  }
  log(`prepared transaction "${gid}" on node ${address(node)} is somebody else's and stays`);
  return false;
};

/** Records of transactions that were over when the node was asked, but for those it still had then. */
const forget = (node: Node, snapshot: string, left: readonly string[]): void => {
  try {
    subtransaction(() =>
      run(
        `delete from _tessera_catalog.remote_txn where nodeid = $1 and remote_transaction_id <> all($3::text[])
         and pg_visible_in_snapshot(split_part(remote_transaction_id, '-', 4)::xid8, $2::pg_snapshot)`,
        [node.id, snapshot, left],
      ),
    );
  } catch (e) {
    // Under REPEATABLE READ; another session has deleted them.
    if (!hasSqlState(e, SQLSTATE.serializationFailure)) throw e;
  }
};

/** Second phase, and healing: ends on a node every prepared transaction of ours whose local transaction is over. */
export const healNode = (node: Node): number => {
  const { snapshot } = one<{ snapshot: string }>('select pg_current_snapshot()::text as snapshot');
  const left: string[] = [];
  let resolved = 0;
  for (const gid of pendingOn(node, originHere())) {
    const verdict = decide(gid);
    if (verdict !== 'open' && end(node, verdict, gid)) resolved += 1;
    else left.push(gid);
  }
  forget(node, snapshot, left);
  return resolved;
};

/** Heals nodes; one that does not answer is left for the next time. */
export const healAll = (nodes: readonly Node[]): number => {
  let resolved = 0;
  for (const node of nodes) {
    try {
      resolved += healNode(node);
    } catch (e) {
      if (isCancel(e)) throw e;
      warning(`prepared transactions of node ${address(node)} could not be resolved: ${(e as Error).message}`);
    }
  }
  return resolved;
};

/** For a database that takes over: transactions of its predecessor were committed if it has their records. */
export const healAsSuccessor = (node: Node, predecessor: string): void => {
  for (const gid of pendingOn(node, predecessor)) {
    const recorded = query('select from _tessera_catalog.remote_txn where remote_transaction_id = $1', [gid]);
    end(node, recorded.length > 0 ? 'commit' : 'rollback', gid);
  }
  run('delete from _tessera_catalog.remote_txn where nodeid = $1', [node.id]);
};
