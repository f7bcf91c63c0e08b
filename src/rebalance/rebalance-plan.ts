import { type IgnoredLog, type IgnoredMove, MoveSearch } from './move-search-plan.ts';
import { float4, type NodeLoad, NodeLoads } from './node-load-plan.ts';
import type { PlanNode, PlanPlacement, PlanShard, Problem } from './problem-plan.ts';

export type { IgnoredMove } from './move-search-plan.ts';
export {
  groupProblems,
  type PlanNode,
  type PlanPlacement,
  type PlanShard,
  type Problem,
  type Scope,
} from './problem-plan.ts';

export interface PlanOptions {
  /** By which part of the average a node may lie above or below it. */
  readonly threshold: number;
  /** Bounds what is moved for balance. What must leave its node does so in any case, and is counted. */
  readonly maxShardMoves: number;
  /** Only what must leave its node moves. */
  readonly drainOnly: boolean;
  readonly improvementThreshold: number;
  /** How many ignored moves the plan names: 5 unless given, -1 for all. */
  readonly loggedIgnoredMoves?: number;
}

export interface RebalanceInput {
  readonly nodes: readonly PlanNode[];
  /** Each shard of the problems, whatever else. */
  readonly shards: Iterable<PlanShard>;
  readonly problems: readonly Problem[];
  readonly options: PlanOptions;
  /** Whether the strategy lets the shard stand on the node; asked at most once for each pair of a problem. */
  readonly allowed?: (shardid: bigint, nodeid: number) => boolean;
}

export interface ShardMove {
  readonly shardid: bigint;
  readonly source: number;
  readonly target: number;
}

export interface RebalancePlan {
  /** In the order in which they are to be done; each carries all shards colocated with the one named. */
  readonly moves: readonly ShardMove[];
  readonly ignored: readonly IgnoredMove[];
  /** How often a move was ignored. The same one counts again each time it is met. */
  readonly ignoredTotal: number;
  /** Placements that must leave their node and have nowhere to go. */
  readonly warnings: readonly PlanPlacement[];
  /** Whether the bound on moves ended the search, so that another run may find more. */
  readonly cutShort: boolean;
}

type Move = (loads: NodeLoads, rank: number, source: NodeLoad, target: NodeLoad) => void;

/** Moves what must not be where it is, the dearest first; returns what no node can take. */
const leaveForbidden = (loads: NodeLoads, move: Move): PlanPlacement[] => {
  const forbidden = loads.ascending
    .flatMap((source) => source.ranks.map((rank) => ({ source, rank })))
    .filter(({ source, rank }) => !loads.allows(source, rank))
    .sort((a, b) => a.rank - b.rank);
  const stuck: PlanPlacement[] = [];
  for (const { source, rank } of forbidden) {
    const target = loads.ascending.find((load) => loads.canTake(load, rank));
    if (target === undefined) stuck.push({ shardid: loads.shardids[rank]!, nodeid: source.node.nodeid });
    else move(loads, rank, source, target);
  }
  return stuck;
};

/** Moves for balance while there is room for a move; returns whether the room ended first. */
const balance = (
  loads: NodeLoads,
  { threshold, improvementThreshold }: PlanOptions,
  log: IgnoredLog,
  move: Move,
  room: () => boolean,
): boolean => {
  // Without capacity there is no average to come nearer to, and every utilization is infinite.
  if (loads.totalCapacity <= 0) return !room();
  const average = float4(loads.totalCost / loads.totalCapacity);
  const search = new MoveSearch(
    loads,
    {
      low: float4((1 - float4(threshold)) * average),
      high: float4((1 + float4(threshold)) * average),
      improvementThreshold: float4(improvementThreshold),
    },
    log,
  );
  while (room()) {
    const found = search.next();
    if (found === undefined) return false;
    move(loads, found.rank, found.source, found.target);
  }
  return true;
};

/** Which shards move where, so that utilization evens out: first what must leave its node, then what is too much. */
export const planRebalance = ({ nodes, shards, problems, options, allowed }: RebalanceInput): RebalancePlan => {
  const shardOf = new Map([...shards].map((s) => [s.shardid, s]));
  const moves: ShardMove[] = [];
  const move: Move = (loads, rank, source, target) => {
    loads.move(rank, source, target);
    moves.push({ shardid: loads.shardids[rank]!, source: source.node.nodeid, target: target.node.nodeid });
  };
  const most = options.loggedIgnoredMoves ?? 5;
  const log: IgnoredLog = { first: [], most: most < 0 ? Number.POSITIVE_INFINITY : most, total: 0 };
  const states = problems.map((problem) => new NodeLoads(problem, nodes, shardOf, allowed ?? (() => true)));
  const warnings = states.flatMap((loads) => leaveForbidden(loads, move));
  const room = (): boolean => moves.length < options.maxShardMoves;
  const cutShort = !options.drainOnly && states.some((loads) => balance(loads, options, log, move, room));
  return { moves, ignored: log.first, ignoredTotal: log.total, warnings, cutShort };
};
