import type { PlanNode, PlanPlacement, PlanShard, Problem } from './problem-plan.ts';

/** All sums and quotients are float4, as the costs and capacities are: a plan must not depend on who computes it. */
export const float4 = Math.fround;

export const utilizationOf = (total: number, capacity: number): number =>
  capacity <= 0 ? Number.POSITIVE_INFINITY : float4(total / capacity);

/** A node of one problem while that is being planned. */
export interface NodeLoad {
  readonly node: PlanNode;
  readonly row: number;
  readonly capacity: number;
  /** Ranks of its shards, ascending. */
  readonly ranks: number[];
  total: number;
  utilization: number;
  /** Number of the last move from or to it. */
  changedAt: number;
}

const byUtilization = (a: NodeLoad, b: NodeLoad): number => {
  if (a.utilization !== b.utilization) return a.utilization < b.utilization ? -1 : 1;
  return b.capacity - a.capacity || a.node.nodeid - b.node.nodeid;
};

const byName = (a: PlanNode, b: PlanNode): number =>
  a.name === b.name ? a.port - b.port || a.nodeid - b.nodeid : a.name < b.name ? -1 : 1;

/** The first index of ascending numbers from which on `holds` is true. */
export const firstIndex = (ascending: readonly number[], holds: (n: number) => boolean): number => {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(ascending[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
};

const byCost = (a: PlanShard, b: PlanShard): number =>
  a.cost === b.cost ? (a.shardid < b.shardid ? -1 : 1) : b.cost - a.cost;

const HELD = 1;
const ASKED = 2;
const ALLOWED = 4;

/** Who holds what in one problem. Shards go by rank: 0 is the dearest, and of equal cost the one with the least id. */
export class NodeLoads {
  readonly shardids: readonly bigint[];
  readonly costs: Float32Array;
  /** Nodes by utilization, kept in order by every move. */
  readonly ascending: NodeLoad[];
  readonly totalCost: number;
  readonly totalCapacity: number;
  moves = 0;
  private readonly allowed: (shardid: bigint, nodeid: number) => boolean;
  /** Flags of each pair of node and shard; the answers of `allowed` among them, which may be slow to get. */
  private readonly pairs: Uint8Array;

  constructor(
    problem: Problem,
    nodes: readonly PlanNode[],
    shards: ReadonlyMap<bigint, PlanShard>,
    allowed: (shardid: bigint, nodeid: number) => boolean,
  ) {
    this.allowed = allowed;
    const loads = [...nodes].sort(byName).map((node, row): NodeLoad => {
      const capacity = node.shouldHaveShards ? float4(node.capacity) : 0;
      return { node, row, capacity, ranks: [], total: 0, utilization: 0, changedAt: 0 };
    });
    this.totalCapacity = loads.reduce((sum, l) => float4(sum + l.capacity), 0);
    const ranked = rankShards(problem.placements, shards);
    this.shardids = ranked.map((s) => s.shardid);
    this.costs = Float32Array.from(ranked, (s) => s.cost);
    this.pairs = new Uint8Array(loads.length * ranked.length);
    this.totalCost = this.place(problem.placements, loads);
    this.ascending = loads.sort(byUtilization);
  }

  allows(load: NodeLoad, rank: number): boolean {
    const at = load.row * this.costs.length + rank;
    let flags = this.pairs[at]!;
    if ((flags & ASKED) === 0) {
      const allowed = load.node.shouldHaveShards && this.allowed(this.shardids[rank]!, load.node.nodeid);
      flags |= allowed ? ASKED | ALLOWED : ASKED;
      this.pairs[at] = flags;
    }
    return (flags & ALLOWED) !== 0;
  }

  canTake(load: NodeLoad, rank: number): boolean {
    return (this.pairs[load.row * this.costs.length + rank]! & HELD) === 0 && this.allows(load, rank);
  }

  move(rank: number, source: NodeLoad, target: NodeLoad): void {
    const cost = this.costs[rank]!;
    this.moves++;
    source.ranks.splice(
      firstIndex(source.ranks, (r) => r >= rank),
      1,
    );
    target.ranks.splice(
      firstIndex(target.ranks, (r) => r >= rank),
      0,
      rank,
    );
    this.flip(source, rank);
    this.flip(target, rank);
    this.load(source, float4(source.total - cost));
    this.load(target, float4(target.total + cost));
  }

  /** Float4 sums depend on their order; that by rank is the same however the placements were read. */
  private place(placements: readonly PlanPlacement[], loads: readonly NodeLoad[]): number {
    const rankOf = new Map(this.shardids.map((shardid, rank) => [shardid, rank]));
    const loadOf = new Map(loads.map((l) => [l.node.nodeid, l]));
    const held = placements.flatMap((p) => {
      const load = loadOf.get(p.nodeid);
      // Nothing can be read from or moved to a node that takes no part.
      return load === undefined ? [] : [{ load, rank: rankOf.get(p.shardid)! }];
    });
    let sum = 0;
    for (const { load, rank } of held.sort((a, b) => a.rank - b.rank)) {
      this.flip(load, rank);
      load.ranks.push(rank);
      load.total = float4(load.total + this.costs[rank]!);
      sum = float4(sum + this.costs[rank]!);
    }
    for (const load of loads) load.utilization = utilizationOf(load.total, load.capacity);
    return sum;
  }

  private flip(load: NodeLoad, rank: number): void {
    this.pairs[load.row * this.costs.length + rank]! ^= HELD;
  }

  private load(load: NodeLoad, total: number): void {
    load.total = total;
    load.utilization = utilizationOf(total, load.capacity);
    load.changedAt = this.moves;
    const order = this.ascending;
    order.splice(order.indexOf(load), 1);
    const at = order.findIndex((other) => byUtilization(load, other) < 0);
    order.splice(at < 0 ? order.length : at, 0, load);
  }
}

const rankShards = (placements: readonly PlanPlacement[], shards: ReadonlyMap<bigint, PlanShard>): PlanShard[] =>
  [...new Set(placements.map((p) => p.shardid))]
    .map((shardid) => {
      const shard = shards.get(shardid);
      if (shard === undefined) throw new Error(`shard ${shardid} has no cost`);
      return { shardid, cost: float4(shard.cost) };
    })
    .sort(byCost);
