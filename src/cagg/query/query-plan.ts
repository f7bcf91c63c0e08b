import { ident } from '../../lib/quote.ts';
import {
  flagOf,
  listOf,
  nodeOf,
  nodesOf,
  numberOf,
  textOf,
  walk,
  type TreeNode,
  type TreeValue,
} from '../../lib/node-tree.ts';
import { fromList, JOIN, queryOf, resolved, RTE } from '../../lib/query-tree.ts';
import { callsOf, type QueryCalls } from './query-calls.ts';
import * as failures from './failures.ts';

export interface QueryFacts {
  /** The hypertable, or the view of the continuous aggregate, that the query is over. */
  readonly rawRelid: number;
  readonly timeAttno: number;
  /** Oids of all overloads of our time_bucket. */
  readonly bucketFunctions: ReadonlySet<number>;
  /** Name of the relation in messages. */
  readonly table: string;
}

export interface BucketArgument {
  readonly position: number;
  readonly name: string | null;
  readonly node: TreeNode;
}

export interface Bucket {
  /** Output column; null when the query groups by the bucket and does not select it. */
  readonly resno: number | null;
  readonly functionOid: number;
  readonly resultType: number;
  readonly node: TreeNode;
  readonly args: readonly BucketArgument[];
  /** The time column is passed as it is; false: its type was relabelled. */
  readonly timeTypeIsColumn: boolean;
}

export interface JoinedRelation {
  readonly relid: number;
  readonly relkind: string;
}

export interface QueryAnalysis extends QueryCalls {
  readonly bucket: Bucket;
  /** Output columns grouped by, without the bucket. */
  readonly groupResnos: readonly number[];
  /** Expressions grouped by and not selected, without the bucket. */
  readonly hiddenGroups: number;
  readonly columns: readonly string[];
  /** What the hypertable is joined to. */
  readonly joined: readonly JoinedRelation[];
  /** Attribute numbers of the hypertable that the query reads; 0 is the whole row, less a system column. */
  readonly rawColumns: readonly number[];
  /** What the call of time_bucket() itself executes. */
  readonly bucketCalls: QueryCalls;
}

interface Entry {
  readonly index: number;
  readonly rte: TreeNode;
  readonly nullable: boolean;
}

interface Query {
  readonly node: TreeNode;
  readonly rtable: readonly TreeNode[];
  readonly from: readonly Entry[];
}

const SELECT = 1;

const NO_TABLE: Readonly<Record<number, string>> = {
  [RTE.subquery]: 'A subquery (or VALUES)',
  [RTE.function]: 'A function',
  [RTE.tableFunction]: 'XMLTABLE or JSON_TABLE',
};

const checkShape = (q: TreeNode): void => {
  const any = (field: string): boolean => listOf(q, field).length > 0;
  if (numberOf(q, 'commandType') !== SELECT || nodeOf(q, 'utilityStmt') !== undefined) throw failures.notSelect();
  if (any('cteList')) throw failures.hasWith();
  if (nodeOf(q, 'setOperations') !== undefined) throw failures.hasSetOperation();
  if (flagOf(q, 'hasWindowFuncs') || any('windowClause')) throw failures.hasWindow();
  if (any('distinctClause')) throw failures.hasDistinct(flagOf(q, 'hasDistinctOn'));
  if (nodeOf(q, 'limitCount') !== undefined || nodeOf(q, 'limitOffset') !== undefined) throw failures.hasLimit();
  if (any('rowMarks') || flagOf(q, 'hasForUpdate')) throw failures.hasLocking();
  if (any('sortClause')) throw failures.hasOrder();
  if (any('groupingSets')) throw failures.hasGroupingSets();
  if (flagOf(q, 'hasTargetSRFs')) throw failures.returnsSet();
};

