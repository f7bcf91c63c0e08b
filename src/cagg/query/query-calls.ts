import { listOf, nodeOf, numberOf, walk, type TreeNode } from '../../lib/node-tree.ts';

/** What a query executes, for the caller to look up whether it is immutable. */
export interface QueryCalls {
  /** Functions and aggregates, those of operators included. */
  readonly functionOids: readonly number[];
  /** Operators of which the tree does not say the function. */
  readonly operatorOids: readonly number[];
  /** Source and result type of each cast through text; source 0 is unknown. */
  readonly ioCoercions: readonly (readonly [number, number])[];
  /** CURRENT_TIMESTAMP and its like, or a value of a sequence. */
  readonly hasSqlValueFunction: boolean;
}

const FUNCTION_FIELD: Readonly<Record<string, string>> = {
  FUNCEXPR: 'funcid',
  AGGREF: 'aggfnoid',
  WINDOWFUNC: 'winfnoid',
};
const OPERATORS = new Set(['OPEXPR', 'DISTINCTEXPR', 'NULLIFEXPR', 'SCALARARRAYOPEXPR']);
// Before 16 some tags are shorter.
const ROW_COMPARISONS = new Set(['ROWCOMPARE', 'ROWCOMPAREEXPR']);
const WRAPPERS = new Set(['NAMEDARGEXPR', 'COLLATEEXPR', 'COLLATE']);
const BOOLEANS = new Set([
  'BOOLEXPR',
  'NULLTEST',
  'BOOLEANTEST',
  'SCALARARRAYOPEXPR',
  'JSONISPREDICATE',
  ...ROW_COMPARISONS,
]);
const BOOL = 16;
/** Where each kind of expression says its type. */
const TYPE_FIELDS = [
  'vartype',
  'consttype',
  'paramtype',
  'aggtype',
  'funcresulttype',
  'opresulttype',
  'resulttype',
  'refrestype',
  'array_typeid',
  'row_typeid',
  'casetype',
  'coalescetype',
  'minmaxtype',
  'typeId',
  'type',
] as const;

/** Type of an expression, 0 where the tree does not say it. */
const typeOf = (expr: TreeNode | undefined): number => {
  if (expr === undefined) return 0;
  if (WRAPPERS.has(expr.tag)) return typeOf(nodeOf(expr, 'arg'));
  if (BOOLEANS.has(expr.tag)) return BOOL;
  const field = TYPE_FIELDS.find((f) => expr.fields.has(f));
  return field === undefined ? 0 : numberOf(expr, field);
};

export const callsOf = (query: TreeNode): QueryCalls => {
  const functions = new Set<number>();
  const operators = new Set<number>();
  const coercions = new Map<string, readonly [number, number]>();
  let hasSqlValueFunction = false;
  walk(query, (node) => {
    const field = FUNCTION_FIELD[node.tag];
    if (field !== undefined) functions.add(numberOf(node, field));
    else if (OPERATORS.has(node.tag)) {
      const known = numberOf(node, 'opfuncid');
      if (known > 0) functions.add(known);
      else operators.add(numberOf(node, 'opno'));
    } else if (ROW_COMPARISONS.has(node.tag)) for (const oid of listOf(node, 'opnos')) operators.add(Number(oid));
    else if (node.tag === 'COERCEVIAIO') {
      const pair = [typeOf(nodeOf(node, 'arg')), numberOf(node, 'resulttype')] as const;
      coercions.set(pair.join(), pair);
    } else if (node.tag === 'SQLVALUEFUNCTION' || node.tag === 'NEXTVALUEEXPR') hasSqlValueFunction = true;
    return true;
  });
  return {
    functionOids: [...functions],
    operatorOids: [...operators],
    ioCoercions: [...coercions.values()],
    hasSqlValueFunction,
  };
};
