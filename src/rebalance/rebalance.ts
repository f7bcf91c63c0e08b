import { activePrimaries, address, aside, openNode, type Node } from '../cluster/index.ts';
import { PgError } from '../lib/pg-error.ts';
import { apiSchema } from '../engine/session.ts';
import { maybeOne, notice, one, query } from '../engine/spi.ts';
import { ident, literal } from '../lib/quote.ts';
import {
  checkIdentity,
  nameOf,
  ownedRelation,
  referenceTables,
  tablesOfGroup,
  tryLockPlanning,
  type Mode,
} from '../shard/index.ts';
import { alreadyRunning, moveFailed, planningBusy } from './failures.ts';
import { planMoves, representatives, type PlannedMove, type Wish } from './plan-cluster.ts';
import { preflight } from './preflight.ts';
import { planTaskGraph, type TransferTask } from './task-graph-plan.ts';

const LIVE = `('scheduled', 'running', 'cancelling', 'failing')`;

export const runningJob = (): bigint | undefined =>
  maybeOne<{ id: bigint }>(
    `select job_id as id from _tessera_catalog.pg_dist_background_job where job_type = 'rebalance' and state in ${LIVE} order by job_id desc limit 1`,
  )?.id;

/** Locks and checks before planning, held to the end of the transaction. */
const begin = (caller: string, w: Wish): number => {
  const tables = representatives(w.relation);
  for (const t of tables) {
    if (!tryLockPlanning(t.group)) throw planningBusy(nameOf(t.relid), w.drainOnly ? 'move' : 'rebalance');
    for (const member of tablesOfGroup(t.group)) ownedRelation(caller, member.relid);
  }
  const job = runningJob();
  if (job !== undefined) throw alreadyRunning(job);
  return tables.length;
};

const checkIdentities = (moves: readonly PlannedMove[], mode: Mode): void => {
  if (mode === 'auto') for (const group of new Set(moves.map((m) => m.group))) checkIdentity(group);
};

/** A session of the owner of the extension whose work is committed at once. */
const committed = (call: string): void => aside((session) => session.perform(call));

const doMove = (caller: string, m: PlannedMove, mode: Mode): void => {
  const payload = JSON.stringify({ shard: String(m.shard.id), source: m.source.id, target: m.target.id, mode });
  committed(`_tessera_functions.request_shard_move(${literal(caller)}, ${literal(payload)}::jsonb)`);
};

/** Moves in the foreground, each in a transaction of its own, so that what is done stays when a later one fails. */
export const rebalanceNow = (caller: string, w: Wish, mode: Mode): void => {
  if (begin(caller, w) === 0 && referenceTables().length === 0) return;
  const moves = planMoves(w);
  checkIdentities(moves, mode);
  preflight(moves, mode);
  if (missingOn().length > 0) committed('_tessera_functions.copy_references_everywhere()');
  for (const [i, m] of moves.entries()) {
    notice(`moving shard ${m.shard.id} from ${address(m.source)} to ${address(m.target)}`);
    try {
      doMove(caller, m, mode);
    } catch (e) {
      if (e instanceof PgError) throw moveFailed(m.shard.id, e.message, e.sqlstate, i, moves.length);
      throw e;
    }
  }
};

export const drain = (caller: string, name: string, port: number, mode: Mode, strategy: string | null): void => {
  const node = openNode(name, port);
  committed(
    `_tessera_functions.request_cluster_set_node_property(${literal(caller)}, ${literal(
      JSON.stringify({ name, port, property: 'shouldhaveshards', value: false }),
    )}::jsonb)`,
  );
  rebalanceNow(
    caller,
    {
      relation: null,
      threshold: null,
      maxMoves: 0,
      excluded: [],
      drainOnly: true,
      strategy,
      improvement: null,
      onlyNode: node.id,
    },
    mode,
  );
};

/** Nodes without copies of the reference tables. */
const missingOn = (): Node[] => {
  const [first] = referenceTables();
  return first === undefined ? [] : activePrimaries().filter((n) => !first.shard.groups.includes(n.group));
};

export interface StartOptions {
  readonly strategy: string | null;
  readonly drainOnly: boolean;
  readonly mode: Mode;
  readonly parallelReferences: boolean;
  readonly parallelColocated: boolean;
}