/** Entries of the range table that FROM refers to: the table also has OLD and NEW before 16, joins, and groups. */
const fromEntries = (rtable: readonly TreeNode[], item: TreeNode, nullable: boolean): Entry[] => {
  const below = (field: string, outer: boolean): Entry[] => {
    const side = nodeOf(item, field);
    return side === undefined ? [] : fromEntries(rtable, side, nullable || outer);
  };
  if (item.tag === 'JOINEXPR') {
    const type = numberOf(item, 'jointype');
    if (type === JOIN.full) throw failures.hasFullJoin();
    return [...below('larg', type === JOIN.right), ...below('rarg', type === JOIN.left)];
  }
  const index = numberOf(item, 'rtindex');
  const rte = rtable[index - 1];
  return rte === undefined ? [] : [{ index, rte, nullable }];
};

const checkEntry = (rte: TreeNode): void => {
  const kind = numberOf(rte, 'rtekind');
  if (kind !== RTE.relation) throw failures.notTable(NO_TABLE[kind] ?? 'Anything but a table');
  if (nodeOf(rte, 'tablesample') !== undefined) throw failures.hasTableSample();
};

/** Reads the query and makes all checks that need not know which table is the hypertable. */
const openQuery = (tree: string): Query => {
  const node = queryOf(tree);
  if (node === undefined) throw failures.notSelect();
  checkShape(node);
  const rtable = nodesOf(node, 'rtable');
  const from = fromList(node).flatMap((item) => fromEntries(rtable, item, false));
  for (const { rte } of from) checkEntry(rte);
  if (flagOf(node, 'hasSubLinks')) throw failures.hasSubquery();
  if (listOf(node, 'groupClause').length === 0) throw failures.noGroupBy();
  return { node, rtable, from };
};

/** Relations in FROM. Throws what is wrong whatever they are: their list would not be the whole truth then. */
export const relationsOf = (tree: string): readonly number[] => [
  ...new Set(openQuery(tree).from.map((e) => numberOf(e.rte, 'relid'))),
];

const findRaw = (q: Query, facts: QueryFacts): Entry => {
  const [raw, second] = q.from.filter((e) => numberOf(e.rte, 'relid') === facts.rawRelid);
  if (raw === undefined) throw failures.notRead(facts.table);
  if (second !== undefined) throw failures.readTwice(facts.table);
  if (!flagOf(raw.rte, 'inh')) throw failures.hasOnly(facts.table);
  if (raw.nullable) throw failures.onNullableSide(facts.table);
  return raw;
};

interface Group {
  readonly expr: TreeNode;
  readonly resno: number | null;
}

const groupsOf = (q: Query): Group[] => {
  const targets = new Map(nodesOf(q.node, 'targetList').map((t) => [textOf(t, 'ressortgroupref'), t]));
  return nodesOf(q.node, 'groupClause').flatMap((clause) => {
    const target = targets.get(textOf(clause, 'tleSortGroupRef'));
    const expr = target && nodeOf(target, 'expr');
    if (target === undefined || expr === undefined) return [];
    return [{ expr: resolved(q.rtable, expr), resno: flagOf(target, 'resjunk') ? null : numberOf(target, 'resno') }];
  });
};

const argumentsOf = (call: TreeNode): BucketArgument[] =>
  nodesOf(call, 'args').map((node, position) => {
    const value = node.tag === 'NAMEDARGEXPR' ? nodeOf(node, 'arg') : undefined;
    if (value === undefined) return { position, name: null, node };
    return { position: numberOf(node, 'argnumber'), name: textOf(node, 'name'), node: value };
  });

const countCalls = (value: TreeValue, functions: ReadonlySet<number>): number => {
  let count = 0;
  walk(value, (node) => {
    if (node.tag === 'FUNCEXPR' && functions.has(numberOf(node, 'funcid'))) count++;
    return true;
  });
  return count;
};

const VARIABLE = new Set(['VAR', 'PARAM', 'AGGREF', 'WINDOWFUNC', 'GROUPINGFUNC', 'SUBLINK']);

