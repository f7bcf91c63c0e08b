import { ensureOwnerServer, openNode, openNodeById, requireAdmin, type Node } from '../../cluster/index.ts';
import { nullArgument } from '../../lib/failures.ts';
import type { Mode } from '../move/move-checks.ts';
import { moveShard } from '../move/move-shard.ts';
import { defineFunction, returnsScalar, returnsVoid, type FunctionDeclaration } from '../../udf/define-function.ts';
import { defineRequest } from '../../udf/define-request.ts';
import { adoptTables } from '../distribute/adopt.ts';
import { maintainShards, type Maintenance } from '../change/maintain-shards.ts';
import { forgetTables } from '../distribute/forget.ts';
import { attachShards, registerTable, type NewTable } from '../distribute/register.ts';
import { ownedRelation } from '../table/owned-relation.ts';
import { run } from '../../engine/spi.ts';
import { copyEverywhere, copyOne, copyReferencesTo, finishCopies } from '../distribute/reference.ts';
import { queueReferenceChanges } from '../distribute/reference-changes.ts';
import { refuseRenamedSchema, syncAll, syncTable } from '../change/sync.ts';
import { syncTypes } from '../change/sync-types.ts';

const request = <P>(
  name: string,
  summary: string,
  body: (caller: string, payload: P) => unknown,
): FunctionDeclaration => defineRequest({ feature: 'shard', name, summary, privileges: 'owner of the table', body });

export const request_shard_register = request<NewTable>(
  'register',
  'Records a distributed table and makes its shards.',
  registerTable,
);

export const request_shard_attach = request<{ relid: string }>(
  'attach',
  'Notes which foreign table leads to which shard.',
  (caller, p) => attachShards(caller, BigInt(p.relid)),
);

export const request_shard_forget = request<{ relid: string }>(
  'forget',
  'Takes a table whose rows are elsewhere out of the catalog.',
  (caller, p) => {
    ownedRelation(caller, BigInt(p.relid));
    forgetTables([BigInt(p.relid)]);
  },
);

export const request_shard_adopt = request(
  'adopt',
  'Makes definitions of tables fit that came with a dump.',
  (caller) => {
    requireAdmin(caller, 'adopt nodes');
    adoptTables();
  },
);

export const request_shard_maintain = request<{ relid: string; what: Maintenance }>(
  'maintain',
  'Vacuums or reindexes all shards of a table.',
  (caller, p) => maintainShards(caller, BigInt(p.relid), p.what),
);

export const forget_distributed = defineFunction({
  schema: '_tessera_functions',
  name: 'forget_distributed',
  args: [{ name: 'relations', type: 'bigint[]', doc: 'OIDs of distributed tables that were dropped' }],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Takes dropped tables out of the catalog and has their shards dropped later.',
  privileges: 'owner of the extension',
  handler: (relids: bigint[]) => forgetTables(relids),
});

