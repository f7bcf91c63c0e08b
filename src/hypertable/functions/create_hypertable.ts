import { findHypertable, findHypertableById, type Hypertable } from '../../catalog/hypertable.ts';
import { request } from '../../catalog/catalog-writer.ts';
import { maybeOne, notice, one, run } from '../../engine/spi.ts';
import { currentUser, inMaintenance } from '../../engine/session.ts';
import { displayed, ident, qualified } from '../../lib/quote.ts';
import { defineFunction, returnsTable } from '../../udf/define-function.ts';
import { createDefaultPartition, finishHypertable } from '../create/become-hypertable.ts';
import { replaceByRoot, takeSnapshot, type Snapshot } from '../create/become-partitioned.ts';
import { createDefaultIndexes } from '../create/default-indexes.ts';
import { checkTable, checkUniqueIndexes, findColumn } from '../create/check-table.ts';
import {
  hashDimension,
  rangeDimension,
  refusePartitionFunction,
  type DimensionInput,
} from '../dimension/dimension-input.ts';
import {
  alreadyHypertable,
  notEmpty,
  partitionsOfNothing,
  prefixTaken,
  prefixTooLong,
  schemaMissing,
  unvalidated,
} from '../create/failures.ts';
import { adaptiveChunking, duplicateDimension, notRange } from '../dimension/failures.ts';
import { notTableOwner, nullArgument, relationMissing } from '../../lib/failures.ts';
import { partNames } from '../table/partition-ddl.ts';
import { recordParts } from '../table/parts.ts';
import { readConstraints } from '../table/read-table.ts';
import { findRelation, type Relation } from '../table/relation.ts';

interface Options {
  readonly time_column: string | null;
  readonly interval: string | null;
  readonly interval_type: string | null;
  readonly time_function: string | null;
  readonly dimension_kind: string | null;
  readonly partitioning_column: string | null;
  readonly number_partitions: number | null;
  readonly partitioning_func: string | null;
  readonly associated_schema_name: string | null;
  readonly associated_table_prefix: string | null;
  readonly create_default_indexes: boolean | null;
  readonly if_not_exists: boolean | null;
  readonly migrate_data: boolean | null;
  readonly adaptive: boolean | null;
  /** An id that was drawn before, for the materialization of a continuous aggregate. */
  readonly id: number | null;
}

/** The two forms of the function give different subsets. */
const NONE: Options = {
  time_column: null,
  interval: null,
  interval_type: null,
  time_function: null,
  dimension_kind: null,
  partitioning_column: null,
  number_partitions: null,
  partitioning_func: null,
  associated_schema_name: null,
  associated_table_prefix: null,
  create_default_indexes: null,
  if_not_exists: null,
  migrate_data: null,
  adaptive: null,
  id: null,
};

interface Created {
  readonly hypertable_id: number;
  readonly schema_name: string;
  readonly table_name: string;
  readonly created: boolean;
}

const DEFAULT_SCHEMA = '_tessera_internal';
const LONGEST_PREFIX = 63 - '_2147483647_chunk'.length;

const existing = (table: Relation, ifNotExists: boolean): Created | undefined => {
  const h = findHypertable(table.oid);
  if (h === undefined) return undefined;
  if (!ifNotExists) throw alreadyHypertable(displayed(table));
  notice(`table "${displayed(table)}" is already a hypertable, skipping`);
  return { hypertable_id: h.id, schema_name: h.schema_name, table_name: h.table_name, created: false };
};

const openSchema = (table: Relation, schema: string): void => {
  if (schema === DEFAULT_SCHEMA) {
    request('open_schema', { relid: table.oid });
    return;
  }
  if (maybeOne('select from pg_namespace where nspname = $1', [schema]) === undefined) {
    const may = one<{ may: boolean }>(`select has_database_privilege(current_database(), 'create') as may`).may;
    if (!may) throw schemaMissing(schema);
    run(`create schema ${ident(schema)}`);
  }
};

const readDimensions = (table: Relation, o: Options): DimensionInput[] => {
  if (o.time_column === null) throw nullArgument('time_column_name');
  if (o.adaptive === true) throw adaptiveChunking();
  if (o.dimension_kind === 'hash') throw notRange();
  refusePartitionFunction(table, o.time_column, o.time_function);
  refusePartitionFunction(table, o.partitioning_column ?? o.time_column, o.partitioning_func);
  const time = findColumn(table, o.time_column);
  const dimensions: DimensionInput[] = [rangeDimension(table, time.name, time.type, o.interval, o.interval_type)];
  if (o.partitioning_column !== null) {
    if (o.partitioning_column === o.time_column) throw duplicateDimension(o.time_column);
    const space = findColumn(table, o.partitioning_column);
    dimensions.push(hashDimension(space.name, space.type, o.number_partitions));
    // One partition is none.
  } else if (o.number_partitions !== null && o.number_partitions !== 1) throw partitionsOfNothing(o.number_partitions);
  return dimensions;
};

interface Names {
  readonly id: number;
  readonly names: { readonly associated_schema_name: string; readonly associated_table_prefix: string };
}

/** Tables of an earlier installation may have kept their names: an id whose names are taken is passed over. */
const chooseNames = (table: Relation, schema: string, prefix: string | null, drawn: number | null): Names => {
  for (let first = drawn; ; first = null) {
    const id = first ?? request<number>('draw_hypertable_id', { relid: table.oid });
    const names = { associated_schema_name: schema, associated_table_prefix: prefix ?? `_hyper_${id}` };
    const parts = partNames(names);
    const taken = maybeOne(
      `select from pg_namespace n where n.nspname = $1
       and (exists (select from pg_class c where c.relnamespace = n.oid and c.relname in ($2, $3))
         or exists (select from pg_proc p where p.pronamespace = n.oid and p.proname = $4))`,
      [schema, parts.defaultPartition.name, parts.pending.name, parts.placeFunction.name],
    );
    if (taken === undefined) return { id, names };
    if (prefix !== null) throw prefixTaken(schema, prefix);
  }
};

