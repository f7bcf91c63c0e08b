import { describe, expect, test } from 'vitest';
import { random } from '../../harness/random.ts';
import {
  type PlanNode,
  type PlanPlacement,
  planRebalance,
  type RebalanceInput,
  type RebalancePlan,
} from '../../../src/rebalance/rebalance-plan.ts';
import { plainRebalance } from './plain-rebalance.ts';

type Below = (n: number) => number;

const pick = <T>(below: Below, from: readonly T[]): T => from[below(from.length)]!;

const shuffled = <T>(below: Below, values: readonly T[]): T[] => {
  const result = [...values];
  for (let i = result.length - 1; i > 0; i--) {
    const other = below(i + 1);
    [result[i], result[other]] = [result[other]!, result[i]!];
  }
  return result;
};

const COSTS: readonly ((below: Below) => number)[] = [
  () => 1,
  (below) => below(4),
  (below) => 1 + below(100),
  (below) => below(1_000_000) / 7,
  (below) => 1e8 + below(2 ** 31) * 1000,
  (below) => (below(10) === 0 ? 1e12 : 1e8) + below(1_000_000),
];

const someNodes = (below: Below): PlanNode[] => {
  const varied = below(2) === 0;
  return Array.from({ length: 1 + below(7) }, (_, i) => ({
    nodeid: 10 - i,
    name: pick(below, ['a', 'b']),
    port: 5000 + i,
    shouldHaveShards: below(6) > 0,
    capacity: varied ? pick(below, [0, 0.5, 1, 1, 2, 3.3]) : 1,
  }));
};

const instance = (below: Below): RebalanceInput => {
  const nodes = someNodes(below);
  const cost = pick(below, COSTS);
  const copies = Math.min(nodes.length, pick(below, [1, 1, 2]));
  const crowded = 1 + below(nodes.length);
  const shards: { shardid: bigint; cost: number }[] = [];
  const problems = Array.from({ length: 1 + below(3) }, () => {
    const placements: PlanPlacement[] = [];
    for (let i = below(40); i > 0; i--) {
      const shardid = BigInt(1000 - shards.length);
      shards.push({ shardid, cost: cost(below) });
      const first = below(crowded);
      for (let c = 0; c < copies; c++) placements.push({ shardid, nodeid: nodes[(first + c) % nodes.length]!.nodeid });
    }
    return { placements };
  });
  const forbidden = pick(below, [0, 0, 10, 60]);
  const pairs = new Set(
    shards.flatMap((s) => nodes.filter(() => below(100) < forbidden).map((n) => `${s.shardid} ${n.nodeid}`)),
  );
  return {
    nodes,
    shards,
    problems,
    options: {
      threshold: pick(below, [0, 0, 0.01, 0.1, 0.5, 1]),
      improvementThreshold: pick(below, [0, 0, 0.1, 0.5, 1, 2]),
      maxShardMoves: pick(below, [0, 3, 10_000, 10_000, 10_000]),
      drainOnly: below(8) === 0,
      loggedIgnoredMoves: pick(below, [-1, 0, 5]),
    },
    allowed: (shardid, nodeid) => !pairs.has(`${shardid} ${nodeid}`),
  };
};

const eachInstance = (seed: number, rounds: number, check: (input: RebalanceInput, below: Below) => void): void => {
  const next = random(seed);
  const below: Below = (n) => next() % n;
  for (let round = 0; round < rounds; round++) check(instance(below), below);
};

/** Calls back before and after each move with the greatest utilization of its problem. */
const replay = (
  { nodes, shards, problems }: RebalanceInput,
  plan: RebalancePlan,
  check: (move: RebalancePlan['moves'][number], before: number, after: number) => void,
): void => {
  const costOf = new Map([...shards].map((s) => [s.shardid, s.cost]));
  for (const { placements } of problems) {
    const held = new Map(nodes.map((n) => [n.nodeid, new Set<bigint>()]));
    for (const p of placements) held.get(p.nodeid)!.add(p.shardid);
    const ids = new Set(placements.map((p) => p.shardid));
    const greatest = (): number =>
      Math.max(
        ...nodes.map((n) => {
          const total = [...held.get(n.nodeid)!].reduce((sum, s) => sum + costOf.get(s)!, 0);
          if (!n.shouldHaveShards || n.capacity <= 0) return total > 0 ? Number.POSITIVE_INFINITY : 0;
          return total / n.capacity;
        }),
      );
    for (const move of plan.moves.filter((m) => ids.has(m.shardid))) {
      const before = greatest();
      expect(held.get(move.source)!.delete(move.shardid)).toBe(true);
      expect(held.get(move.target)!.has(move.shardid)).toBe(false);
      held.get(move.target)!.add(move.shardid);
      check(move, before, greatest());
    }
  }
};

