import { findHypertable } from '../../catalog/hypertable.ts';
import { apiSchema } from '../../engine/session.ts';
import { maybeOne, one, query } from '../../engine/spi.ts';
import { viewText, viewTree } from '../../engine/view.ts';
import {
  findRelation,
  openHypertable,
  timeDimension,
  type OpenHypertable,
  type Relation,
} from '../../hypertable/index.ts';
import { displayed } from '../../lib/quote.ts';
import { readBucket, type Bucket } from './bucket.ts';
import { findCagg, matHypertable, type Cagg } from './cagg.ts';
import {
  mutableFunction,
  noHypertable,
  notRawOwner,
  readsMaterialization,
  rowSecurity,
  severalHypertables,
  systemColumn,
  unrestorable,
  wholeRow,
} from './failures.ts';
import type { QueryCalls } from './query-calls.ts';
import { analyzeQuery, relationsOf, type QueryAnalysis } from './query-plan.ts';
import { queryOverNothing } from './ranged-query.ts';
import { groupItems } from '../../lib/view-text.ts';
import { bucketArguments, bucketCall, bucketCallOf, type CallArgument } from './view-text.ts';

/** What a query is over, and what it says. */
export interface OpenQuery {
  readonly raw: OpenHypertable;
  readonly parent: Cagg | undefined;
  readonly source: Relation;
  readonly timeColumn: string;
  readonly analysis: QueryAnalysis;
  readonly bucket: Bucket;
  /** The time_bucket() call as SQL. */
  readonly bucketExpression: string;
  /** Functions that it calls whose results may depend on settings, such as TimeZone. */
  readonly settingsMatter: readonly string[];
}

interface Source {
  readonly raw: OpenHypertable;
  readonly parent: Cagg | undefined;
  readonly relation: Relation;
}

const sourceOf = (oid: bigint): Source | undefined => {
  const parent = findCagg(oid);
  if (parent !== undefined) {
    const relation = findRelation(oid);
    return relation === undefined ? undefined : { raw: matHypertable(parent), parent, relation };
  }
  if (findHypertable(oid) === undefined) return undefined;
  const raw = openHypertable(oid);
  return { raw, parent: undefined, relation: raw.root };
};

const theSource = (tree: string): Source => {
  const found = relationsOf(tree).flatMap((oid) => sourceOf(BigInt(oid)) ?? []);
  const [only] = found;
  if (only === undefined) throw noHypertable();
  if (found.some((s) => s.relation.oid !== only.relation.oid))
    throw severalHypertables(found.map((s) => displayed(s.relation)));
  return only;
};

const checkSource = ({ raw, parent, relation }: Source): void => {
  if (!relation.owned) throw notRawOwner(displayed(relation));
  if (parent !== undefined) return;
  const view = maybeOne<{ view: string }>(
    'select user_view::text as view from _tessera_catalog.continuous_agg where mat_hypertable_id = $1',
    [raw.hypertable.id],
  );
  if (view !== undefined) throw readsMaterialization(displayed(relation), view.view);
  const { secured } = one<{ secured: boolean }>(
    'select relrowsecurity as secured from pg_class where oid = $1::int8::oid',
    [relation.oid],
  );
  if (secured) throw rowSecurity(displayed(relation));
};

/** Functions of PostgreSQL that tell the moment, the session or the role, by name. */
const OF_THE_MOMENT = [
  'now',
  'transaction_timestamp',
  'statement_timestamp',
  'current_setting',
  'current_user',
  'session_user',
  'current_database',
  'current_schema',
  'current_schemas',
  'pg_backend_pid',
  'pg_current_snapshot',
  'txid_current_snapshot',
  'pg_conf_load_time',
  'pg_postmaster_start_time',
];

interface Called {
  readonly name: string;
  /** Its result is another one at another moment, or for another session, whatever the settings are. */
  readonly passing: boolean;
}

/** What is executed and is not immutable. */
const mutableCalls = (calls: QueryCalls): Called[] =>
  query<Called>(
    `select p.oid::regprocedure::text as name,
       p.provolatile = 'v' or p.pronamespace = 'pg_catalog'::regnamespace and (p.proname = any($5) or p.proname = 'age' and p.pronargs = 1) as passing
     from pg_proc p
     where p.provolatile <> 'i' and (p.oid::int8 = any($1::int8[])
       or p.oid in (select oprcode::oid from pg_operator where oid::int8 = any($2::int8[]))
       or p.oid in (select typoutput::oid from pg_type where oid::int8 = any($3::int8[]))
       or p.oid in (select typinput::oid from pg_type where oid::int8 = any($4::int8[])))
     order by 1`,
    [
      calls.functionOids.map(BigInt),
      calls.operatorOids.map(BigInt),
      calls.ioCoercions.map(([from]) => BigInt(from)),
      calls.ioCoercions.map(([, to]) => BigInt(to)),
      OF_THE_MOMENT,
    ],
  );

