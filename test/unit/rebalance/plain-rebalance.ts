/** The rebalance as it is written down, line by line: everything sorted again after each move, nothing remembered. */
import type {
  IgnoredMove,
  PlanNode,
  PlanPlacement,
  RebalanceInput,
  RebalancePlan,
  ShardMove,
} from '../../../src/rebalance/rebalance-plan.ts';

const f = Math.fround;

interface Fill {
  readonly node: PlanNode;
  readonly capacity: number;
  total: number;
  shards: { readonly shardid: bigint; readonly cost: number }[];
}

const util = (total: number, capacity: number): number => (capacity <= 0 ? Infinity : f(total / capacity));
const utilOf = (fill: Fill): number => util(fill.total, fill.capacity);
const less = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

const ascending = (a: Fill, b: Fill): number => {
  if (utilOf(a) < utilOf(b)) return -1;
  if (utilOf(a) > utilOf(b)) return 1;
  if (a.capacity !== b.capacity) return b.capacity - a.capacity;
  return a.node.nodeid - b.node.nodeid;
};
const dearestFirst = (a: Fill['shards'][number], b: Fill['shards'][number]): number =>
  b.cost - a.cost || less(a.shardid, b.shardid);

export const plainRebalance = (input: RebalanceInput): RebalancePlan => {
  const { threshold, maxShardMoves, drainOnly, improvementThreshold, loggedIgnoredMoves = 5 } = input.options;
  const costOf = new Map([...input.shards].map((s) => [s.shardid, f(s.cost)]));
  const allowed = (shardid: bigint, { node }: Fill): boolean =>
    node.shouldHaveShards && (input.allowed?.(shardid, node.nodeid) ?? true);
  const moves: ShardMove[] = [];
  const ignored: IgnoredMove[] = [];
  const warnings: PlanPlacement[] = [];
  let ignoredTotal = 0;
  let cutShort = false;

  const move = (shard: Fill['shards'][number], source: Fill, target: Fill): void => {
    source.shards = source.shards.filter((s) => s.shardid !== shard.shardid);
    target.shards = [...target.shards, shard].sort(dearestFirst);
    source.total = f(source.total - shard.cost);
    target.total = f(target.total + shard.cost);
    moves.push({ shardid: shard.shardid, source: source.node.nodeid, target: target.node.nodeid });
  };

  const states = input.problems.map(({ placements }) => {
    const fills = [...input.nodes]
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.port - b.port))
      .map((node): Fill => ({ node, capacity: node.shouldHaveShards ? f(node.capacity) : 0, total: 0, shards: [] }));
    const order = fills.map((fill) => fill.node.nodeid);
    let totalCost = 0;
    const shards = placements.map((p) => ({ ...p, cost: costOf.get(p.shardid)! }));
    shards.sort((a, b) => dearestFirst(a, b) || order.indexOf(a.nodeid) - order.indexOf(b.nodeid));
    for (const { shardid, nodeid, cost } of shards) {
      const fill = fills.find((x) => x.node.nodeid === nodeid)!;
      fill.shards.push({ shardid, cost });
      fill.total = f(fill.total + cost);
      totalCost = f(totalCost + cost);
    }
    const totalCapacity = fills.reduce((sum, fill) => f(sum + fill.capacity), 0);
    return { fills, average: f(totalCost / totalCapacity) };
  });

  for (const { fills } of states) {
    const forbidden = fills
      .sort(ascending)
      .flatMap((fill) => fill.shards.filter((s) => !allowed(s.shardid, fill)).map((shard) => ({ shard, fill })))
      .sort((a, b) => dearestFirst(a.shard, b.shard));
    for (const { shard, fill } of forbidden) {
      const has = (x: Fill): boolean => x.shards.some((s) => s.shardid === shard.shardid);
      const target = fills.sort(ascending).find((x) => !has(x) && allowed(shard.shardid, x));
      if (target === undefined) warnings.push({ shardid: shard.shardid, nodeid: fill.node.nodeid });
      else move(shard, fill, target);
    }
  }
  if (drainOnly) return { moves, ignored, ignoredTotal, warnings, cutShort };

  for (const { fills, average } of states) {
    const [low, high] = [f((1 - f(threshold)) * average), f((1 + f(threshold)) * average)];
    const findOne = (): boolean => {
      const up = [...fills].sort(ascending);
      for (const source of [...up].reverse()) {
        if (utilOf(source) <= low) return false;
        for (const target of up) {
          if (utilOf(target) >= high) break;
          if (utilOf(target) >= low && utilOf(source) <= high) break;
          for (const shard of source.shards) {
            if (target.shards.some((s) => s.shardid === shard.shardid) || !allowed(shard.shardid, target)) continue;
            const nt = util(f(target.total + shard.cost), target.capacity);
            const ns = util(f(source.total - shard.cost), source.capacity);
            if (nt > ns) {
              if (nt > utilOf(source)) continue;
              if (nt === utilOf(source) && ns <= utilOf(target)) continue;
              const gain = Math.max(f(utilOf(source) - nt), f(ns - utilOf(target)));
              const added = Math.min(f(nt - utilOf(target)), f(utilOf(source) - ns));
              const improvement = f(gain / added);
              if (improvement < f(improvementThreshold)) {
                ignoredTotal++;
                if (loggedIgnoredMoves < 0 || ignored.length < loggedIgnoredMoves)
                  ignored.push({
                    shardid: shard.shardid,
                    source: source.node.nodeid,
                    target: target.node.nodeid,
                    improvement,
                  });
                continue;
              }
            }
            move(shard, source, target);
            return true;
          }
        }
      }
      return false;
    };
    let found = true;
    while (moves.length < maxShardMoves && found) found = findOne();
    if (found) {
      cutShort = true;
      break;
    }
  }
  return { moves, ignored, ignoredTotal, warnings, cutShort };
};