describe('any plan', () => {
  test('is what the plain algorithm gives', () => {
    eachInstance(1, 3000, (input) => {
      expect(planRebalance(input)).toEqual(plainRebalance(input));
    });
  });

  test('does not depend on the order in which nodes, shards and placements were read', () => {
    eachInstance(2, 500, (input, below) => {
      const other = {
        ...input,
        nodes: shuffled(below, input.nodes),
        shards: shuffled(below, [...input.shards]),
        problems: input.problems.map((p) => ({ placements: shuffled(below, p.placements) })),
      };
      expect(planRebalance(other)).toEqual(planRebalance(input));
    });
  });

  test('never raises the greatest utilization for the sake of balance', () => {
    eachInstance(3, 1000, (input) => {
      const plan = planRebalance(input);
      const forced = planRebalance({ ...input, options: { ...input.options, drainOnly: true } }).moves.length;
      const forBalance = new Set(plan.moves.slice(forced));
      replay(input, plan, (move, before, after) => {
        if (forBalance.has(move)) expect(after <= before * (1 + 1e-6)).toBe(true);
      });
    });
  });

  test('moves only where the node should have shards and the strategy allows it, and for balance where capacity is', () => {
    eachInstance(4, 1000, (input) => {
      const { moves } = planRebalance(input);
      const forced = planRebalance({ ...input, options: { ...input.options, drainOnly: true } }).moves.length;
      for (const [i, { shardid, target }] of moves.entries()) {
        const node = input.nodes.find((n) => n.nodeid === target)!;
        expect(node.shouldHaveShards && input.allowed!(shardid, target)).toBe(true);
        if (i >= forced) expect(node.capacity).toBeGreaterThan(0);
      }
    });
  });

  test('ends long before its bound, and has nothing left to move once it is carried out', () => {
    eachInstance(5, 1000, (given) => {
      const input = { ...given, options: { ...given.options, maxShardMoves: 10_000, drainOnly: false } };
      const plan = planRebalance(input);
      const placements = input.problems.flatMap((p) => p.placements);
      expect(plan.cutShort).toBe(false);
      expect(plan.moves.length).toBeLessThanOrEqual(3 * placements.length);
      const at = new Map(placements.map((p) => [`${p.shardid} ${p.nodeid}`, p.nodeid]));
      for (const m of plan.moves) {
        at.delete(`${m.shardid} ${m.source}`);
        at.set(`${m.shardid} ${m.target}`, m.target);
      }
      // Only whole numbers add up to the same sums in whatever order.
      if ([...input.shards].some((s) => !Number.isInteger(s.cost) || s.cost > 1000)) return;
      const left = [...at].map(([key, nodeid]) => ({ shardid: BigInt(key.split(' ')[0]!), nodeid }));
      const problems = input.problems.map(({ placements: own }) => {
        const ids = new Set(own.map((p) => p.shardid));
        return { placements: left.filter((p) => ids.has(p.shardid)) };
      });
      const stuck = plan.warnings.map((w) => `${w.shardid} ${w.nodeid}`);
      if (stuck.length === 0) expect(planRebalance({ ...input, problems }).moves).toEqual([]);
    });
  });
});

test('asks at most once for each shard and node whether the strategy allows it', () => {
  eachInstance(6, 300, (input) => {
    const asked = new Set<string>();
    planRebalance({
      ...input,
      allowed: (shardid, nodeid) => {
        const pair = `${shardid} ${nodeid}`;
        expect(asked.has(pair)).toBe(false);
        asked.add(pair);
        return input.allowed!(shardid, nodeid);
      },
    });
  });
});