const isConstant = (value: TreeValue): boolean => {
  let constant = true;
  walk(value, (node) => {
    if (VARIABLE.has(node.tag)) constant = false;
    return constant;
  });
  return constant;
};

const findBucket = (q: Query, facts: QueryFacts, raw: Entry, groups: readonly Group[]): Bucket => {
  const eref = nodeOf(raw.rte, 'eref');
  const column = eref && listOf(eref, 'colnames')[facts.timeAttno - 1];
  const timeColumn = ident(typeof column === 'string' ? column : '');
  const isCall = (g: Group): boolean =>
    g.expr.tag === 'FUNCEXPR' && facts.bucketFunctions.has(numberOf(g.expr, 'funcid'));
  const [group, second] = groups.filter(isCall);
  if (group === undefined) throw failures.noBucket(timeColumn);
  if (second !== undefined) throw failures.severalBuckets();
  for (const g of groups)
    if (g !== group && countCalls(g.expr, facts.bucketFunctions) > 0) throw failures.severalBuckets();
  const args = argumentsOf(group.expr);
  const given = args.find((a) => a.position === 1)?.node;
  const relabelled = given?.tag === 'RELABELTYPE';
  const inner = relabelled ? nodeOf(given, 'arg') : given;
  const time = inner && resolved(q.rtable, inner);
  if (
    time?.tag !== 'VAR' ||
    numberOf(time, 'varno') !== raw.index ||
    numberOf(time, 'varattno') !== facts.timeAttno ||
    numberOf(time, 'varlevelsup') !== 0
  )
    throw failures.bucketOfOther(facts.table, timeColumn);
  for (const { position, name, node } of args)
    if (position !== 1 && !isConstant(node))
      throw failures.notConstant(name ?? (position === 0 ? 'width' : `argument ${position + 1}`));
  return {
    resno: group.resno,
    functionOid: numberOf(group.expr, 'funcid'),
    resultType: numberOf(group.expr, 'funcresulttype'),
    node: group.expr,
    args,
    timeTypeIsColumn: !relabelled,
  };
};

const rawColumnsOf = (q: Query, raw: Entry): number[] => {
  const found = new Set<number>();
  const visit = (node: TreeNode): boolean => {
    if (node.tag !== 'VAR') return true;
    const real = resolved(q.rtable, node);
    if (real.tag !== 'VAR') walk(real, visit);
    else if (numberOf(real, 'varno') === raw.index) found.add(numberOf(real, 'varattno'));
    return false;
  };
  // Not the range table: an entry of a join lists all columns of its sides.
  for (const field of ['targetList', 'jointree', 'havingQual']) walk(q.node.fields.get(field) ?? null, visit);
  return [...found].sort((a, b) => a - b);
};

/** Refuses what a continuous aggregate cannot keep up to date, and says of the rest what creating one needs to know. */
export const analyzeQuery = (tree: string, facts: QueryFacts): QueryAnalysis => {
  const q = openQuery(tree);
  const raw = findRaw(q, facts);
  const groups = groupsOf(q);
  const bucket = findBucket(q, facts, raw, groups);
  const others = groups.filter((g) => g.expr !== bucket.node);
  const resnos = others.flatMap((g) => (g.resno === null ? [] : [g.resno]));
  return {
    bucket,
    groupResnos: resnos,
    hiddenGroups: others.length - resnos.length,
    columns: nodesOf(q.node, 'targetList').flatMap((t) => (flagOf(t, 'resjunk') ? [] : [textOf(t, 'resname') ?? ''])),
    joined: q.from
      .filter((e) => e !== raw)
      .map(({ rte }) => ({ relid: numberOf(rte, 'relid'), relkind: textOf(rte, 'relkind') ?? '' })),
    rawColumns: rawColumnsOf(q, raw),
    bucketCalls: callsOf(bucket.node),
    ...callsOf(q.node),
  };
};