const commandOf = (t: TransferTask, mode: Mode, api: string): string => {
  switch (t.kind) {
    case 'replicate':
      return `select ${api}.replicate_reference_tables(${literal(mode)})`;
    case 'move':
      return `select ${api}.citus_move_shard_placement(${t.shardid}, ${t.source}, ${t.target}, ${literal(mode)})`;
    default:
      return `select _tessera_functions.citus_internal_copy_single_shard_placement(${t.shardid}, ${t.source}, ${t.target}, ${t.kind === 'copy' ? 3 : 4}, ${literal(mode)})`;
  }
};

const referenceInput = (nodes: readonly Node[]) => {
  const all = referenceTables();
  const [first] = all;
  const ids = new Map(all.map((r) => [r.table.relid, r.shard.id]));
  const source = nodes.find((n) => first?.shard.groups.includes(n.group));
  return {
    shardids: all.map((r) => r.shard.id),
    foreignKeys: query<{ from: bigint; to: bigint }>(
      `select logicalrelid::oid::int8 as "from", referenced::oid::int8 as "to" from _tessera_catalog.pg_dist_key where kind = 'f'`,
    ).flatMap((k) => {
      const [from, to] = [ids.get(k.from), ids.get(k.to)];
      return from === undefined || to === undefined ? [] : [{ from, to }];
    }),
    source: source?.id ?? 0,
    missingOn: missingOn().map((n) => n.id),
  };
};

/** Plans, checks everything that could fail a later move, and leaves the moves to background tasks. */
export const startRebalance = (caller: string, o: StartOptions): bigint | null => {
  const w: Wish = {
    relation: null,
    threshold: null,
    maxMoves: 10_000_000,
    excluded: [],
    drainOnly: o.drainOnly,
    strategy: o.strategy,
    improvement: null,
    onlyNode: null,
  };
  if (representatives(null).length === 0) {
    notice('no tables are distributed, so there is nothing to rebalance');
    return null;
  }
  begin(caller, w);
  const moves = planMoves(w);
  if (moves.length === 0) {
    notice('no moves are needed: the cluster is balanced as far as the strategy asks');
    return null;
  }
  checkIdentities(moves, o.mode);
  preflight(moves, o.mode);
  committed('_tessera_functions.clean_up_nodes()');
  const api = ident(apiSchema());
  const tasks = planTaskGraph({
    moves: moves.map((m) => ({ colocationId: m.group, shardid: m.shard.id, source: m.source.id, target: m.target.id })),
    referenceTables: referenceInput(activePrimaries()),
    parallelTransferReferenceTables: o.parallelReferences,
    parallelTransferColocatedShards: o.parallelColocated,
  });
  const job = createJob(caller);
  const ids: bigint[] = [];
  const me = one<{ name: string }>('select current_user::text as name').name;
  for (const t of tasks)
    ids.push(
      addTask(
        t.kind === 'move' ? caller : me,
        job,
        commandOf(t, o.mode, api),
        t.dependsOn.map((i) => ids[i] as bigint),
        t.nodesInvolved,
      ),
    );
  notice(`scheduled ${moves.length} moves as job ${job}`);
  notice(`to follow it: select * from citus_rebalance_status(); to wait for it: select citus_rebalance_wait();`);
  return job;
};

const createJob = (caller: string): bigint =>
  BigInt(
    one<{ id: string }>(
      `select (_tessera_functions.request_task_create_job($1::name, jsonb_build_object('job_type', 'rebalance',
         'description', 'Rebalance all colocation groups')) #>> '{}') as id`,
      [caller],
    ).id,
  );

const addTask = (
  owner: string,
  job: bigint,
  command: string,
  dependsOn: readonly bigint[],
  nodes: readonly number[] | null,
): bigint =>
  BigInt(
    one<{ id: string }>(
      `select (_tessera_functions.request_task_add_task($1::name, jsonb_build_object('job_id', $2::int8, 'command', $3::text,
         'depends_on', to_jsonb($4::int8[]), 'nodes_involved', to_jsonb(nullif($5::int4[], '{}')),
         'owner', (select oid::int8 from pg_roles where rolname = $1), 'not_before', null)) #>> '{}') as id`,
      [owner, job, command, dependsOn, nodes ?? []],
    ).id,
  );