/**
 * A result that depends on the moment would be materialized as if it were one of the rows, and the grid of the buckets is
 * found once. What depends on settings is the business of who sets them.
 */
const checkMutable = (a: QueryAnalysis): string[] => {
  if (a.hasSqlValueFunction) throw mutableFunction('CURRENT_TIMESTAMP, or one like it,');
  const [cut] = mutableCalls(a.bucketCalls);
  if (cut !== undefined) throw mutableFunction(cut.name);
  const called = mutableCalls(a);
  const passing = called.find((c) => c.passing);
  if (passing !== undefined) throw mutableFunction(passing.name);
  return called.map((c) => c.name);
};

/** The GROUP BY item that is the bucket, and its arguments. */
const callOf = (view: bigint): { expression: string; args: readonly CallArgument[] } => {
  for (const item of groupItems(viewText(view))) {
    const args = bucketCall(item, apiSchema());
    if (args !== undefined) return { expression: item, args };
  }
  throw unrestorable('The call of time_bucket is not found among the GROUP BY expressions.');
};

const signatureOf = (oid: number): { types: string[]; names: string[] } =>
  one<{ types: string[]; names: string[] }>(
    `select array(select format_type(t, null) from unnest(proargtypes) with ordinality u(t, o) order by o) as types, proargnames as names
     from pg_proc where oid::int8 = $1::int8`,
    [BigInt(oid)],
  );

const columnsOf = (relation: bigint): string[] =>
  query<{ name: string }>(
    'select attname as name from pg_attribute where attrelid = $1::int8::oid and attnum > 0 and not attisdropped order by attnum',
    [relation],
  ).map((r) => r.name);

const attributeOf = (relation: bigint, column: string): number =>
  one<{ n: number }>('select attnum::int as n from pg_attribute where attrelid = $1::int8::oid and attname = $2', [
    relation,
    column,
  ]).n;

/** The parent's view may name its columns otherwise than its materialization hypertable. */
const timeColumnOf = ({ raw, parent, relation }: Source): string => {
  const inside = timeDimension(raw.hypertable).column_name;
  if (parent === undefined) return inside;
  return one<{ name: string }>(
    'select attname as name from pg_attribute where attrelid = $1::int8::oid and attnum = $2',
    [relation.oid, attributeOf(raw.root.oid, inside)],
  ).name;
};

/** Checks the query of a view, which PostgreSQL has parsed, and finds out what it aggregates. */
export const openQuery = (view: bigint): OpenQuery => {
  const tree = viewTree(view);
  const source = theSource(tree);
  checkSource(source);
  const timeColumn = timeColumnOf(source);
  const analysis = analyzeQuery(tree, {
    rawRelid: Number(source.relation.oid),
    timeAttno: attributeOf(source.relation.oid, timeColumn),
    bucketFunctions: new Set(
      query<{ oid: bigint }>(
        `select p.oid::int8 as oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = $1 and p.proname = 'time_bucket'`,
        [apiSchema()],
      ).map((r) => Number(r.oid)),
    ),
    table: displayed(source.relation),
  });
  if (analysis.rawColumns.some((n) => n < 0)) throw systemColumn(displayed(source.relation));
  if (analysis.rawColumns.includes(0)) {
    const columns = columnsOf(source.relation.oid).filter((c) => c !== timeColumn);
    throw wholeRow(displayed(source.relation), columns, timeColumn);
  }
  const settingsMatter = checkMutable(analysis);
  const call = callOf(view);
  const signature = signatureOf(analysis.bucket.functionOid);
  const args = bucketArguments(call.args, signature);
  const bucket = readBucket(args, timeDimension(source.raw.hypertable).type, (time) =>
    bucketCallOf(apiSchema(), call.args, signature, time),
  );
  return {
    raw: source.raw,
    parent: source.parent,
    source: source.relation,
    timeColumn,
    analysis,
    bucket,
    bucketExpression: call.expression,
    settingsMatter,
  };
};

/** Proves that the text names its source nowhere but where a restriction can take its place. */
export const checkReplaceable = (view: bigint, q: OpenQuery, probe: string, run: (sql: string) => void): void => {
  run(`create view ${probe} as ${queryOverNothing({ view, source: q.source, timeColumn: q.timeColumn })}`);
  const left = maybeOne(
    `select from pg_depend d join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass
     where r.ev_class = $1::regclass and d.refobjid = $2::int8::oid and d.refclassid = 'pg_class'::regclass limit 1`,
    [probe, q.source.oid],
  );
  if (left !== undefined) throw unrestorable(`It names "${displayed(q.source)}" elsewhere than in FROM.`);
  run(`drop view ${probe}`);
};
