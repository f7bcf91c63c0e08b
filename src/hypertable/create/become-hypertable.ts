import type { Hypertable } from '../../catalog/hypertable.ts';
import { callAs, currentUser, withSettings } from '../../engine/session.ts';
import { notice, one, run } from '../../engine/spi.ts';
import { displayed, ident, literal, qualified, type RelationName } from '../../lib/quote.ts';
import {
  comment,
  createForeignKeysToIt,
  createGrants,
  createStatistics,
  createTriggersAndPolicies,
  replaceViews,
  type Snapshot,
} from './become-partitioned.ts';
import { attachSlices, prepareSlice } from '../chunk/create-chunk.ts';
import { timeDimension } from '../dimension/dimensions.ts';
import { ascendDefaultPartition } from './default-indexes.ts';
import { markDefaultPartition } from '../chunk/fresh-heap.ts';
import { partNames, placeFunctionDdl, placeTriggersDdl, truncatedTriggerDdl } from '../table/partition-ddl.ts';
import { neededSlices } from '../chunk/place-rows.ts';
import { storedColumns, type Relation } from '../table/relation.ts';
import { placeableSql } from '../table/time-sql.ts';

export const createDefaultPartition = (h: Hypertable, table: Relation): void => {
  const parts = partNames(h);
  const options = h.chunk_reloptions?.map((o) => {
    const at = o.indexOf('=');
    return `${o.slice(0, at)} = ${literal(o.slice(at + 1))}`;
  });
  run(
    `create table ${qualified(parts.defaultPartition)} partition of ${qualified(table)} default` +
      (options === undefined ? '' : ` with (${options.join(', ')})`) +
      (table.tablespace === null ? '' : ` tablespace ${ident(table.tablespace)}`),
  );
};

/**
 * Copies the rows straight into chunks; what has no internal time (infinity) goes to the default partition. Expressions of
 * the table are evaluated, so it runs as the owner; returns how many rows have no chunk.
 */
export const moveRows = (h: Hypertable, root: Relation, old: RelationName): number => {
  const time = timeDimension(h);
  const column = ident(time.column_name);
  const prepared = neededSlices(h, old).map((slice) => prepareSlice(h, root, slice, old));
  attachSlices(h, root, prepared);
  const columns = storedColumns(root.oid).map(ident).join(', ');
  const rest = run(
    `insert into ${qualified(partNames(h).defaultPartition)} (${columns}) overriding system value
     select ${columns} from only ${qualified(old)}
     where not ${placeableSql(column, time.type)}`,
  );
  const moved = prepared.reduce((sum, p) => sum + p.rows, rest);
  const { total } = one<{ total: bigint }>(`select count(*) as total from only ${qualified(old)}`);
  if (BigInt(moved) !== total) throw new Error(`moved ${moved} of ${total} rows`);
  return rest;
};

/** Definitions do not say where an index is. */
const inTablespace = (tablespace: string | null | undefined, ddl: string): void => {
  if (tablespace === null || tablespace === undefined) run(ddl);
  else withSettings({ default_tablespace: tablespace }, () => void run(ddl));
};

const createConstraintsAndIndexes = (h: Hypertable, table: Relation, s: Snapshot): void => {
  const root = qualified(table);
  for (const c of s.constraints) {
    // LIKE has brought them.
    if (c.type === 'c' || c.type === 'n') continue;
    // A foreign key that points at the table itself names the old table's successor already: its text was read before.
    // One that was never validated is, where there are no rows.
    const ddl = `alter table ${root} add constraint ${ident(c.name)} ${c.definition.replace(/ NOT VALID$/, '')}`;
    inTablespace(s.indexes.find((i) => i.constraint && i.name === c.name)?.tablespace, ddl);
    comment('constraint', `${ident(c.name)} on ${root}`, c.comment);
  }
  for (const index of s.indexes) {
    if (!index.constraint) {
      ascendDefaultPartition(h, index);
      inTablespace(index.tablespace, index.definition);
    }
    const name = qualified(index);
    comment('index', name, index.comment);
    if (index.clustered)
      notice(
        `chunks are not clustered on index "${index.name}"; to have them in its order: select add_reorder_policy('${displayed(table)}', '${index.name}')`,
      );
    if (index.replicaIdentity) run(`alter table ${root} replica identity using index ${ident(index.name)}`);
  }
  createStatistics(s);
};

const moveRowsAsOwner = (h: Hypertable, root: Relation, owner: string, old: RelationName): number => {
  if (owner === currentUser()) return moveRows(h, { ...root, replicaIdentity: 'd' }, old);
  const { oid } = one<{ oid: bigint }>('select $1::regclass::oid::int8 as oid', [qualified(old)]);
  const [rest] = callAs(owner, h.associated_schema_name, `_tessera_functions.move_rows(${root.oid}, ${oid})`);
  return Number(rest ?? 0);
};

export const finishHypertable = (
  h: Hypertable,
  table: Relation,
  root: Relation,
  old: RelationName,
  s: Snapshot,
  migrate: boolean,
): void => {
  const parts = partNames(h);
  const rest = migrate ? moveRowsAsOwner(h, root, table.owner, old) : 0;
  createConstraintsAndIndexes(h, table, s);
  createTriggersAndPolicies(table, s);
  replaceViews(s);
  run(`drop table ${qualified(old)}`);
  createForeignKeysToIt(s);
  createGrants(table, s);
  run(placeFunctionDdl(h.id, parts));
  for (const ddl of [...placeTriggersDdl(h.id, parts), ...truncatedTriggerDdl(table, parts)]) run(ddl);
  if (rest > 0) markDefaultPartition(h);
};
