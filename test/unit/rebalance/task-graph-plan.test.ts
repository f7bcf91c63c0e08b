import { describe, expect, test } from 'vitest';
import { random } from '../../harness/random.ts';
import {
  type ColocatedMove,
  planTaskGraph,
  type ReferenceTables,
  type TaskGraphInput,
  type TransferTask,
} from '../../../src/rebalance/task-graph-plan.ts';

const NONE: ReferenceTables = { shardids: [], foreignKeys: [], source: 1, missingOn: [] };
const TWO_NEW_NODES: ReferenceTables = {
  shardids: [11n, 12n, 13n],
  foreignKeys: [
    { from: 12n, to: 11n },
    { from: 13n, to: 12n },
  ],
  source: 1,
  missingOn: [3, 4],
};

const move = (colocationId: number, shardid: number, source: number, target: number): ColocatedMove => ({
  colocationId,
  shardid: BigInt(shardid),
  source,
  target,
});

const plan = (changes: Partial<TaskGraphInput>): TransferTask[] =>
  planTaskGraph({
    moves: [],
    referenceTables: NONE,
    parallelTransferReferenceTables: false,
    parallelTransferColocatedShards: false,
    ...changes,
  });

const edges = (tasks: readonly TransferTask[]): (readonly number[])[] => tasks.map((t) => t.dependsOn);

describe('reference tables', () => {
  test('where none is missing there is no task for them', () => {
    expect(plan({ moves: [move(1, 100, 1, 2)] })).toEqual([
      { kind: 'move', colocationId: 1, shardid: 100n, source: 1, target: 2, dependsOn: [], nodesInvolved: [1, 2] },
    ]);
    expect(plan({ referenceTables: { ...TWO_NEW_NODES, missingOn: [] } })).toEqual([]);
    expect(plan({ referenceTables: { ...NONE, missingOn: [3] }, parallelTransferReferenceTables: true })).toEqual([]);
  });

  test('unless told otherwise one task brings all of them, and first moves wait for it', () => {
    const moves = [move(1, 100, 1, 3), move(1, 101, 1, 4), move(2, 200, 2, 3)];
    const tasks = plan({ moves, referenceTables: TWO_NEW_NODES });
    expect(tasks[0]).toEqual({ kind: 'replicate', dependsOn: [], nodesInvolved: null });
    expect(edges(tasks)).toEqual([[], [0], [1], [0]]);
  });

  test('two new nodes, three tables in a row of foreign keys, moves of three groups side by side: 24 dependencies', () => {
    const moves = [1, 2, 3].flatMap((group) => [move(group, group * 100, 1, 3), move(group, group * 100 + 1, 2, 4)]);
    const tasks = plan({
      moves,
      referenceTables: TWO_NEW_NODES,
      parallelTransferReferenceTables: true,
      parallelTransferColocatedShards: true,
    });
    expect(tasks.map((t) => t.kind)).toEqual([
      ...['copy', 'copy', 'copy', 'finish'],
      ...['copy', 'copy', 'copy', 'finish'],
      ...Array.from({ length: 6 }, () => 'move'),
    ]);
    expect(edges(tasks)).toEqual([
      ...[[], [0], [0, 1], [0, 1, 2]],
      ...[[], [4], [4, 5], [4, 5, 6]],
      ...Array.from({ length: 6 }, () => [3, 7]),
    ]);
    expect(edges(tasks).flat()).toHaveLength(24);
    expect(tasks[5]).toEqual({
      kind: 'copy',
      shardid: 12n,
      source: 1,
      target: 4,
      dependsOn: [4],
      nodesInvolved: [1, 4],
    });
    expect(tasks[7]).toMatchObject({ kind: 'finish', shardid: 13n, source: 1, target: 4, nodesInvolved: [1, 4] });
  });

  test('only tables that hang together by foreign keys wait for each other, in whichever direction', () => {
    const referenceTables: ReferenceTables = {
      shardids: [11n, 12n, 13n, 14n, 15n],
      // 11 and 14 both point to 15; 12 stands alone; 13 is bound to a table that is no reference table.
      foreignKeys: [
        { from: 11n, to: 15n },
        { from: 14n, to: 15n },
        { from: 99n, to: 13n },
        { from: 12n, to: 99n },
        { from: 12n, to: 12n },
      ],
      source: 1,
      missingOn: [2],
    };
    const tasks = plan({ referenceTables, parallelTransferReferenceTables: true });
    expect(edges(tasks)).toEqual([[], [], [], [0], [0, 3], [0, 1, 2, 3, 4]]);
  });
});