const create = (table: Relation, o: Options): Created => {
  checkTable(table);
  const dimensions = readDimensions(table, o);
  const [time] = dimensions as [DimensionInput];
  checkUniqueIndexes(
    table,
    dimensions.map((d) => d.column_name),
  );
  const prefix = o.associated_table_prefix;
  if (prefix !== null && byteLength(prefix) > LONGEST_PREFIX) throw prefixTooLong(prefix);
  const occupied = maybeOne(`select from only ${qualified(table)} limit 1`) !== undefined;
  if (occupied && o.migrate_data !== true) throw notEmpty(displayed(table));

  const schema = o.associated_schema_name ?? DEFAULT_SCHEMA;
  const { id, names } = chooseNames(table, schema, prefix, o.id);
  const unproven = readConstraints(table.oid).find((c) => !c.validated);
  if (occupied && unproven !== undefined) throw unvalidated(displayed(table), unproven.name);
  if (occupied) notice(`moving the rows of table "${displayed(table)}" into chunks, which may take a while`);
  openSchema(table, schema);

  if (!findColumn(table, time.column_name).notNull) {
    // On the old table, so that a row without time is refused here and the successor copies the constraint.
    notice(`adding not-null constraint to column "${time.column_name}"`);
    run(`alter table only ${qualified(table)} alter column ${ident(time.column_name)} set not null`);
  }
  const snapshot = takeSnapshot(table);
  const { root, old } = replaceByRoot(table, `range (${ident(time.column_name)})`, snapshot);
  const registered = request<{ dimension_ids: number[] }>('create_hypertable', {
    id,
    relid: root.oid,
    ...names,
    chunk_reloptions: chunkOptions(snapshot),
    dimensions: dimensions.map(({ column_name, num_slices, interval_length }) => ({
      column_name,
      num_slices,
      interval_length,
    })),
  });
  const h = findHypertableById(id) as Hypertable;
  if (registered.dimension_ids.length !== dimensions.length) throw new Error('dimensions were not recorded');
  createDefaultPartition(h, root);
  // From here on expressions of the table are evaluated, by PostgreSQL or by us: as its owner, then.
  if (table.owner !== currentUser()) giveTables(root, table.owner);
  finishHypertable(h, table, root, old, snapshot, occupied);
  if (o.create_default_indexes !== false) createDefaultIndexes(h, root);
  if (table.owner !== currentUser()) giveTo(h, root, table.owner);
  recordParts(h);
  return { hypertable_id: id, schema_name: table.schema, table_name: table.name, created: true };
};

const chunkOptions = ({ table }: Snapshot): string[] | null => {
  const all = [...(table.reloptions ?? []), ...table.toastOptions];
  return all.length === 0 ? null : all;
};

/** In bytes, as PostgreSQL limits names; plv8 has no TextEncoder. */
const byteLength = (text: string): number => one<{ n: number }>('select octet_length($1::text) as n', [text]).n;

/** A member of the owner's role, or a superuser, made it: everything goes to the owner of the table. */
const giveTo = (h: Hypertable, root: Relation, owner: string): void => {
  const parts = partNames(h);
  giveTables(root, owner);
  run(`alter table ${qualified(parts.pending)} owner to ${ident(owner)}`);
  run(`alter function ${qualified(parts.placeFunction)}() owner to ${ident(owner)}`);
};

const giveTables = (root: Relation, owner: string): void => {
  const { names } = one<{ names: string[] }>(
    'select array_agg(relid::regclass::text) as names from pg_partition_tree($1::int8::oid::regclass)',
    [root.oid],
  );
  for (const name of names) run(`alter table ${name} owner to ${ident(owner)}`);
};

export const makeHypertable = (oid: bigint | null, given: Partial<Options>): Created => {
  const options = { ...NONE, ...given };
  if (oid === null) throw nullArgument('relation');
  const seen = findRelation(oid);
  if (seen === undefined) throw relationMissing(oid);
  if (!seen.owned) throw notTableOwner(displayed(seen));
  const ifNotExists = options.if_not_exists === true;
  const before = existing(seen, ifNotExists);
  if (before !== undefined) return before;
  if (seen.kind !== 'r') checkTable(seen);
  return inMaintenance(() => {
    run(`lock table only ${qualified(seen)} in access exclusive mode`);
    const table = findRelation(oid);
    if (table === undefined) throw relationMissing(oid);
    return existing(table, ifNotExists) ?? create(table, options);
  });
};

export const create_hypertable = defineFunction({
  schema: '_tessera_functions',
  name: 'create_hypertable',
  args: [
    { name: 'relation', type: 'bigint', doc: 'OID of the table' },
    { name: 'options', type: 'jsonb', doc: 'the arguments of create_hypertable() by name' },
  ],
  returns: returnsTable(
    { name: 'hypertable_id', type: 'integer' },
    { name: 'schema_name', type: 'name' },
    { name: 'table_name', type: 'name' },
    { name: 'created', type: 'boolean' },
  ),
  volatility: 'volatile',
  summary: 'Turns a table into a hypertable; the work behind both forms of create_hypertable().',
  privileges: 'owner of the table',
  locks: 'ACCESS EXCLUSIVE on the table',
  handler: (oid: bigint | null, given: Partial<Options>): Created[] => [makeHypertable(oid, given)],
});
