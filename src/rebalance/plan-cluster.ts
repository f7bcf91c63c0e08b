import { activePrimaries, type Node } from '../cluster/index.ts';
import { notice, warning } from '../engine/spi.ts';
import { distributedTables, shardsOf, type DistributedTable, type Shard } from '../shard/index.ts';
import { groupProblems, planRebalance, type PlanNode } from './rebalance-plan.ts';
import { allowedBy, capacityOf, costsOf, findStrategy, thresholdOf } from './strategy.ts';

export interface Wish {
  readonly relation: bigint | null;
  readonly threshold: number | null;
  readonly maxMoves: number;
  readonly excluded: readonly bigint[];
  readonly drainOnly: boolean;
  readonly strategy: string | null;
  readonly improvement: number | null;
  /** Only this node is emptied. */
  readonly onlyNode: number | null;
}

export interface PlannedMove {
  readonly shard: Shard;
  readonly group: number;
  readonly source: Node;
  readonly target: Node;
  /** All shards that move with it. */
  readonly shards: readonly Shard[];
}

interface Group {
  readonly table: DistributedTable;
  readonly shards: readonly Shard[];
  readonly all: readonly Shard[];
}

/** One table of each colocation group stands for all of it: the oldest. */
const groupsFor = (relation: bigint | null): Group[] => {
  const tables = distributedTables().filter((t) => t.model === 's');
  const wanted = relation === null ? undefined : tables.find((t) => t.relid === relation)?.group;
  return [...new Set(tables.map((t) => t.group))]
    .filter((g) => relation === null || g === wanted)
    .map((g) => {
      const members = tables.filter((t) => t.group === g);
      const table = members[0] as DistributedTable;
      const shards = shardsOf(table.relid);
      return { table, shards, all: members.length === 1 ? shards : members.flatMap((m) => shardsOf(m.relid)) };
    });
};

export const representatives = (relation: bigint | null): DistributedTable[] => groupsFor(relation).map((g) => g.table);

/** What a rebalance would do, in the order in which it would. */
export const planMoves = (w: Wish): PlannedMove[] => {
  const strategy = findStrategy(w.strategy);
  const nodes = activePrimaries();
  const byGroup = new Map(nodes.map((n) => [n.group, n]));
  const byId = new Map(nodes.map((n) => [n.id, n]));
  const groups = groupsFor(w.relation);
  const owner = new Map(groups.flatMap((g) => g.shards.map((s) => [s.id, g] as const)));
  const together = (s: Shard): Shard[] => (owner.get(s.id)?.all ?? [s]).filter((o) => o.remainder === s.remainder);
  const shards = groups.flatMap((g) => g.shards);
  const byShard = new Map(shards.map((s) => [s.id, s]));
  const costs = costsOf(strategy, shards, (s) => together(s).map((o) => o.id));
  const planNodes: PlanNode[] = nodes.map((n) => ({
    nodeid: n.id,
    name: n.name,
    port: n.port,
    shouldHaveShards: n.shouldHaveShards,
    capacity: n.shouldHaveShards ? capacityOf(strategy, n.id) : 0,
  }));
  const allowed = allowedBy(strategy);
  const plan = planRebalance({
    nodes: planNodes,
    shards: shards.map((s) => ({ shardid: s.id, cost: costs.get(s.id) ?? 0 })),
    problems: groupProblems(
      groups.map((g) =>
        g.shards.flatMap((s) =>
          s.groups.flatMap((p) => {
            const node = byGroup.get(p);
            return node === undefined ? [] : [{ shardid: s.id, nodeid: node.id }];
          }),
        ),
      ),
      planNodes,
      { excluded: new Set(w.excluded), ...(w.onlyNode === null ? {} : { onlyNode: w.onlyNode }) },
    ),
    options: {
      threshold: thresholdOf(strategy, w.threshold),
      maxShardMoves: w.maxMoves,
      drainOnly: w.drainOnly,
      improvementThreshold: w.improvement ?? strategy.improvement,
    },
    ...(allowed === undefined ? {} : { allowed }),
  });
  for (const lost of plan.warnings) {
    const node = byId.get(lost.nodeid);
    warning(`shard ${lost.shardid} on ${node?.name}:${node?.port} may be on no other node`);
  }
  for (const i of plan.ignored)
    notice(
      `ignoring a move of shard ${i.shardid} from node ${i.source} to node ${i.target}: its improvement of ${i.improvement} is below improvement_threshold`,
    );
  if (plan.ignoredTotal > 0)
    notice(`ignored ${plan.ignoredTotal} moves; a lower improvement_threshold of the strategy allows them`);
  if (plan.cutShort) notice(`stopped searching before the end, at max_shard_moves; run it again for a better balance`);
  return plan.moves.map((m) => {
    const shard = byShard.get(m.shardid) as Shard;
    return {
      shard,
      group: owner.get(m.shardid)?.table.group ?? 0,
      source: byId.get(m.source) as Node,
      target: byId.get(m.target) as Node,
      shards: together(shard),
    };
  });
};
