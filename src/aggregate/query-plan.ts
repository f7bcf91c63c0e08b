import { flagOf, isNode, listOf, nodeOf, nodesOf, numberOf, textOf, walk, type TreeNode } from '../lib/node-tree.ts';
import { fromList, queryOf, resolved, RTE } from '../lib/query-tree.ts';
import * as failures from './failures.ts';

export interface AggregateCall {
  readonly oid: number;
  readonly argumentTypes: readonly number[];
  readonly distinct: boolean;
  readonly ordered: boolean;
}

/** A column of a relation in FROM, by the place of that in the range table. */
export interface ColumnRef {
  readonly entry: number;
  readonly number: number;
}

export interface QueryShape {
  /** Relations in FROM: OIDs by their places in the range table. */
  readonly relations: ReadonlyMap<number, number>;
  /** In the order of the text: select list, then HAVING. */
  readonly aggregates: readonly AggregateCall[];
  readonly groupedColumns: readonly ColumnRef[];
  /** Columns that an operator compares with true in every row of the result, and its OID. */
  readonly comparisons: readonly (readonly [ColumnRef, ColumnRef, number])[];
}

const SELECT = 1;

const checkShape = (q: TreeNode): void => {
  const any = (field: string): boolean => listOf(q, field).length > 0;
  if (numberOf(q, 'commandType') !== SELECT) throw failures.notSelect();
  const clauses: readonly (readonly [boolean, string])[] = [
    [any('cteList'), 'WITH'],
    [nodeOf(q, 'setOperations') !== undefined, 'UNION, INTERSECT or EXCEPT'],
    [any('windowClause'), 'a window function'],
    [any('distinctClause'), 'DISTINCT'],
    [nodeOf(q, 'limitCount') !== undefined || nodeOf(q, 'limitOffset') !== undefined, 'LIMIT or OFFSET'],
    [any('rowMarks'), 'FOR UPDATE or FOR SHARE'],
    [any('sortClause'), 'ORDER BY'],
    [any('groupingSets'), 'GROUPING SETS, CUBE or ROLLUP'],
    [flagOf(q, 'hasTargetSRFs'), 'a function that returns a set in its select list'],
  ];
  const found = clauses.find(([there]) => there);
  if (found !== undefined) throw failures.hasClause(found[1]);
  for (const field of ['targetList', 'havingQual'])
    walk(q.fields.get(field) ?? null, (node) => {
      if (node.tag === 'SUBLINK') throw failures.sublinkOutside();
      return true;
    });
};

/** Places in the range table of what FROM names, and the conditions that each row of the result fulfils. */
const readFrom = (q: TreeNode): { readonly entries: number[]; readonly conditions: TreeNode[] } => {
  const entries: number[] = [];
  const conditions: TreeNode[] = [];
  const condition = (owner: TreeNode): void => {
    const quals = nodeOf(owner, 'quals');
    if (quals !== undefined) conditions.push(quals);
  };
  const visit = (item: TreeNode | undefined): void => {
    if (item === undefined) return;
    if (item.tag !== 'JOINEXPR') {
      entries.push(numberOf(item, 'rtindex'));
      return;
    }
    condition(item);
    visit(nodeOf(item, 'larg'));
    visit(nodeOf(item, 'rarg'));
  };
  for (const item of fromList(q)) visit(item);
  const jointree = nodeOf(q, 'jointree');
  if (jointree !== undefined) condition(jointree);
  return { entries, conditions };
};

/** The parts of a condition that must all be true. */
const conjuncts = (condition: TreeNode): readonly TreeNode[] =>
  condition.tag === 'BOOLEXPR' && textOf(condition, 'boolop') === 'and'
    ? nodesOf(condition, 'args').flatMap(conjuncts)
    : [condition];

const columnRef = (rtable: readonly TreeNode[], node: TreeNode | undefined): ColumnRef | undefined => {
  const inner = node?.tag === 'RELABELTYPE' ? nodeOf(node, 'arg') : node;
  const real = inner && resolved(rtable, inner);
  if (real?.tag !== 'VAR' || numberOf(real, 'varlevelsup') !== 0) return undefined;
  return { entry: numberOf(real, 'varno'), number: numberOf(real, 'varattno') };
};

const comparisonsIn = (rtable: readonly TreeNode[], conditions: readonly TreeNode[]): QueryShape['comparisons'] =>
  conditions.flatMap(conjuncts).flatMap((c) => {
    if (c.tag !== 'OPEXPR') return [];
    const [left, right] = nodesOf(c, 'args').map((a) => columnRef(rtable, a));
    return left === undefined || right === undefined ? [] : [[left, right, numberOf(c, 'opno')] as const];
  });

const groupedColumnsOf = (q: TreeNode, rtable: readonly TreeNode[]): ColumnRef[] => {
  const targets = new Map(nodesOf(q, 'targetList').map((t) => [textOf(t, 'ressortgroupref'), t]));
  return nodesOf(q, 'groupClause').flatMap((clause) => {
    const target = targets.get(textOf(clause, 'tleSortGroupRef'));
    const expr = target && nodeOf(target, 'expr');
    // A relabelled column is the same value, but grouped as another type: only the column itself counts.
    const real = expr && resolved(rtable, expr);
    const ref = real?.tag === 'VAR' ? columnRef(rtable, real) : undefined;
    return ref === undefined ? [] : [ref];
  });
};

const aggregatesOf = (q: TreeNode): AggregateCall[] => {
  const found: AggregateCall[] = [];
  for (const field of ['targetList', 'havingQual'])
    walk(q.fields.get(field) ?? null, (node) => {
      if (node.tag !== 'AGGREF') return true;
      found.push({
        oid: numberOf(node, 'aggfnoid'),
        argumentTypes: listOf(node, 'aggargtypes').map(Number),
        distinct: listOf(node, 'aggdistinct').length > 0,
        ordered: listOf(node, 'aggorder').length > 0 || textOf(node, 'aggkind') !== 'n',
      });
      return false;
    });
  return found;
};

/** Refuses what cannot be computed part by part whatever it reads, and says what the rest consists of. */
export const readShape = (tree: string): QueryShape => {
  const q = queryOf(tree);
  if (q === undefined) throw failures.notSelect();
  checkShape(q);
  const rtable = nodesOf(q, 'rtable');
  const { entries, conditions } = readFrom(q);
  const relations = new Map<number, number>();
  for (const entry of entries) {
    const rte = rtable[entry - 1];
    if (!isNode(rte) || numberOf(rte, 'rtekind') !== RTE.relation) throw failures.notTable();
    if (nodeOf(rte, 'tablesample') !== undefined) throw failures.hasClause('TABLESAMPLE');
    if (!flagOf(rte, 'inh') && textOf(rte, 'relkind') === 'p') throw failures.hasClause('ONLY');
    relations.set(entry, numberOf(rte, 'relid'));
  }
  const aggregates = aggregatesOf(q);
  if (aggregates.length === 0 && listOf(q, 'groupClause').length === 0) throw failures.noAggregate();
  return {
    relations,
    aggregates,
    groupedColumns: groupedColumnsOf(q, rtable),
    comparisons: comparisonsIn(rtable, conditions),
  };
};
