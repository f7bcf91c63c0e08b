import { describe, expect, test } from 'vitest';
import {
  groupProblems,
  type PlanNode,
  type PlanOptions,
  type PlanPlacement,
  planRebalance,
  type RebalanceInput,
  type RebalancePlan,
} from '../../../src/rebalance/rebalance-plan.ts';

const node = (nodeid: number, changes: Partial<PlanNode> = {}): PlanNode => ({
  nodeid,
  name: `node-${nodeid}`,
  port: 5432,
  shouldHaveShards: true,
  capacity: 1,
  ...changes,
});

/** Shards of a node by name, each with its cost; the name is the shard id. */
type Holdings = Readonly<Record<number, Readonly<Record<number, number>>>>;

const placementsOf = (held: Holdings): PlanPlacement[] =>
  Object.entries(held).flatMap(([nodeid, shards]) =>
    Object.keys(shards).map((shardid) => ({ shardid: BigInt(shardid), nodeid: Number(nodeid) })),
  );

const planOf = (
  nodes: readonly PlanNode[],
  problems: readonly Holdings[],
  options: Partial<PlanOptions> = {},
  allowed?: RebalanceInput['allowed'],
): RebalancePlan =>
  planRebalance({
    nodes,
    shards: problems.flatMap((held) =>
      Object.values(held).flatMap((shards) =>
        Object.entries(shards).map(([shardid, cost]) => ({ shardid: BigInt(shardid), cost })),
      ),
    ),
    problems: problems.map((held) => ({ placements: placementsOf(held) })),
    options: { threshold: 0, maxShardMoves: 1000, drainOnly: false, improvementThreshold: 0, ...options },
    ...(allowed === undefined ? {} : { allowed }),
  });

/** Moves as "shard: source > target". */
const moves = (...args: Parameters<typeof planOf>): string[] =>
  planOf(...args).moves.map((m) => `${m.shardid}: ${m.source} > ${m.target}`);

/** So many shards of cost 1, with ids from the one given. */
const ones = (count: number, from: number): Record<number, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [from + i, 1]));

describe('independent problems', () => {
  const table = (...on: number[]): PlanPlacement[] => on.map((nodeid) => ({ shardid: BigInt(100 + nodeid), nodeid }));

  test('a table with a placement for each node is one; the smaller ones are one together, the last', () => {
    const nodes = [node(1), node(2), node(3, { shouldHaveShards: false })];
    const [a, b, c, d] = [table(1), table(1, 2), table(2), table(1, 2, 3)];
    expect(groupProblems([a, b, c, d], nodes)).toEqual([
      { placements: b },
      { placements: d },
      { placements: [...a, ...c] },
    ]);
  });

  test('excluded shards are left out before a table is judged', () => {
    const nodes = [node(1), node(2)];
    expect(groupProblems([table(1, 2)], nodes, { excluded: new Set([101n]) })).toEqual([{ placements: table(2) }]);
    expect(groupProblems([table(1), table(1, 2)], nodes, { excluded: new Set([101n, 102n]) })).toEqual([]);
  });

  test('of a node to be drained only its own placements take part', () => {
    const nodes = [node(1), node(2)];
    expect(groupProblems([table(1, 2), table(1)], nodes, { onlyNode: 1 })).toEqual([
      { placements: [...table(1), ...table(1)] },
    ]);
  });
});

describe('threshold', () => {
  const nodes = [node(1), node(2)];

  test('nodes exactly at the bounds are balanced', () => {
    expect(moves(nodes, [{ 1: ones(11, 1), 2: ones(9, 21) }], { threshold: 0.1 })).toEqual([]);
    expect(moves(nodes, [{ 1: ones(11, 1), 2: ones(9, 21) }], { threshold: 0.09 })).toEqual(['1: 1 > 2']);
  });

  test('it moves until both nodes are within the bounds, and no further', () => {
    expect(moves(nodes, [{ 1: ones(13, 1), 2: ones(7, 21) }], { threshold: 0.1 })).toEqual(['1: 1 > 2', '2: 1 > 2']);
    expect(moves(nodes, [{ 1: ones(13, 1), 2: ones(7, 21) }])).toHaveLength(3);
  });

  test('a node within the bounds gives to one below them', () => {
    const three = [...nodes, node(3)];
    expect(moves(three, [{ 1: ones(11, 1), 2: ones(11, 21), 3: ones(8, 41) }], { threshold: 0.15 })).toEqual([
      '21: 2 > 3',
    ]);
  });
});

