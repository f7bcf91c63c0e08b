import type { SpiError } from '../engine/spi.ts';
import { PgError } from '../lib/pg-error.ts';
import { ident } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';

export const address = (node: { readonly name: string; readonly port: number }): string => `${node.name}:${node.port}`;
/** What others made by hand here, like functions, operator classes and text search configurations, nodes do not have. */
const MISSING: readonly string[] = [SQLSTATE.undefinedObject, SQLSTATE.undefinedFunction];
/** What a node answered, as the error of the statement that asked it: the code is the node's own. */
export const remoteFailure = (node: { readonly name: string; readonly port: number }, e: SpiError): PgError => {
  const unreachable = e.sqlerrcode.startsWith('08');
  const where = `On node ${address(node)}.`;
  return new PgError({
    sqlstate: e.sqlerrcode,
    message: unreachable
      ? `connection to node ${address(node)} failed: ${(e.detail ?? e.message).split('\n')[0]}`
      : e.message,
    detail: unreachable ? undefined : [where, e.detail].filter(Boolean).join(' '),
    hint: unreachable
      ? `Check that it runs. How to log in is set with: select tessera.set_node_auth('user=… password=…');`
      : MISSING.includes(e.sqlerrcode)
        ? `Create on the nodes what is missing there, or its extension: select * from run_command_on_workers('create ...');`
        : e.hint,
  });
};
export const foreignServerTaken = (server: string, owner: string): PgError =>
  new PgError({
    sqlstate: SQLSTATE.insufficientPrivilege,
    message: `foreign server "${server}" does not belong to the owner of the extension`,
    detail: `It belongs to "${owner}", who could have connections to the node go elsewhere.`,
    hint: `drop server ${ident(server)} cascade;`,
  });
export const unknownNode = (name: string, port: number): PgError =>
  new PgError({
    sqlstate: SQLSTATE.undefinedObject,
    message: `node at "${name}:${port}" does not exist`,
    hint: 'select * from citus_get_active_worker_nodes();',
  });
export const unknownNodeId = (id: number): PgError =>
  new PgError({ sqlstate: SQLSTATE.noDataFound, message: `node ${id} not found` });
export const ownNode = (at: string): PgError =>
  new PgError({
    sqlstate: SQLSTATE.invalidParameterValue,
    message: `node ${at} is this database itself`,
    hint: `To use the coordinator as a node: select citus_set_coordinator_host('<its address>');`,
  });
export const unfitNode = (at: string, detail: string, hint: string): PgError =>
  new PgError({
    sqlstate: SQLSTATE.objectNotInPrerequisiteState,
    message: `server ${at} cannot be a node`,
    detail,
    hint,
  });
export const lastPlacement = (at: string, shard: bigint, table: string): PgError =>
  new PgError({
    sqlstate: SQLSTATE.objectNotInPrerequisiteState,
    message: `cannot remove or disable node ${at} because it has the only placement of shard ${shard}`,
    detail: `The shard is one of table "${table}".`,
    hint: 'Move its shards away with citus_drain_node(), or call undistribute_table() or drop the table.',
  });
export const transferUnderWay = (at: string, shard: bigint): PgError =>
  new PgError({
    sqlstate: SQLSTATE.objectNotInPrerequisiteState,
    message: `cannot remove or disable node ${at} because shard ${shard} is being moved to it`,
    hint: 'Try again when the move is over: select * from get_rebalance_progress();',
  });
export const operationUnderWay = (at: string): PgError =>
  new PgError({
    sqlstate: SQLSTATE.objectNotInPrerequisiteState,
    message: `cannot remove node ${at} because an operation under way has something there`,
    detail: 'What it leaves there can be dropped only after its transaction has ended.',
    hint: 'Try again then. If it is of this transaction: commit;',
  });
export const leftovers = (at: string, count: number, reason: string): PgError =>
  new PgError({
    sqlstate: SQLSTATE.objectNotInPrerequisiteState,
    message: `cannot remove node ${at} because ${count} objects of earlier operations are still there`,
    detail: reason === '' ? 'Another session is dropping them.' : reason,
    hint: 'call citus_cleanup_orphaned_resources();',
  });
