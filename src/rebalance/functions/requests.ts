import { run } from '../../engine/spi.ts';
import { requireAdmin } from '../../cluster/index.ts';
import { defineFunction, returnsScalar, returnsTable, type FunctionDeclaration } from '../../udf/define-function.ts';
import { defineRequest } from '../../udf/define-request.ts';
import type { Mode } from '../../shard/index.ts';
import { nullArgument } from '../../lib/failures.ts';
import { nothingToStop } from '../failures.ts';
import { planMoves, type Wish } from '../plan-cluster.ts';
import { readProgress } from '../progress.ts';
import { drain, rebalanceNow, runningJob, startRebalance } from '../rebalance.ts';

const request = <P>(
  name: string,
  summary: string,
  body: (caller: string, payload: P) => unknown,
): FunctionDeclaration =>
  defineRequest({ feature: 'rebalance', name, summary, privileges: 'owner of the tables', body });

interface Given {
  readonly relation: string | null;
  readonly threshold: number | null;
  readonly maxMoves: number | null;
  readonly excluded: string[] | null;
  readonly drainOnly: boolean | null;
  readonly strategy: string | null;
  readonly improvement: number | null;
  readonly mode: Mode | null;
}

const wishOf = (g: Given): Wish => ({
  relation: g.relation === null ? null : BigInt(g.relation),
  threshold: g.threshold,
  maxMoves: g.maxMoves ?? 1_000_000,
  excluded: (g.excluded ?? []).map(BigInt),
  drainOnly: g.drainOnly === true,
  strategy: g.strategy,
  improvement: g.improvement ?? null,
  onlyNode: null,
});

export const request_rebalance_plan = request<Given>('plan', 'What a rebalance would do.', (_caller, g) =>
  planMoves(wishOf(g)).flatMap((m) =>
    m.shards.map((s) => ({
      relid: String(s.relid),
      shardid: String(s.id),
      sourcename: m.source.name,
      sourceport: m.source.port,
      targetname: m.target.name,
      targetport: m.target.port,
    })),
  ),
);

export const request_rebalance_now = request<Given>('now', 'Moves shards in the foreground.', (caller, g) =>
  rebalanceNow(caller, wishOf(g), g.mode ?? 'auto'),
);

export const request_rebalance_drain = request<{
  name: string | null;
  port: number | null;
  mode: Mode | null;
  strategy: string | null;
}>('drain', 'Empties a node.', (caller, p) => {
  requireAdmin(caller, 'drain nodes');
  if (p.name === null) throw nullArgument('nodename');
  if (p.port === null) throw nullArgument('nodeport');
  drain(caller, p.name, p.port, p.mode ?? 'auto', p.strategy);
});

interface Start {
  readonly strategy: string | null;
  readonly drainOnly: boolean | null;
  readonly mode: Mode | null;
  readonly references: boolean | null;
  readonly colocated: boolean | null;
}

export const request_rebalance_start = request<Start>(
  'start',
  'Schedules a rebalance as background tasks.',
  (caller, p) => {
    const job = startRebalance(caller, {
      strategy: p.strategy,
      drainOnly: p.drainOnly === true,
      mode: p.mode ?? 'auto',
      parallelReferences: p.references === true,
      parallelColocated: p.colocated === true,
    });
    return job === null ? null : String(job);
  },
);

export const running_rebalance = defineFunction({
  schema: '_tessera_functions',
  name: 'running_rebalance',
  args: [],
  returns: returnsScalar('bigint'),
  volatility: 'volatile',
  summary: 'The background job of the rebalance under way.',
  privileges: 'anybody',
  errors: '55000 there is none',
  handler: (): bigint => {
    const job = runningJob();
    if (job === undefined) throw nothingToStop();
    return job;
  },
});

interface NewStrategy {
  readonly name: string;
  readonly cost: string;
  readonly capacity: string;
  readonly allowed: string;
  readonly threshold: number;
  readonly minimum: number;
  readonly improvement: number;
}

export const request_rebalance_add_strategy = request<NewStrategy>(
  'add_strategy',
  'Records a strategy.',
  (caller, s) => {
    requireAdmin(caller, 'add rebalance strategies');
    for (const [name, value] of Object.entries(s)) if (value === null) throw nullArgument(name);
    run(
      `insert into _tessera_catalog.pg_dist_rebalance_strategy
       (name, shard_cost_function, node_capacity_function, shard_allowed_on_node_function, default_threshold, minimum_threshold, improvement_threshold)
     values ($1::name, $2::int8::oid::regproc, $3::int8::oid::regproc, $4::int8::oid::regproc, $5::float8::float4, $6::float8::float4, $7::float8::float4)`,
      [s.name, BigInt(s.cost), BigInt(s.capacity), BigInt(s.allowed), s.threshold, s.minimum, s.improvement],
    );
  },
);

export const request_rebalance_set_default = request<{ name: string }>(
  'set_default',
  'Makes a strategy the default.',
  (caller, p) => {
    requireAdmin(caller, 'choose rebalance strategies');
    run('select _tessera_functions.set_default_strategy($1)', [p.name]);
  },
);

export const rebalance_progress = defineFunction({
  schema: '_tessera_functions',
  name: 'rebalance_progress',
  args: [],
  returns: returnsTable(
    { name: 'sessionid', type: 'integer' },
    { name: 'table_name', type: 'text' },
    { name: 'shardid', type: 'bigint' },
    { name: 'shard_size', type: 'bigint' },
    { name: 'sourcename', type: 'text' },
    { name: 'sourceport', type: 'integer' },
    { name: 'targetname', type: 'text' },
    { name: 'targetport', type: 'integer' },
    { name: 'progress', type: 'bigint' },
    { name: 'source_shard_size', type: 'bigint' },
    { name: 'target_shard_size', type: 'bigint' },
    { name: 'operation_type', type: 'text' },
    { name: 'source_lsn', type: 'text' },
    { name: 'target_lsn', type: 'text' },
    { name: 'status', type: 'text' },
    { name: 'bytes_per_second', type: 'bigint' },
    { name: 'eta', type: 'text' },
  ),
  volatility: 'volatile',
  summary: 'Transfers of shards under way, with what the nodes say of them.',
  privileges: 'owner of the extension',
  handler: () => readProgress(),
});
