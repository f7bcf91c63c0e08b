import { request } from '../../catalog/catalog-writer.ts';
import { requireUnused } from '../../cluster/index.ts';
import { requireReadCommitted } from '../../engine/isolation.ts';
import { inMaintenance } from '../../engine/session.ts';
import { maybeOne, notice, one, run } from '../../engine/spi.ts';
import {
  checkReplaceable,
  checkTable,
  comment,
  createGrants,
  createStatistics,
  createTriggersAndPolicies,
  findRelation,
  openColumn,
  replaceByRoot,
  replaceViews,
  storedColumns,
  readGroupedViews,
  readSamplers,
  takeSnapshot,
  type Relation,
  type Snapshot,
} from '../../hypertable/index.ts';
import { displayed, ident, qualified, type RelationName } from '../../lib/quote.ts';
import { keysOf, readIncomingKeys, readKeys, type FoundKey } from '../definition/definition.ts';
import { notTableOwner, relationMissing } from '../../lib/failures.ts';
import {
  alreadyDistributed,
  collectingTrigger,
  generatedKey,
  groupedByKey,
  isCatalog,
  isHypertable,
  keyOfServer,
  noColumn,
  nondeterministicKey,
  sampled,
} from './failures.ts';
import { CAPTURE } from '../table/capture.ts';
import { checkReferenced } from '../key/check-keys.ts';
import type { Distribution } from './distribution.ts';
import { distributeCall, movingRows } from './loose-keys.ts';
import type { PlacedShard } from './register.ts';
import { checkIncoming, checkSetAside, giveBack, keysSetAside, setAside, setAsideTriggers } from '../key/set-aside.ts';
import { foreignTableDdl, hashBounds } from '../table/shard-ddl.ts';
import { findDistributed, LOCAL_SCHEMA } from '../table/distributed-table.ts';
import { typesUsed } from '../definition/types-used.ts';

/** OIDs below are PostgreSQL's own. */
const FIRST_OF_USERS = 16384n;

/** What is refused for a distributed and a reference table alike; reads only. */
export const checkDistributable = (table: Relation, purpose: 'distributed table' | 'reference table'): void => {
  const name = displayed(table);
  if (findDistributed(table.oid) !== undefined) throw alreadyDistributed(name);
  if (maybeOne('select from _tessera_catalog.hypertable where relid::oid = $1::int8::oid', [table.oid]) !== undefined)
    throw isHypertable(name);
  if (table.oid < FIRST_OF_USERS) throw isCatalog(name);
  checkTable(table, purpose);
  const collecting = maybeOne<{ name: string }>(
    `select tgname as name from pg_trigger where tgrelid = $1::int8::oid and (tgnewtable is not null or tgoldtable is not null) limit 1`,
    [table.oid],
  );
  if (collecting !== undefined && purpose === 'distributed table') throw collectingTrigger(name, collecting.name);
  const [sampler] = purpose === 'distributed table' ? readSamplers(table.oid) : [];
  if (sampler !== undefined) throw sampled(name, sampler);
  const [view] = purpose === 'distributed table' ? readGroupedViews(table.oid) : [];
  if (view !== undefined) throw groupedByKey(name, view);
};

/** regclass and the like. */
const OBJECT_TYPE = /^reg(class|collation|config|dictionary|namespace|oper|operator|proc|procedure|role|type)$/;

const checkKey = (table: Relation, column: string): void => {
  if (openColumn(table, column).generated) throw generatedKey(column);
  const { fit } = one<{ fit: boolean }>(
    `select coalesce((select c.collisdeterministic from pg_attribute a join pg_collation c on c.oid = a.attcollation
       where a.attrelid = $1::int8::oid and a.attname = $2), true) as fit`,
    [table.oid, column],
  );
  if (!fit) throw nondeterministicKey(column);
  const ofServer = typesUsed([table.oid], column).find((t) => t.kind === 'e' || OBJECT_TYPE.test(t.name));
  if (ofServer !== undefined) throw keyOfServer(column, displayed(ofServer));
};

/**
 * A list over whether the row is null, all of whose rows go to the default partition: it names no column, so that each may be
 * dropped or get another type. PostgreSQL takes no generated columns for it; beside those it is one column, which has to stay
 * as it is, so it is one of the primary key if there is such.
 */
const single = (table: Relation, s: Snapshot): string => {
  const stored = s.columns.filter((c) => !c.generated);
  if (stored.length > 0 && stored.length === s.columns.length) return `list ((${ident(table.name)}.* is null))`;
  const column = stored.find((c) => s.indexes.some((i) => i.primary && i.columns.includes(c.name))) ?? stored[0];
  if (column === undefined) throw noColumn(displayed(table));
  return `list ((${ident(column.name)} is null))`;
};

