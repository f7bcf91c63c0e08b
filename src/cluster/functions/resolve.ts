import { isSpiError, query } from '../../engine/spi.ts';
import { defineFunction, returnsScalar, returnsTable, returnsVoid } from '../../udf/define-function.ts';
import { cleanUp } from '../cleanup.ts';
import { activePrimaries, allNodes, openNodeById, type Node } from '../node.ts';
import { answers, withNode } from '../remote.ts';
import { healAll, healNode, involvedNodes, prepareRemotely } from '../remote-transaction.ts';
import { conninfoText, origin } from '../server.ts';
import { literal } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const prepare_remote_transactions = defineFunction({
  schema: '_tessera_functions',
  name: 'prepare_remote_transactions',
  args: [],
  returns: returnsVoid,
  volatility: 'volatile',
  opensSessions: true,
  summary:
    'First phase of two-phase commit: does on the nodes what this transaction has queued, and prepares it there.',
  privileges: 'owner of the extension',
  handler: () => prepareRemotely(),
});

export const finish_remote_transaction = defineFunction({
  schema: '_tessera_functions',
  name: 'end_remote_transaction',
  args: [{ name: 'transaction_id', type: 'text', doc: 'id of a local transaction that is over' }],
  returns: returnsVoid,
  volatility: 'volatile',
  opensSessions: true,
  summary: 'Second phase of two-phase commit on every node the transaction has prepared itself on.',
  privileges: 'owner of the extension',
  handler: (xid: string) => {
    for (const node of involvedNodes(xid)) healNode(node);
  },
});

export const heal_nodes = defineFunction({
  schema: '_tessera_functions',
  name: 'heal_nodes',
  args: [{ name: 'nodeid', type: 'integer', doc: 'one node, null for all' }],
  returns: returnsScalar('integer'),
  volatility: 'volatile',
  opensSessions: true,
  summary: 'Ends prepared transactions of ours on nodes whose local transaction is over and returns how many.',
  privileges: 'owner of the extension',
  handler: (id: number | null): number => {
    if (id !== null) return healNode(openNodeById(id)).resolved;
    const nodes = allNodes();
    if (nodes.length === 0) return 0;
    origin();
    return healAll(nodes);
  },
});

export const clean_up_nodes = defineFunction({
  schema: '_tessera_functions',
  name: 'clean_up_nodes',
  args: [],
  returns: returnsTable({ name: 'dropped', type: 'integer' }, { name: 'failed', type: 'integer' }),
  volatility: 'volatile',
  opensSessions: true,
  summary: 'Drops what operations that are over have left on nodes.',
  privileges: 'owner of the extension',
  handler: () => {
    const left = query(
      '(select from _tessera_catalog.pg_dist_cleanup limit 1) union all (select from _tessera_catalog.shard_transfer limit 1)',
    );
    if (left.length === 0) return [{ dropped: 0, failed: 0 }];
    origin();
    return [cleanUp()];
  },
});

export const node_answers = defineFunction({
  schema: '_tessera_functions',
  name: 'node_answers',
  args: [{ name: 'nodeid', type: 'integer', doc: 'the node' }],
  returns: returnsScalar('boolean'),
  volatility: 'volatile',
  opensSessions: true,
  summary: 'Whether a node can be reached from here.',
  privileges: 'owner of the extension',
  handler: (id: number): boolean => answers(openNodeById(id)),
});

interface Answer {
  readonly nodeid: number;
  readonly success: boolean;
  readonly result: string | null;
}

/** One value or a command tag, as text; an error is an answer too. */
const ask = (node: Node, command: string): Answer => {
  try {
    return withNode(node, (remote) => ({ nodeid: node.id, success: true, result: remote.answer(command) }));
  } catch (e) {
    if (isSpiError(e) && e.sqlerrcode === SQLSTATE.queryCanceled) throw e;
    return { nodeid: node.id, success: false, result: e instanceof Error ? `ERROR: ${e.message}` : String(e) };
  }
};

export const run_command_on_nodes = defineFunction({
  schema: '_tessera_functions',
  name: 'run_command_on_nodes',
  args: [
    { name: 'nodeids', type: 'integer[]', doc: 'the nodes, null for all that are active' },
    { name: 'commands', type: 'text[]', doc: 'a command for each of them, or one for all' },
  ],
  returns: returnsTable(
    { name: 'nodeid', type: 'integer' },
    { name: 'success', type: 'boolean' },
    { name: 'result', type: 'text' },
  ),
  volatility: 'volatile',
  opensSessions: true,
  summary: 'Runs a command on nodes, each in a session and transaction of its own.',
  privileges: 'owner of the extension',
  handler: (ids: number[] | null, commands: string[]): Answer[] =>
    (ids?.map(openNodeById) ?? activePrimaries()).map((node, i) =>
      ask(node, (commands.length === 1 ? commands[0] : commands[i]) as string),
    ),
});

export const check_cluster = defineFunction({
  schema: '_tessera_functions',
  name: 'check_cluster',
  args: [],
  returns: returnsTable(
    { name: 'from_nodeid', type: 'integer' },
    { name: 'to_nodeid', type: 'integer' },
    { name: 'result', type: 'boolean' },
  ),
  volatility: 'volatile',
  opensSessions: true,
  summary: 'Which node can open a connection to which, null where the first cannot be reached from here.',
  privileges: 'owner of the extension',
  handler: () => {
    const nodes = activePrimaries();
    return nodes.flatMap((from) => {
      const up = answers(from);
      return nodes.map((to) => ({ from_nodeid: from.id, to_nodeid: to.id, result: up ? reaches(from, to) : null }));
    });
  },
});

/** By dblink, which is installed on the first node for the moment of the question only. */
const reaches = (from: Node, to: Node): boolean => {
  try {
    return withNode(from, (remote) => {
      remote.exec('begin; create schema tessera_check; create extension if not exists dblink schema tessera_check');
      const { schema } = remote.one<{ schema: string }>(
        `select pg_catalog.quote_ident(n.nspname) as schema from pg_catalog.pg_extension e
         join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'dblink'`,
      );
      remote.rows(`select ${schema}.dblink_connect('tessera_check', ${literal(conninfoText(to))}) as c`);
      remote.exec('rollback');
      return true;
    });
  } catch (e) {
    if (isSpiError(e) && e.sqlerrcode === SQLSTATE.queryCanceled) throw e;
    return false;
  }
};