describe('choice of shard and nodes', () => {
  test('the dearest shard that does not swap the two nodes moves, and of equal cost the one with the least id', () => {
    expect(moves([node(1), node(2)], [{ 1: { 5: 60, 6: 30, 7: 30, 8: 10 }, 2: { 9: 70 } }])).toEqual(['6: 1 > 2']);
  });

  test('a move that only swaps the utilization of two nodes is none', () => {
    expect(moves([node(1), node(2)], [{ 1: { 1: 10, 2: 5 }, 2: { 3: 10 } }])).toEqual([]);
  });

  test('of equal nodes the one with the least id receives, and the one with the greatest gives', () => {
    expect(moves([node(1), node(2), node(3)], [{ 1: ones(2, 1), 2: ones(2, 3) }])).toEqual(['3: 2 > 3']);
    expect(moves([node(1), node(2), node(3)], [{ 3: ones(3, 1) }])).toEqual(['1: 3 > 1', '2: 3 > 2']);
  });

  test('of equally used nodes the one with more capacity receives', () => {
    expect(moves([node(1), node(2), node(3, { capacity: 2 })], [{ 1: ones(2, 1) }])).toEqual(['1: 1 > 3']);
  });

  test('a node does not receive a shard it has', () => {
    expect(moves([node(1), node(2)], [{ 1: { 1: 1, 2: 1, 3: 1, 4: 1 }, 2: { 1: 1, 2: 1 } }])).toEqual(['3: 1 > 2']);
  });

  test('placements on nodes that take no part count for nothing', () => {
    expect(moves([node(1), node(2)], [{ 1: ones(2, 1), 2: ones(2, 11), 9: ones(50, 21) }])).toEqual([]);
  });

  test('costs are compared as float4 compares them', () => {
    const held = { 1: { 1: 16_777_216, 2: 16_777_217 } };
    expect(moves([node(1), node(2)], [held])).toEqual(['1: 1 > 2']);
  });
});

describe('capacity', () => {
  test('a node of three times the capacity receives three times the cost', () => {
    const held = [{ 1: ones(8, 1) }];
    expect(moves([node(1), node(2, { capacity: 3 })], held)).toEqual([1, 2, 3, 4, 5, 6].map((s) => `${s}: 1 > 2`));
  });

  test('a node without capacity is emptied and receives nothing', () => {
    const nodes = [node(1), node(2, { capacity: 0 }), node(3)];
    expect(moves(nodes, [{ 1: ones(4, 1), 2: ones(2, 11) }], { threshold: 9 })).toEqual(['11: 2 > 3', '12: 2 > 3']);
  });

  test('capacities add up as float4 in the order of node names', () => {
    // 2^24 + 1 + 1 is 2^24 in float4, and 1 + 1 + 2^24 is not: only then is the great node above the average.
    const named = (name: string): PlanNode[] => [node(1, { name, capacity: 2 ** 24 }), node(2), node(3)];
    const held = [{ 1: { 1: 1000, 2: 0.000_01 } }];
    expect(moves(named('a'), held)).toEqual([]);
    expect(moves(named('z'), held)).toEqual(['2: 1 > 2']);
    expect(moves(named('a').reverse(), held)).toEqual([]);
  });

  test('without any capacity nothing moves', () => {
    const nodes = [node(1, { capacity: 0 }), node(2, { capacity: 0 })];
    expect(planOf(nodes, [{ 1: ones(4, 1) }])).toMatchObject({ moves: [], cutShort: false });
    expect(moves(nodes, [{ 1: { 1: 0, 2: 0 } }])).toEqual([]);
  });
});