export const sync_shards = defineFunction({
  schema: '_tessera_functions',
  name: 'sync_shards',
  args: [
    { name: 'relation', type: 'bigint', doc: 'OID of a distributed table, null for all' },
    { name: 'statement', type: 'text', doc: 'the statement that may have changed it' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Has shards follow what was done to their table.',
  privileges: 'owner of the extension',
  handler: (relid: bigint | null, statement: string) =>
    relid === null ? syncAll(statement) : syncTable(relid, statement),
});

export const refuse_renamed_schema = defineFunction({
  schema: '_tessera_functions',
  name: 'refuse_renamed_schema',
  args: [],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Raises 0A000 when a schema got another name by which shards do not know their types and functions.',
  privileges: 'owner of the extension',
  handler: () => refuseRenamedSchema(),
});

export const sync_types = defineFunction({
  schema: '_tessera_functions',
  name: 'sync_types',
  args: [],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Has the types on the nodes follow what was done to those that distributed tables use.',
  privileges: 'owner of the extension',
  handler: () => syncTypes(),
});

interface Move {
  readonly shard: string | null;
  readonly source: number | null;
  readonly target: number | null;
  readonly sourceName: string | null;
  readonly sourcePort: number | null;
  readonly targetName: string | null;
  readonly targetPort: number | null;
  readonly mode: Mode | null;
}

const nodeOf = (id: number | null, name: string | null, port: number | null, argument: string): Node => {
  if (id !== null) return openNodeById(id);
  // The form with ids has no names at all.
  if (name == null || port == null) throw nullArgument(argument);
  return openNode(name, port);
};

export const request_shard_move = request<Move>(
  'move',
  'Moves a shard and those colocated with it to another node.',
  (caller, p) => {
    if (p.shard === null) throw nullArgument('shard_id');
    moveShard(
      caller,
      BigInt(p.shard),
      nodeOf(p.source, p.sourceName, p.sourcePort, 'source_node'),
      nodeOf(p.target, p.targetName, p.targetPort, 'target_node'),
      p.mode ?? 'auto',
    );
  },
);

export const request_shard_copy = request<Move>(
  'copy',
  'Copies reference tables to a node that lacks them.',
  (caller, p) => {
    requireAdmin(caller, 'copy reference tables');
    if (p.shard === null) throw nullArgument('shard_id');
    copyReferencesTo(
      BigInt(p.shard),
      nodeOf(p.source, p.sourceName, p.sourcePort, 'source_node'),
      nodeOf(p.target, p.targetName, p.targetPort, 'target_node'),
    );
  },
);

export const ensure_owner_server = defineFunction({
  schema: '_tessera_functions',
  name: 'ensure_owner_server',
  args: [
    { name: 'nodeid', type: 'integer', doc: 'the node' },
    { name: 'owner', type: 'text', doc: 'owner of distributed tables' },
  ],
  returns: returnsScalar('text'),
  volatility: 'volatile',
  summary: 'The foreign server through which the shards of an owner on a node are reached, made if need be.',
  privileges: 'owner of the extension',
  handler: (id: number, owner: string) => ensureOwnerServer(openNodeById(id), owner),
});

export const request_shard_replicate_references = request<object>(
  'replicate_references',
  'Copies reference tables to all nodes that lack them.',
  (caller) => {
    requireAdmin(caller, 'copy reference tables');
    copyEverywhere();
  },
);

export const queue_reference_changes = defineFunction({
  schema: '_tessera_functions',
  name: 'queue_reference_changes',
  args: [],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Queues what this transaction has done to reference tables for their copies.',
  privileges: 'owner of the extension',
  handler: () => queueReferenceChanges(),
});

export const copy_references_everywhere = defineFunction({
  schema: '_tessera_functions',
  name: 'copy_references_everywhere',
  args: [],
  returns: returnsScalar('integer'),
  volatility: 'volatile',
  summary: 'Copies reference tables to all nodes that lack them and returns how many copies were made.',
  privileges: 'owner of the extension',
  handler: () => copyEverywhere(),
});

/** Bits of the flags of a single copy. */
const FINISH = 4;

export const citus_internal_copy_single_shard_placement = defineFunction({
  schema: '_tessera_functions',
  name: 'citus_internal_copy_single_shard_placement',
  args: [
    { name: 'shard_id', type: 'bigint', doc: 'shard of a reference table' },
    { name: 'source_node_id', type: 'integer', doc: 'where it is; the rows come from the table on the coordinator' },
    { name: 'target_node_id', type: 'integer', doc: 'where the copy is to be' },
    {
      name: 'flags',
      type: 'integer',
      doc: '3: this table without its foreign keys; 4: the foreign keys of all copies on the node',
    },
    { name: 'transfer_mode', type: 'text', default: `'auto'`, doc: 'for old callers' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'A step of copying reference tables to a node in parallel; a task of the rebalancer.',
  privileges: 'owner of the extension',
  handler: (shard: bigint, _source: number, target: number, flags: number, _mode: string) => {
    run(`select _tessera_functions.require_extension_owner('copy reference tables')`);
    const node = openNodeById(target);
    if ((flags & FINISH) !== 0) finishCopies(node);
    else copyOne(shard, node);
  },
});
