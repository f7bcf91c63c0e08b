import { apiSchema } from '../engine/session.ts';
import { maybeOne, notice, one, query } from '../engine/spi.ts';
import { viewText, viewTree } from '../engine/view.ts';
import { findRelation, type Relation } from '../hypertable/index.ts';
import { displayed, type RelationName } from '../lib/quote.ts';
import { findDistributed, shardsOf, type DistributedTable } from '../shard/index.ts';
import { forcedPolicies, notByKey, notColocated, notDistributed, notOwner, readsNothing } from './failures.ts';
import { readShape, type AggregateCall, type ColumnRef, type QueryShape } from './query-plan.ts';
import { splitQuery, wholeParts, type Column, type NamedCall, type Replacement, type SplitText } from './split-plan.ts';

interface Source {
  readonly entry: number;
  readonly root: Relation;
  readonly table: DistributedTable;
  /** Number of the distribution column; null for a single shard. */
  readonly key: number | null;
  /** Operators under which equal keys have the same hash. */
  readonly equality: readonly bigint[];
}

const columnsOf = (view: bigint): Column[] =>
  query<Column>(
    `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = $1::int8::oid and attnum > 0 order by attnum`,
    [view],
  );

const namedCalls = (calls: readonly AggregateCall[]): NamedCall[] => {
  const found = new Map(
    query<{ oid: bigint; name: string; schema: string }>(
      `select p.oid::int8 as oid, p.proname as name, n.nspname as schema from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where p.oid::int8 = any($1::int8[])`,
      [calls.map((c) => BigInt(c.oid))],
    ).map((r) => [Number(r.oid), r] as const),
  );
  const api = apiSchema();
  return calls.map((c) => {
    const { name, schema } = found.get(c.oid) ?? { name: '', schema: '' };
    return { ...c, name, origin: schema === 'pg_catalog' ? 'postgres' : schema === api ? 'tessera' : 'other' };
  });
};

const sourceOf = (entry: number, relid: bigint): Source | undefined => {
  const root = findRelation(relid);
  const table = findDistributed(relid);
  if (root === undefined || table?.model !== 's') return undefined;
  const { secured, forced, key, equality } = one<{
    secured: boolean;
    forced: boolean;
    key: number | null;
    equality: bigint[];
  }>(
    `select c.relrowsecurity as secured, c.relforcerowsecurity as forced,
       (select a.attnum::int from pg_attribute a where a.attrelid = c.oid and a.attname = $2) as key,
       array(select o.amopopr::int8 from pg_partitioned_table p join pg_opclass x on x.oid = p.partclass[0]
         join pg_amop o on o.amopfamily = x.opcfamily and o.amopstrategy = 1 where p.partrelid = c.oid) as equality
     from pg_class c where c.oid = $1::int8::oid`,
    [relid, table.key],
  );
  if (!root.owned) throw notOwner(displayed(root));
  if (secured && forced) throw forcedPolicies(displayed(root));
  return { entry, root, table, key, equality };
};

const isEqualKey = (shape: QueryShape, a: Source, b: Source): boolean => {
  const is = (c: ColumnRef, s: Source): boolean => c.entry === s.entry && c.number === s.key;
  return shape.comparisons.some(
    ([l, r, operator]) =>
      ((is(l, a) && is(r, b)) || (is(l, b) && is(r, a))) && [a, b].every((s) => s.equality.includes(BigInt(operator))),
  );
};

/** Rows that are joined must be in parts of the same number. */
const checkJoined = (shape: QueryShape, sources: readonly Source[]): void => {
  const [first, ...rest] = sources;
  if (first === undefined) return;
  const joined = [first];
  for (let open = rest; open.length > 0; ) {
    const [next] = open;
    if (next === undefined) return;
    const other = open.find((s) => s.table.group !== first.table.group);
    if (other !== undefined) throw notColocated(displayed(first.root), displayed(other.root));
    const linked = first.key === null ? open : open.filter((s) => joined.some((j) => isEqualKey(shape, j, s)));
    if (linked.length === 0) throw notByKey(displayed(first.root), displayed(next.root));
    joined.push(...linked);
    open = open.filter((s) => !linked.includes(s));
  }
};

/** The shards in the order of what they hold, so that those of one number belong together. */
const partsOf = (s: Source): RelationName[] =>
  shardsOf(s.root.oid)
    .sort((a, b) => (a.remainder ?? 0) - (b.remainder ?? 0))
    .map((shard) => {
      const local = shard.local === null ? undefined : findRelation(shard.local);
      if (local === undefined) throw new Error(`shard ${shard.id} has no foreign table`);
      return local;
    });

/** Whether a view reads a hypertable, whose parts are all in this server. */
const readsHypertable = (shape: QueryShape): boolean =>
  maybeOne('select from _tessera_catalog.hypertable where relid::oid::int8 = any($1::int8[]) limit 1', [
    [...shape.relations.values()].map(BigInt),
  ]) !== undefined;

/** The query of a view, computed where the rows are; null where it is best as it is. */
export const splitView = (view: bigint): SplitText | null => {
  const shape = readShape(viewTree(view));
  const found = [...shape.relations].map(([entry, relid]) => [BigInt(relid), sourceOf(entry, BigInt(relid))] as const);
  const sources = found.flatMap(([, s]) => s ?? []);
  if (sources.length === 0) {
    if (readsHypertable(shape)) return null;
    throw readsNothing();
  }
  const [stranger] = found.filter(([, s]) => s === undefined).map(([relid]) => findRelation(relid));
  if (stranger !== undefined) throw notDistributed(displayed(stranger));
  checkJoined(shape, sources);
  const tables: Replacement[] = sources.map((s) => ({ table: s.root, parts: partsOf(s) }));
  const text = viewText(view);
  const whole = sources.some(
    (s) => s.key === null || shape.groupedColumns.some((c) => c.entry === s.entry && c.number === s.key),
  );
  return whole
    ? { text: wholeParts(text, tables), distinct: null }
    : splitQuery(text, namedCalls(shape.aggregates), columnsOf(view), tables);
};

interface PlanNode {
  readonly 'Remote SQL'?: string;
  readonly Relations?: string;
  readonly Plans?: readonly PlanNode[];
}

const sendsRows = (node: PlanNode): boolean =>
  node['Remote SQL'] === undefined
    ? (node.Plans ?? []).some(sendsRows)
    : !(node.Relations ?? '').startsWith('Aggregate on ');

/** Says so where nodes send rows: they have none of our functions, and none of the user's. */
export const noticeRows = (name: string, text: string): void => {
  const plan = one<{ 'QUERY PLAN': string | readonly { readonly Plan: PlanNode }[] }>(
    `explain (verbose, costs off, format json) ${text}`,
  )['QUERY PLAN'];
  const [root] = typeof plan === 'string' ? (JSON.parse(plan) as readonly { readonly Plan: PlanNode }[]) : plan;
  if (root !== undefined && sendsRows(root.Plan))
    notice(
      `nodes send rows to "${name}" rather than aggregates of them: it calls something that is not built into PostgreSQL, or not immutable`,
    );
};
