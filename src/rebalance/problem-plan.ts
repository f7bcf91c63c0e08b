export interface PlanNode {
  readonly nodeid: number;
  readonly name: string;
  readonly port: number;
  readonly shouldHaveShards: boolean;
  /** What the strategy's capacity function gives. A node that should have no shards counts as 0, whatever stands here. */
  readonly capacity: number;
}

export interface PlanShard {
  readonly shardid: bigint;
  /** What the strategy's cost function gives: finite. */
  readonly cost: number;
}

export interface PlanPlacement {
  readonly shardid: bigint;
  readonly nodeid: number;
}

/** Placements that are balanced together, without regard to those of other problems. */
export interface Problem {
  readonly placements: readonly PlanPlacement[];
}

export interface Scope {
  /** Shards of the representative tables that stay where they are. */
  readonly excluded?: ReadonlySet<bigint>;
  /** Only placements of this node take part, as when it is drained; the others then look empty. */
  readonly onlyNode?: number;
}

/**
 * Divides the placements of representative tables, one table for each colocation group. A table with a placement or
 * more for each node that should have shards can be balanced by itself; smaller ones, such as the single shards of
 * tenants, come out even only in sum, so they are one problem, the last.
 */
export const groupProblems = (
  tables: readonly (readonly PlanPlacement[])[],
  nodes: readonly PlanNode[],
  { excluded, onlyNode }: Scope = {},
): Problem[] => {
  const wide = nodes.filter((n) => n.shouldHaveShards).length;
  const problems: Problem[] = [];
  const shared: PlanPlacement[] = [];
  for (const table of tables) {
    const placements = table.filter(
      (p) => excluded?.has(p.shardid) !== true && (onlyNode === undefined || p.nodeid === onlyNode),
    );
    if (placements.length === 0) continue;
    if (placements.length >= wide) problems.push({ placements });
    else shared.push(...placements);
  }
  if (shared.length > 0) problems.push({ placements: shared });
  return problems;
};
