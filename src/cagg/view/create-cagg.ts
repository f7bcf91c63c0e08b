import { request } from '../../catalog/catalog-writer.ts';
import { backendPid, inMaintenance, withSettings } from '../../engine/session.ts';
import { hasSqlState, maybeOne, notice, one, query, run, subtransaction, warning } from '../../engine/spi.ts';
import { placeOf, viewText } from '../../engine/view.ts';
import { findRelation, timeDimension, type Relation } from '../../hypertable/index.ts';
import { displayed, ident, identList, qualified, type RelationName } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { checkParentBucket } from '../query/bucket.ts';
import { badColumnCount, badName, nameTaken, noSchema, severalStatements } from './failures.ts';
import { createGroupIndexes, createMatTable, internalNames, INTERNAL_SCHEMA, type InternalNames } from './mat-table.ts';
import { checkReplaceable, openQuery, type OpenQuery } from '../query/open-query.ts';
import { rawQueryOf } from './rebuild-view.ts';
import { createUserView } from './user-view-ddl.ts';
import { hasSeveralStatements, withoutOrder } from '../../lib/view-text.ts';
import { addTarget } from '../query/view-text.ts';

export interface NewCagg {
  readonly name: string;
  readonly query: string;
  readonly columns: readonly string[] | null;
  /** By which the names in the query are found. */
  readonly searchPath: string;
  readonly materializedOnly: boolean;
  readonly groupIndexes: boolean;
  readonly ifNotExists: boolean;
}

/** Lengths that can be read only once the type of the time column is known. */
export interface Settings {
  readonly refreshLag: bigint | null;
  readonly maxInterval: bigint | null;
  readonly ignoreOlderThan: bigint | null;
  readonly chunkInterval: bigint | null;
}

/** The column that holds the bucket where the query does not select it. */
const HIDDEN_BUCKET = 'time_partition_col';

const targetName = (o: NewCagg): RelationName => {
  const place = placeOf(o.name, o.searchPath);
  if (place === undefined) throw badName(o.name);
  const { schema, name } = place;
  if (schema === null) throw noSchema();
  return { schema, name };
};

const relationNamed = (name: RelationName): Relation | undefined => {
  const oid = maybeOne<{ oid: bigint | null }>('select to_regclass($1)::oid::int8 as oid', [qualified(name)])?.oid;
  return oid == null ? undefined : findRelation(oid);
};

const oidOf = (name: RelationName): bigint =>
  one<{ oid: bigint }>('select $1::regclass::oid::int8 as oid', [qualified(name)]).oid;

/** Several columns may have one name in the query where others are given, which are theirs from here on. */
const createPassing = (o: NewCagg, passing: RelationName): void => {
  const create = (columns: string): void => void run(`create view ${qualified(passing)}${columns} as ${o.query}`);
  const { columns } = o;
  if (columns === null || columns.length === 0) {
    create('');
    return;
  }
  try {
    subtransaction(() => create(` (${identList(columns)})`));
  } catch (e) {
    if (!hasSqlState(e, SQLSTATE.syntaxError)) throw e;
    // More names than columns; or the query is what is wrong, and says so again.
    create('');
  }
};

/** PostgreSQL itself parses the query: as a view of a passing name, which becomes the direct view. */
const parseQuery = (
  o: NewCagg,
  target: RelationName,
): { readonly passing: RelationName; readonly ordered: boolean } => {
  const passing = { schema: target.schema, name: `tessera_query_${backendPid()}` };
  if (hasSeveralStatements(o.query)) throw severalStatements();
  withSettings({ search_path: o.searchPath }, () => createPassing(o, passing));
  const unordered = withoutOrder(viewText(oidOf(passing)));
  if (unordered !== undefined) run(`create or replace view ${qualified(passing)} as ${unordered}`);
  return { passing, ordered: unordered !== undefined };
};

const columnsOf = (relation: bigint): string[] =>
  query<{ name: string }>(
    'select attname as name from pg_attribute where attrelid = $1::int8::oid and attnum > 0 order by attnum',
    [relation],
  ).map((r) => r.name);