describe('moves', () => {
  test('those of one colocation group are done one after the other', () => {
    const moves = [move(1, 100, 1, 2), move(2, 200, 1, 2), move(1, 101, 1, 2), move(2, 201, 1, 2), move(1, 102, 1, 2)];
    expect(edges(plan({ moves }))).toEqual([[], [], [0], [1], [2]]);
    expect(edges(plan({ moves, parallelTransferColocatedShards: true }))).toEqual([[], [], [], [], []]);
  });

  test('a move waits for all earlier ones that leave its target, of whatever group', () => {
    const moves = [move(1, 100, 2, 3), move(2, 200, 2, 3), move(3, 300, 1, 2), move(4, 400, 3, 1), move(5, 500, 2, 1)];
    expect(edges(plan({ moves, parallelTransferColocatedShards: true }))).toEqual([[], [], [0, 1], [2], [2]]);
  });

  test('what leaves a target later, or comes to it earlier, is not waited for', () => {
    const moves = [move(1, 100, 1, 2), move(2, 200, 1, 2), move(3, 300, 2, 3)];
    expect(edges(plan({ moves }))).toEqual([[], [], []]);
  });

  test('the move before in the group is named once when it also leaves the target', () => {
    expect(edges(plan({ moves: [move(1, 100, 2, 3), move(1, 101, 1, 2)] }))).toEqual([[], [0]]);
  });

  test('a move that waits for another move is not told to wait for the reference tables', () => {
    const moves = [move(1, 100, 2, 3), move(2, 200, 1, 2), move(3, 300, 1, 4)];
    const tasks = plan({
      moves,
      referenceTables: { ...TWO_NEW_NODES, shardids: [11n], foreignKeys: [] },
      parallelTransferReferenceTables: true,
      parallelTransferColocatedShards: true,
    });
    expect(edges(tasks)).toEqual([[], [0], [], [2], [1, 3], [4], [1, 3]]);
  });
});

test('any graph is acyclic, chains each group unless told otherwise, and lets no move run before the reference tables', () => {
  const next = random(4711);
  const below = (n: number): number => next() % n;
  for (let round = 0; round < 500; round++) {
    const nodes = 2 + below(6);
    const moves = Array.from({ length: below(40) }, (_, i) => {
      const source = below(nodes);
      return move(below(4), 1000 + i, source, (source + 1 + below(nodes - 1)) % nodes);
    });
    const shardids = Array.from({ length: below(5) }, (_, i) => BigInt(i));
    const foreignKeys = shardids.flatMap((from) => shardids.filter(() => below(4) === 0).map((to) => ({ from, to })));
    const missingOn = Array.from({ length: nodes }, (_, n) => n).filter(() => below(3) === 0);
    const parallelTransferColocatedShards = below(2) === 0;
    const tasks = plan({
      moves,
      referenceTables: { shardids, foreignKeys, source: 0, missingOn },
      parallelTransferReferenceTables: below(2) === 0,
      parallelTransferColocatedShards,
    });

    const needed: Set<number>[] = [];
    for (const [index, task] of tasks.entries()) {
      expect(task.dependsOn.every((d, i) => d >= 0 && d < index && d > (task.dependsOn[i - 1] ?? -1))).toBe(true);
      needed.push(new Set(task.dependsOn.flatMap((d) => [d, ...needed[d]!])));
    }
    const indexesOf = (kind: TransferTask['kind']): number[] =>
      [...tasks.keys()].filter((i) => tasks[i]!.kind === kind);
    const moveIndexes = indexesOf('move');
    expect(moveIndexes).toHaveLength(moves.length);
    const ready = [...indexesOf('replicate'), ...indexesOf('finish')];
    expect(ready.length > 0).toBe(shardids.length > 0 && missingOn.length > 0);
    for (const [position, index] of moveIndexes.entries()) {
      for (const r of ready) expect(needed[index]!.has(r)).toBe(true);
      for (const [i, earlier] of moveIndexes.slice(0, position).entries()) {
        const chained = !parallelTransferColocatedShards && moves[i]!.colocationId === moves[position]!.colocationId;
        if (chained || moves[i]!.source === moves[position]!.target) expect(needed[index]!.has(earlier)).toBe(true);
      }
    }
  }
});
