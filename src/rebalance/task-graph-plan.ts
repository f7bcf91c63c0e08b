/** A planned move; it carries all shards colocated with the one named. */
export interface ColocatedMove {
  readonly colocationId: number;
  readonly shardid: bigint;
  readonly source: number;
  readonly target: number;
}

export interface ReferenceTables {
  /** Shards of the reference tables, one for each, in the order of the catalog. */
  readonly shardids: readonly bigint[];
  /** By shards, too; those from or to other tables do not matter. */
  readonly foreignKeys: readonly { readonly from: bigint; readonly to: bigint }[];
  /** Node of the first active placement of the first table. */
  readonly source: number;
  /** Nodes without a placement of the first table. */
  readonly missingOn: readonly number[];
}

export interface TaskGraphInput {
  readonly moves: readonly ColocatedMove[];
  readonly referenceTables: ReferenceTables;
  readonly parallelTransferReferenceTables: boolean;
  readonly parallelTransferColocatedShards: boolean;
}

/**
 * - `replicate` brings all reference tables to all nodes that lack them;
 * - `copy` brings one reference table to one node, without its foreign keys and attachments;
 * - `finish` adds those on a node, for all reference tables at once, though it names one shard;
 * - `move` moves a shard and those colocated with it.
 */
export type TransferTask =
  | (TaskEdges & { readonly kind: 'replicate' })
  | (TaskEdges & Transfer & { readonly kind: 'copy' | 'finish' })
  | (TaskEdges & Transfer & { readonly kind: 'move'; readonly colocationId: number });

interface Transfer {
  readonly shardid: bigint;
  readonly source: number;
  readonly target: number;
}

interface TaskEdges {
  /** Indexes of tasks earlier in the list, ascending. */
  readonly dependsOn: readonly number[];
  /** Nodes that count it as theirs while it runs; null where it counts for none. */
  readonly nodesInvolved: readonly number[] | null;
}

/** The tables that hang together by foreign keys, each table with all of its set. */
const connectedTables = ({ shardids, foreignKeys }: ReferenceTables): ReadonlyMap<bigint, ReadonlySet<bigint>> => {
  const setOf = new Map(shardids.map((shardid) => [shardid, new Set([shardid])]));
  for (const { from, to } of foreignKeys) {
    const [a, b] = [setOf.get(from), setOf.get(to)];
    if (a === undefined || b === undefined || a === b) continue;
    for (const shardid of b) {
      a.add(shardid);
      setOf.set(shardid, a);
    }
  }
  return setOf;
};

/** Tasks that bring the reference tables to one node; the last of them is what others wait for. */
const copyTasks = (tables: ReferenceTables, target: number, first: number): TransferTask[] => {
  const { shardids, source } = tables;
  const setOf = connectedTables(tables);
  const nodesInvolved = [source, target];
  const copies = shardids.map((shardid, position): TransferTask => {
    const earlier = shardids.slice(0, position).flatMap((other, i) => (setOf.get(shardid)!.has(other) ? [i] : []));
    return { kind: 'copy', shardid, source, target, dependsOn: earlier.map((i) => first + i), nodesInvolved };
  });
  const dependsOn = copies.map((_, i) => first + i);
  return [...copies, { kind: 'finish', shardid: shardids.at(-1)!, source, target, dependsOn, nodesInvolved }];
};

/** Tasks for the reference tables, and the indexes of those that moves wait for. */
const referenceTasks = (tables: ReferenceTables, parallel: boolean): { tasks: TransferTask[]; ready: number[] } => {
  if (tables.shardids.length === 0 || tables.missingOn.length === 0) return { tasks: [], ready: [] };
  if (!parallel) return { tasks: [{ kind: 'replicate', dependsOn: [], nodesInvolved: null }], ready: [0] };
  const tasks: TransferTask[] = [];
  const ready: number[] = [];
  for (const node of tables.missingOn) {
    tasks.push(...copyTasks(tables, node, tasks.length));
    ready.push(tasks.length - 1);
  }
  return { tasks, ready };
};

/**
 * The tasks of a rebalance, in the order in which they are scheduled. A move waits until its target has been freed of
 * what leaves it before, and for the move of its colocation group before it unless those may run side by side; only
 * where it waits for neither must it be told to wait for the reference tables, since the others have.
 */
export const planTaskGraph = (input: TaskGraphInput): TransferTask[] => {
  const { tasks, ready } = referenceTasks(input.referenceTables, input.parallelTransferReferenceTables);
  const lastOfGroup = new Map<number, number>();
  const leaving = new Map<number, number[]>();
  for (const { colocationId, shardid, source, target } of input.moves) {
    const before = new Set(leaving.get(target));
    const last = lastOfGroup.get(colocationId);
    if (last !== undefined && !input.parallelTransferColocatedShards) before.add(last);
    const dependsOn = before.size > 0 ? [...before].sort((a, b) => a - b) : ready;
    const task = tasks.push({
      kind: 'move',
      colocationId,
      shardid,
      source,
      target,
      dependsOn,
      nodesInvolved: [source, target],
    });
    lastOfGroup.set(colocationId, task - 1);
    const left = leaving.get(source);
    if (left === undefined) leaving.set(source, [task - 1]);
    else left.push(task - 1);
  }
  return tasks;
};