const moveInside = (passing: RelationName, direct: RelationName): void => {
  run(`alter view ${qualified(passing)} rename to ${ident(direct.name)}`);
  run(`alter view ${ident(passing.schema)}.${ident(direct.name)} set schema ${ident(direct.schema)}`);
};

/** The query with the columns of the materialization hypertable: with the bucket, whether it is selected or not. */
const createPartialView = (names: InternalNames, q: OpenQuery): void => {
  const text = viewText(oidOf(names.direct));
  const full = q.analysis.bucket.resno === null ? addTarget(text, q.bucketExpression, HIDDEN_BUCKET) : text;
  run(`create view ${qualified(names.partial)} as ${full}`);
};

export interface Created {
  readonly view: Relation;
  readonly id: number;
}

/**
 * Creates everything but the job. `read` turns what the user gave as lengths into internal time. Changes of the raw
 * hypertable are captured from the commit on; all of the aggregate is stale until then.
 */
export const createCagg = (o: NewCagg, read: (q: OpenQuery) => Settings): Created | undefined => {
  const target = targetName(o);
  if (relationNamed(target) !== undefined) {
    if (!o.ifNotExists) throw nameTaken(displayed(target));
    notice(`relation "${displayed(target)}" already exists, skipping`);
    return undefined;
  }
  const { passing, ordered } = parseQuery(o, target);
  const q = openQuery(oidOf(passing));
  if (q.parent !== undefined) checkParentBucket(q.bucket, q.parent.id);
  const settings = read(q);
  request('open_schema', { relid: q.raw.root.oid });
  const id = request<number>('draw_hypertable_id', { relid: q.raw.root.oid });
  const names = internalNames(id);
  moveInside(passing, names.direct);
  createPartialView(names, q);
  const columns = columnsOf(oidOf(names.partial));
  const { resno } = q.analysis.bucket;
  const bucketColumn = resno === null ? HIDDEN_BUCKET : (columns[resno - 1] as string);
  const shown = resno === null ? columns.slice(0, -1) : columns;
  const given = o.columns ?? shown;
  if (given.length !== shown.length) throw badColumnCount(given.length, shown.length);
  createMatTable(id, names, bucketColumn, q.raw.hypertable, q.bucket.bucket_period, settings.chunkInterval);
  if (o.groupIndexes)
    inMaintenance(() =>
      createGroupIndexes(
        names.mat,
        q.analysis.groupResnos.map((n) => columns[n - 1] as string),
        bucketColumn,
      ),
    );
  const partial = oidOf(names.partial);
  checkReplaceable(partial, q, `${ident(INTERNAL_SCHEMA)}.${ident(`tessera_probe_${id}`)}`, (sql) => void run(sql));
  run(
    createUserView(
      target,
      {
        id,
        mat: names.mat,
        columns: shown.map((mat, i) => ({ mat, view: given[i] as string })),
        bucketColumn,
        timeType: timeDimension(q.raw.hypertable).type,
        rawQuery: rawQueryOf({ view: partial, source: q.source, timeColumn: q.timeColumn }),
      },
      o.materializedOnly,
    ),
  );
  if (ordered)
    notice('ORDER BY of the query of a continuous aggregate is left out: put it into the queries that read it');
  if (q.settingsMatter.length > 0)
    warning(
      `results of ${q.settingsMatter.join(', ')} may depend on settings, such as TimeZone: what refreshes materialize may differ from what other sessions compute`,
    );
  const view = relationNamed(target);
  if (view === undefined) throw new Error(`${qualified(target)} was not created`);
  request('cagg_create', {
    cagg: id,
    raw: q.raw.hypertable.id,
    user_view: view.oid,
    partial_view: partial,
    direct_view: oidOf(names.direct),
    materialized_only: o.materializedOnly,
    refresh_lag: settings.refreshLag,
    max_interval_per_job: settings.maxInterval,
    ignore_invalidation_older_than: settings.ignoreOlderThan,
    bucket: q.bucket,
  });
  return { view, id };
};