describe('improvement threshold', () => {
  // Shard 2 would gain 10 of the 40 it weighs.
  const held = [{ 1: { 1: 60, 2: 40 }, 2: { 3: 50 } }];
  const nodes = [node(1), node(2)];

  test('a move that gains exactly that much is made', () => {
    expect(moves(nodes, held, { improvementThreshold: 0.25 })).toEqual(['2: 1 > 2']);
  });

  test('a move that gains less is ignored and named', () => {
    expect(planOf(nodes, held, { improvementThreshold: 0.26 })).toEqual({
      moves: [],
      ignored: [{ shardid: 2n, source: 1, target: 2, improvement: 0.25 }],
      ignoredTotal: 1,
      warnings: [],
      cutShort: false,
    });
  });

  test('all are counted, but only the first are named', () => {
    const many = [{ 1: { 1: 60, 2: 40, 3: 40, 4: 40 }, 2: { 5: 130 } }];
    const ignored = (loggedIgnoredMoves?: number): [number, string] => {
      const plan = planOf(nodes, many, {
        improvementThreshold: 0.8,
        ...(loggedIgnoredMoves === undefined ? {} : { loggedIgnoredMoves }),
      });
      return [plan.ignoredTotal, plan.ignored.map((i) => i.shardid).join(' ')];
    };
    expect(moves(nodes, many)).toEqual(['2: 1 > 2']);
    expect(ignored()).toEqual([3, '2 3 4']);
    expect(ignored(-1)).toEqual([3, '2 3 4']);
    expect(ignored(2)).toEqual([3, '2 3']);
    expect(ignored(0)).toEqual([3, '']);
  });
});

describe('what must leave its node', () => {
  const drained = [node(1, { shouldHaveShards: false }), node(2), node(3)];

  test('a drained node gives its dearest shards first, each to the node least used by then', () => {
    const held = [{ 1: { 1: 1, 2: 5, 3: 2 }, 3: { 4: 4 } }];
    expect(moves(drained, held, { drainOnly: true })).toEqual(['2: 1 > 2', '3: 1 > 3', '1: 1 > 2']);
  });

  test('a drain leaves the other nodes as they are, however they stand', () => {
    const held = [{ 1: { 1: 1 }, 3: ones(9, 11) }];
    expect(planOf(drained, held, { drainOnly: true, maxShardMoves: 0 })).toEqual({
      moves: [{ shardid: 1n, source: 1, target: 2 }],
      ignored: [],
      ignoredTotal: 0,
      warnings: [],
      cutShort: false,
    });
  });

  test('shards leave the nodes that the strategy forbids them', () => {
    const even = (shardid: bigint, nodeid: number): boolean => shardid % 2n === BigInt(nodeid % 2);
    const held = [{ 1: ones(4, 1), 2: { 5: 1 } }];
    expect(moves([node(1), node(2)], held, {}, even)).toEqual(['2: 1 > 2', '4: 1 > 2', '5: 2 > 1']);
  });

  test('a shard without a node that may take it stays, and is told of', () => {
    const held = [{ 1: { 1: 2, 2: 1 }, 2: { 1: 2 }, 3: { 1: 2 } }];
    const plan = planOf(drained, held, {}, (shardid, nodeid) => shardid === 1n || nodeid === 1);
    expect(plan).toMatchObject({
      moves: [],
      warnings: [
        { shardid: 1n, nodeid: 1 },
        { shardid: 2n, nodeid: 1 },
      ],
    });
  });

  test('a drained node is not filled again for balance', () => {
    expect(moves(drained, [{ 2: ones(6, 1) }])).toEqual(['1: 2 > 3', '2: 2 > 3', '3: 2 > 3']);
  });
});

describe('bound on moves', () => {
  const nodes = [node(1), node(2)];

  test('the search ends at the bound, over all problems together', () => {
    const problems = [{ 1: ones(8, 1) }, { 2: ones(4, 11) }];
    expect(planOf(nodes, problems)).toMatchObject({ moves: { length: 6 }, cutShort: false });
    expect(planOf(nodes, problems, { maxShardMoves: 5 })).toMatchObject({ moves: { length: 5 }, cutShort: true });
    expect(moves(nodes, problems, { maxShardMoves: 3 }).at(-1)).toBe('3: 1 > 2');
  });

  test('a search that ends with the last permitted move does not know that it was the last', () => {
    expect(planOf(nodes, [{ 1: ones(2, 1) }], { maxShardMoves: 1 })).toMatchObject({ cutShort: true });
    expect(planOf(nodes, [{ 1: ones(2, 1) }], { maxShardMoves: 2 })).toMatchObject({ cutShort: false });
  });

  test('what must leave its node does so beyond the bound, and counts', () => {
    const drained = [node(1, { shouldHaveShards: false }), node(2), node(3)];
    const problems = [{ 2: ones(4, 1) }, { 1: ones(3, 11) }];
    const plan = planOf(drained, problems, { maxShardMoves: 2 });
    expect(plan.moves.map((m) => m.source)).toEqual([1, 1, 1]);
    expect(plan.cutShort).toBe(true);
  });
});
