import { isNode, listOf, nodeOf, nodesOf, numberOf, readNodeTree, type TreeNode, type TreeValue } from './node-tree.ts';

/** Kinds of entries of a range table, by their numbers in PostgreSQL. */
export const RTE = { relation: 0, subquery: 1, join: 2, function: 3, tableFunction: 4, group: 9 } as const;
export const JOIN = { inner: 0, left: 1, full: 2, right: 3 } as const;

/** The query of a view as pg_rewrite.ev_action has it; undefined where that is something else. */
export const queryOf = (tree: string): TreeNode | undefined => {
  const root = readNodeTree(tree);
  const node = Array.isArray(root) ? (root as readonly TreeValue[])[0] : root;
  return isNode(node) && node.tag === 'QUERY' ? node : undefined;
};

/** What a Var of a join's merged column, or (from 18 on) of the grouping step, stands for. */
export const resolved = (rtable: readonly TreeNode[], node: TreeNode): TreeNode => {
  if (node.tag !== 'VAR' || numberOf(node, 'varlevelsup') > 0) return node;
  const rte = rtable[numberOf(node, 'varno') - 1];
  if (rte === undefined) return node;
  const kind = numberOf(rte, 'rtekind');
  const field = kind === RTE.join ? 'joinaliasvars' : kind === RTE.group ? 'groupexprs' : undefined;
  const next = field === undefined ? undefined : listOf(rte, field)[numberOf(node, 'varattno') - 1];
  return isNode(next) ? resolved(rtable, next) : node;
};

/** Items of FROM as they stand in the tree: references to the range table, and joins of such. */
export const fromList = (query: TreeNode): readonly TreeNode[] => {
  const jointree = nodeOf(query, 'jointree');
  return jointree === undefined ? [] : nodesOf(jointree, 'fromlist');
};
