/**
 * Planning a rebalance of 8000 shard groups on 40 nodes, without a database: `npx tsx bench/rebalance-plan.ts`. The
 * anchor sorts the same groups by cost once for each node, which planning cannot well do without.
 */
import { pathToFileURL } from 'node:url';
import {
  planRebalance,
  type PlanNode,
  type PlanOptions,
  type RebalanceInput,
} from '../src/rebalance/rebalance-plan.ts';
import { random } from '../test/harness/random.ts';
import type { Measurement } from './measurement.ts';

const NODES = 40;
const GROUPS = 8000;
const BY_COUNT: PlanOptions = { threshold: 0, improvementThreshold: 0, maxShardMoves: 1_000_000, drainOnly: false };
const BY_SIZE: PlanOptions = { ...BY_COUNT, threshold: 0.1, improvementThreshold: 0.5 };

const next = random(8000);
const below = (n: number): number => next() % n;
const fromMegabytes = (): number => 1e8 + next() * 1000;

const nodes: readonly PlanNode[] = Array.from({ length: NODES }, (_, i) => ({
  nodeid: i + 1,
  name: `node-${i + 1}`,
  port: 5432,
  shouldHaveShards: true,
  capacity: 1,
}));

const input = (options: PlanOptions, cost: () => number, nodeid: (group: number) => number): RebalanceInput => {
  const shards = Array.from({ length: GROUPS }, (_, i) => ({ shardid: BigInt(102_008 + i), cost: cost() }));
  const placements = shards.map((s, i) => ({ shardid: s.shardid, nodeid: nodeid(i) }));
  return { nodes, shards, problems: [{ placements }], options };
};

const anywhere = (): number => 1 + below(NODES);
const onTwo = (): number => 1 + below(2);

/** A quarter of the groups is pinned to ten nodes and outweighs all that can move. */
const pinned = (): RebalanceInput => {
  const pins = 10;
  const isPinned = (shardid: bigint): boolean => shardid % 4n === 0n;
  const { shards, ...rest } = input(BY_COUNT, fromMegabytes, (i) =>
    i % 4 === 0 ? 1 + ((i / 4) % pins) : 11 + below(2),
  );
  return {
    ...rest,
    shards: [...shards].map((s) => (isPinned(s.shardid) ? { ...s, cost: s.cost * 10 } : s)),
    allowed: (shardid, nodeid) =>
      isPinned(shardid) ? nodeid === 1 + Number(((shardid - 102_008n) / 4n) % BigInt(pins)) : nodeid > pins,
  };
};

const CASES: readonly { readonly name: string; readonly input: RebalanceInput }[] = [
  { name: 'on 2 of 40 nodes, by count', input: input(BY_COUNT, () => 1, onTwo) },
  { name: 'on 2 of 40 nodes, by size', input: input(BY_SIZE, fromMegabytes, onTwo) },
  { name: 'scattered, by size', input: input(BY_SIZE, fromMegabytes, anywhere) },
  { name: 'scattered, to the last byte', input: input(BY_COUNT, fromMegabytes, anywhere) },
  { name: 'fullest nodes pinned', input: pinned() },
];

const least = (work: () => unknown): number => {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const began = process.hrtime.bigint();
    work();
    best = Math.min(best, Number(process.hrtime.bigint() - began) / 1e6);
  }
  return best;
};

export const measureRebalancePlan = (): Measurement[] => {
  const scattered = [...input(BY_COUNT, fromMegabytes, anywhere).shards];
  const anchor = least(() => nodes.map(() => [...scattered].sort((a, b) => b.cost - a.cost)));
  return CASES.map((c) => ({
    name: `plan of 8000 groups ${c.name}`,
    anchor,
    ours: least(() => planRebalance(c.input)),
    goal: 1,
  }));
};

const print = (): void => {
  for (const m of measureRebalancePlan())
    process.stdout.write(
      `${m.name.padEnd(52)} ${m.anchor.toFixed(1).padStart(7)} ms ${m.ours.toFixed(1).padStart(7)} ms ${(m.ours / m.anchor).toFixed(2).padStart(6)} x\n`,
    );
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) print();