export const unknownRemovedNode = (name: string, port: number): PgError =>
  new PgError({
    sqlstate: SQLSTATE.undefinedObject,
    message: `no removed node "${name}:${port}" has anything left`,
    hint: 'select nodename, nodeport from _tessera_catalog.removed_node;',
  });
export const wrongProperty = (property: string | null): PgError =>
  new PgError({
    sqlstate: SQLSTATE.invalidParameterValue,
    message: `node property "${property ?? 'null'}" cannot be set`,
    hint: 'The one that can is "shouldhaveshards".',
  });
export const coordinatorStays = (): PgError =>
  new PgError({
    sqlstate: SQLSTATE.objectNotInPrerequisiteState,
    message: 'cannot change "isactive" field of the coordinator node',
  });
export const groupTaken = (group: number): PgError =>
  new PgError({
    sqlstate: SQLSTATE.duplicateObject,
    message: `group ${group} already has a primary node`,
  });
export const addressTaken = (at: string): PgError =>
  new PgError({
    sqlstate: SQLSTATE.objectNotInPrerequisiteState,
    message: `there is already another node with the address ${at}`,
  });
export const notSupported = (message: string, detail?: string, hint?: string): PgError =>
  new PgError({ sqlstate: SQLSTATE.featureNotSupported, message, detail, hint });
export const nullNotAllowed = (argument: string): PgError =>
  new PgError({ sqlstate: SQLSTATE.invalidParameterValue, message: `"${argument}" must not be null` });
export const foreignOrigin = (): PgError =>
  new PgError({
    sqlstate: SQLSTATE.objectNotInPrerequisiteState,
    message: 'this database is a copy: its nodes belong to the database it was copied from',
    detail: 'Two databases that manage the same shards would destroy them.',
    hint: 'If the original is gone for good: select tessera.adopt_nodes();',
  });
export const loopbackElsewhere = (role: string): PgError =>
  new PgError({
    sqlstate: SQLSTATE.objectNotInPrerequisiteState,
    message: `the loopback server of role "${role}" does not lead to this database`,
    detail: 'The database was renamed or copied, or its server got another port.',
    hint: 'select tessera.repair_loopback();',
  });
export const originalIsThere = (database: string): PgError =>
  new PgError({
    sqlstate: SQLSTATE.objectNotInPrerequisiteState,
    message: `nodes of database "${database}" cannot be adopted`,
    detail: 'The database is still there, and two databases that manage the same shards would destroy them.',
    hint: `Drop it first, if that is what you want.`,
  });
/** The sessions of postgres_fdw, which hold locks of their own, end after those that change shards. */
export const shardBusy = (e: PgError): PgError =>
  new PgError({
    sqlstate: e.sqlstate,
    message: e.message,
    detail: e.detail,
    hint: 'Somebody uses a shard. If it is this transaction, which has read or written the table before: commit in between.',
  });
export const preparedAlready = (): PgError =>
  new PgError({
    sqlstate: SQLSTATE.objectNotInPrerequisiteState,
    message: 'this transaction has prepared its changes of distributed tables already',
    detail: 'SET CONSTRAINTS ALL IMMEDIATE had it done so, or a deferred trigger makes further changes.',
    hint: 'Commit before further changes.',
  });
export const badConninfo = (text: string): PgError =>
  new PgError({
    sqlstate: SQLSTATE.invalidParameterValue,
    message: 'connection options could not be read',
    detail: `They must be a list of name=value, but there is "${text}".`,
  });
export const usedBefore = (table: string, next: string | null): PgError =>
  new PgError({
    sqlstate: SQLSTATE.activeSqlTransaction,
    message: `cannot change the shards of table "${table}", which was read or written in this transaction`,
    detail: 'Shards are changed in sessions of their own when the transaction commits, and they would wait for it.',
    hint: next === null ? 'Commit in between.' : `Commit, then run: ${next}`,
  });
export const stillPending = (node: { readonly name: string; readonly port: number }): PgError =>
  new PgError({
    sqlstate: SQLSTATE.objectNotInPrerequisiteState,
    message: `node ${address(node)} has not carried out yet what earlier transactions have committed`,
    detail: 'What depends on it could be lost there.',
    hint: 'Try again when the node answers: select tessera.heal_nodes();',
  });