const moveRows = (root: Relation, old: RelationName): void => {
  if (maybeOne(`select from ${qualified(old)} limit 1`) === undefined) return;
  notice(`moving the data of ${displayed(root)}`);
  const columns = storedColumns(root.oid).map(ident).join(', ');
  const moved = run(
    `insert into ${qualified(root)} (${columns}) overriding system value select ${columns} from ${qualified(old)}`,
  );
  notice(`moved ${moved} rows`);
};

/** As it was said, but for a table that may have partitions the definition must reach them. */
const everywhere = (index: Snapshot['indexes'][number]): string =>
  index.definition.replace(/^(CREATE INDEX (?:"(?:[^"]|"")*"|[^ ]+) ON) ONLY /, '$1 ');

/** Indexes without uniqueness stay on the table too, so that it still tells what its shards have. */
const createIndexes = (s: Snapshot): void => {
  for (const index of s.indexes) {
    if (index.constraint || index.unique) continue;
    run(everywhere(index));
    comment('index', qualified(index), index.comment);
  }
  createStatistics(s);
};

const createForeignTables = (table: Relation, root: Relation, shards: readonly PlacedShard[]): void => {
  for (const s of shards) {
    const local = { schema: LOCAL_SCHEMA, name: s.name };
    const bounds = s.modulus === null ? 'default' : hashBounds(s.modulus, s.remainder as number);
    run(foreignTableDdl(local, root, bounds, s.server, s));
    if (!root.owned || table.owner !== root.owner)
      run(`alter foreign table ${qualified(local)} owner to ${ident(table.owner)}`);
  }
};

const keysFor = (oid: bigint): FoundKey[] =>
  findDistributed(oid) === undefined ? [...readKeys(oid), ...keysSetAside(oid)] : keysOf(oid);

/** Shards get foreign keys in sessions of their own, which would wait for this one where it has written to the others. */
const requireSettled = (keys: readonly FoundKey[], next: string | null): void =>
  requireUnused(
    keys.flatMap((k) => (k.referenced !== null && findDistributed(k.referenced)?.model === 's' ? [k.referenced] : [])),
    next,
  );

const spread = (table: Relation, root: Relation, keys: readonly FoundKey[], d: Distribution): void => {
  const { result: shards } = request<{ result: PlacedShard[] }>('shard.register', {
    relid: root.oid,
    column: d.column,
    model: 's',
    with: d.with,
    shardCount: d.shardCount,
    // A foreign key of the table to itself names its successor.
    keys: keys.map((k) => ({ ...k, referenced: k.referenced === table.oid ? root.oid : k.referenced })),
  });
  createForeignTables(table, root, shards);
  request('shard.attach', { relid: root.oid });
  awaitReferences(root, keys);
};

export const AWAIT_TRIGGER = 'tessera_await_references';

/** Made anew where they are needed. */
const OWN_TRIGGERS: readonly string[] = [AWAIT_TRIGGER, 'tessera_row_security'];

/** A row must not arrive at a shard before the row of a reference table it points at. */
export const awaitReferences = (root: Relation, keys: readonly FoundKey[]): void => {
  if (!keys.some((k) => k.kind === 'f' && k.referenced !== null && findDistributed(k.referenced)?.model === 't'))
    return;
  run(
    `create or replace trigger ${AWAIT_TRIGGER} before insert or update on ${qualified(root)}
     for each statement execute function _tessera_functions.await_references()`,
  );
};

/** What was said of a key, said of that which a plain table has again. */
export const commentKey = (table: RelationName, k: FoundKey): void =>
  comment(
    k.kind === 'i' ? 'index' : 'constraint',
    k.kind === 'i' ? qualified({ schema: table.schema, name: k.name }) : `${ident(k.name)} on ${qualified(table)}`,
    k.comment,
  );

/** A plain table can have its keys itself. */
const createKeys = (table: Relation, root: Relation, keys: readonly FoundKey[]): void => {
  for (const k of keys) {
    const target = k.referenced === table.oid ? root.oid : k.referenced;
    const name =
      target === null ? '' : one<{ name: string }>('select $1::int8::oid::regclass::text as name', [target]).name;
    run(
      k.kind === 'i'
        ? `create unique index ${ident(k.name)} on ${qualified(root)} ${k.definition}`
        : `alter table ${qualified(root)} add constraint ${ident(k.name)} ${k.definition.replace(' REFERENCES %s(', () => ` REFERENCES ${name}(`)}`,
    );
    commentKey(root, k);
  }
};

/**
 * Replaces a table by one that is distributed in another way, or (null) not at all, with its rows and everything that
 * hangs on it. All or nothing: shards that were made go again unless the transaction commits, those replaced go after it.
 */
const rebuild = (table: Relation, d: Distribution | null): void => {
  const whole = takeSnapshot(table);
  const ours = [...OWN_TRIGGERS, ...setAsideTriggers(table.oid).values()];
  const snapshot = { ...whole, triggers: whole.triggers.filter((t) => !ours.includes(t.name)) };
  const keys = keysFor(table.oid);
  const incoming = readIncomingKeys(table.oid);
  if (d !== null) requireSettled(keys, findDistributed(table.oid) === undefined ? distributeCall(table, d) : null);
  request('open_schema', { relid: table.oid });
  const by = d === null ? null : d.column === null ? single(table, snapshot) : `hash (${ident(d.column)})`;
  const { root, old } = replaceByRoot(table, by, snapshot);
  if (root.owner !== table.owner) run(`alter table ${qualified(root)} owner to ${ident(table.owner)}`);
  createIndexes(snapshot);
  if (d !== null) spread(table, root, keys, d);
  for (const key of incoming) setAside(root, d?.column ?? null, key);
  if (d === null) moveRows(root, old);
  else movingRows(table, d, keys, () => moveRows(root, old));
  if (d === null) createKeys(table, root, keys);
  createTriggersAndPolicies(table, snapshot);
  run('select _tessera_functions.guard_row_security($1::int8::oid), _tessera_functions.guard_table($1::int8::oid)', [
    root.oid,
  ]);
  replaceViews(snapshot);
  if (findDistributed(table.oid) !== undefined) request('shard.forget', { relid: table.oid });
  run(`drop table ${qualified(old)}`);
  createGrants(table, snapshot);
  if (d === null) giveBack(root);
};

const lockForRebuild = (oid: bigint, purpose: 'distributed table' | 'plain table'): Relation => {
  const table = lockOwn(oid);
  checkReplaceable(table, purpose);
  return table;
};

const lockOwn = (oid: bigint): Relation => {
  const seen = findRelation(oid);
  if (seen === undefined) throw relationMissing(oid);
  if (!seen.owned) throw notTableOwner(displayed(seen));
  requireReadCommitted();
  run(`lock table only ${qualified(seen)} in access exclusive mode`);
  const table = findRelation(oid);
  if (table === undefined) throw relationMissing(oid);
  return table;
};

const checkWhole = (table: Relation, d: Distribution): void => {
  checkDistributable(table, 'distributed table');
  if (d.column !== null) checkKey(table, d.column);
  checkReferenced({ oid: table.oid, name: displayed(table) }, d.column, keysFor(table.oid));
  for (const key of readIncomingKeys(table.oid)) checkIncoming(displayed(table), d.column, key);
};

/** Where a foreign key pairs the distribution columns, there is only one group that can keep it. */
const besideReferenced = (oid: bigint, d: Distribution): Distribution => {
  if (d.with !== 'default' || d.shardCount !== null) return d;
  const beside = keysFor(oid).find((k) => {
    const target = k.referenced === null ? undefined : findDistributed(k.referenced);
    if (target?.model !== 's') return false;
    return target.key === null
      ? d.column === null
      : k.columns.some((c, i) => c === d.column && k.referencedColumns[i] === target.key);
  });
  return beside === undefined ? d : { ...d, with: String(beside.referenced) };
};

/** Turns a plain table into a distributed one. */
export const distribute = (oid: bigint, d: Distribution): void => {
  const seen = findRelation(oid);
  if (seen === undefined) throw relationMissing(oid);
  if (!seen.owned) throw notTableOwner(displayed(seen));
  checkWhole(seen, d);
  inMaintenance(() => {
    const table = lockOwn(oid);
    checkWhole(table, d);
    rebuild(table, besideReferenced(oid, d));
  });
};

/** Distributes a distributed table in another way. */
export const redistribute = (oid: bigint, d: Distribution): void =>
  inMaintenance(() => {
    const table = lockForRebuild(oid, 'distributed table');
    if (d.column !== null) checkKey(table, d.column);
    checkSetAside(oid, displayed(table), d.column);
    rebuild(table, d);
  });

/** Makes a distributed table a plain one of the coordinator; a reference table is one already and loses its copies. */
export const undistribute = (oid: bigint): void =>
  inMaintenance(() => {
    if (findDistributed(oid)?.model !== 't') return rebuild(lockForRebuild(oid, 'plain table'), null);
    const table = lockOwn(oid);
    request('shard.forget', { relid: oid });
    for (const name of Object.values(CAPTURE)) run(`drop trigger if exists ${ident(name)} on ${qualified(table)}`);
  });
