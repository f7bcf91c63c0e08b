import { isCancel, one, query } from '../../engine/spi.ts';
import { defineFunction, returnsScalar, returnsTable, returnsVoid } from '../../udf/define-function.ts';
import { awaitPendingOrGoOn } from '../await-pending.ts';
import { cleanUp } from '../cleanup.ts';
import { activePrimaries, allNodes, findNodeById, openNodeById, type Node } from '../node.ts';
import { answers, withNode } from '../remote.ts';
import { mendFinisher } from '../finisher.ts';
import { healAll, healNode } from '../heal-nodes.ts';
import { prepareRemotely } from '../remote-transaction.ts';
import { origin } from '../origin.ts';
import { conninfoText } from '../server.ts';
import { PgError } from '../../lib/pg-error.ts';
import { literal } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const prepare_remote_transactions = defineFunction({
  schema: '_tessera_functions',
  name: 'prepare_remote_transactions',
  args: [],
  returns: returnsVoid,
  volatility: 'volatile',
  summary:
    'First phase of two-phase commit: does on the nodes what this transaction has queued, and prepares it there.',
  privileges: 'owner of the extension',
  handler: () => prepareRemotely(),
});

export const heal_some_nodes = defineFunction({
  schema: '_tessera_functions',
  name: 'heal_some_nodes',
  args: [{ name: 'nodeids', type: 'integer[]', doc: 'nodes a transaction that is over has prepared itself on' }],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Second phase of two-phase commit.',
  privileges: 'owner of the extension',
  handler: (ids: number[]) => void healAll([...new Set(ids)].map(findNodeById).filter((n) => n !== undefined)),
});

export const mend_finisher = defineFunction({
  schema: '_tessera_functions',
  name: 'mend_finisher',
  args: [],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Makes the login that carries out the second phase of commit anew where it does not get in.',
  privileges: 'owner of the extension',
  handler: () => mendFinisher(),
});

export const heal_nodes = defineFunction({
  schema: '_tessera_functions',
  name: 'heal_nodes',
  args: [{ name: 'nodeid', type: 'integer', doc: 'one node, null for all' }],
  returns: returnsScalar('integer'),
  volatility: 'volatile',
  summary: 'Ends prepared transactions of ours on nodes whose local transaction is over and returns how many.',
  privileges: 'owner of the extension',
  handler: (id: number | null): number => {
    if (id !== null) return healNode(openNodeById(id));
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
  summary: 'Drops what operations that are over have left on nodes.',
  privileges: 'owner of the extension',
  handler: () => {
    if (query('select from _tessera_catalog.pg_dist_cleanup limit 1').length === 0) return [{ dropped: 0, failed: 0 }];
    origin();
    const { dropped, failed } = cleanUp();
    return [{ dropped, failed }];
  },
});

export const node_answers = defineFunction({
  schema: '_tessera_functions',
  name: 'node_answers',
  args: [{ name: 'nodeid', type: 'integer', doc: 'the node' }],
  returns: returnsScalar('boolean'),
  volatility: 'volatile',
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
    if (isCancel(e)) throw e;
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
  summary: 'Runs a command on nodes, each in a session and transaction of its own.',
  privileges: 'owner of the extension',
  handler: (ids: number[] | null, commands: string[]): Answer[] => {
    const nodes = ids?.map(openNodeById) ?? activePrimaries();
    awaitPendingOrGoOn(nodes.map((n) => n.id));
    return nodes.map((node, i) => ask(node, (commands.length === 1 ? commands[0] : commands[i]) as string));
  },
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

/** Within the time a node has to answer; the first one stays well while it waits for the other. */
const inTime = (statements: string): string => {
  const { seconds } = one<{ seconds: string }>(`select _tessera_functions.setting('node_timeout') as seconds`);
  const block = `${statements}
exception when query_canceled then
  raise exception using errcode = '${SQLSTATE.connectionFailure}', message = 'the other node has not answered';
end`;
  return `begin; set local statement_timeout = ${literal(`${seconds}s`)}; do ${literal(block)}; rollback`;
};

/** By dblink, which is installed on the first node for the moment of the question only. */
const byDblink = (to: Node): string =>
  inTime(`declare
  place text;
begin
  create schema tessera_check;
  create extension if not exists dblink schema tessera_check;
  select n.nspname into place from pg_catalog.pg_extension e
  join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'dblink';
  execute pg_catalog.format('select %I.dblink_exec(%L, %L)', place, ${literal(conninfoText(to))}, 'begin');`);

/** As a move would; it looks for publications that are not there, which is a warning. */
const bySubscription = (to: Node): string =>
  inTime(`begin
  create subscription tessera_check connection ${literal(conninfoText(to))} publication tessera_check
    with (connect = true, create_slot = false, enabled = false, slot_name = none);`);

/** Null where the first node cannot be asked: its role may neither install dblink there nor subscribe. */
const reaches = (from: Node, to: Node): boolean | null => {
  for (const ask of [byDblink, bySubscription])
    try {
      withNode(from, (remote) => remote.exec(ask(to)));
      return true;
    } catch (e) {
      if (isCancel(e)) throw e;
      if (!(e instanceof PgError) || e.sqlstate !== SQLSTATE.insufficientPrivilege) return false;
    }
  return null;
};
