import { isCopy, origin, ownerServer, primaryOfGroup, queueCommand, withNode, type Node } from '../cluster/index.ts';
import { isBeingRestored } from './adopt.ts';
import { query, run } from '../engine/spi.ts';
import { findRelation } from '../hypertable/index.ts';
import { canonicalJson } from '../lib/canonical-json.ts';
import { PgError } from '../lib/pg-error.ts';
import { displayed, ident, qualified } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { checkForeignKey } from './check-keys.ts';
import { keysOf, readDefinition, readKeys, type FoundKey } from './definition.ts';
import {
  distributedTables,
  findDistributed,
  shardsOf,
  type DistributedTable,
  type Shard,
} from './distributed-table.ts';
import { groupBusy } from './failures.ts';
import { tryLockGroup } from './locks.ts';
import { madeOn, nameIn, referencedShard } from './make-shards.ts';
import { queueReferenceChanges } from './reference-changes.ts';
import { insertKey } from './register.ts';
import { foreignKeyDdl, keyDdl } from './shard-ddl.ts';
import { planChange, renameColumn, type Change } from './sync-plan.ts';
import { ensureTypes } from './types-on-nodes.ts';

const refuse = (message: string, detail: string, hint?: string): PgError =>
  new PgError({ sqlstate: SQLSTATE.featureNotSupported, message, detail, hint });

const defaultsOf = (relid: bigint): Record<string, string> =>
  Object.fromEntries(
    query<{ name: string; expr: string }>(
      `select a.attname as name, pg_get_expr(d.adbin, d.adrelid) as expr from pg_attribute a
       join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
       where a.attrelid = $1::int8::oid and a.attgenerated = '' and not a.attisdropped`,
      [relid],
    ).map((r) => [r.name, r.expr]),
  );

/** Columns keys are made of must stay, and the text of keys follows renamed ones. */
const followKeys = (t: DistributedTable, change: Change): void => {
  for (const k of keysOf(t.relid)) {
    const lost = k.columns.find((c) => change.dropped.includes(c));
    if (lost !== undefined && k.columns.length > 0)
      run('delete from _tessera_catalog.pg_dist_key where logicalrelid::oid = $1::int8::oid and name = $2', [
        t.relid,
        k.name,
      ]);
  }
  for (const r of change.renamed) {
    run(
      'update _tessera_catalog.pg_dist_partition set partkey = $2 where logicalrelid::oid = $1::int8::oid and partkey = $3',
      [t.relid, r.to, r.from],
    );
    for (const k of keysOf(t.relid)) {
      // The columns of the other table, in a foreign key, come after the %s.
      const [own, ...other] = k.definition.split(' REFERENCES %s(');
      run(
        `update _tessera_catalog.pg_dist_key set definition = $3, columns = array_replace(columns, $4::name, $5::name)
         where logicalrelid::oid = $1::int8::oid and name = $2`,
        [t.relid, k.name, [renameColumn(own as string, r.from, r.to), ...other].join(' REFERENCES %s('), r.from, r.to],
      );
    }
    for (const k of query<{ relid: bigint; name: string; definition: string }>(
      `select logicalrelid::oid::int8 as relid, name, definition from _tessera_catalog.pg_dist_key where referenced::oid = $1::int8::oid`,
      [t.relid],
    )) {
      const [own, other] = k.definition.split(' REFERENCES %s(') as [string, string];
      run(
        `update _tessera_catalog.pg_dist_key set definition = $3, referenced_columns = array_replace(referenced_columns, $4::name, $5::name)
         where logicalrelid::oid = $1::int8::oid and name = $2`,
        [k.relid, k.name, `${own} REFERENCES %s(${renameColumn(other, r.from, r.to)}`, r.from, r.to],
      );
    }
  }
};

const checkShape = (t: DistributedTable, name: string): void => {
  const [stray] = query<{ name: string }>(
    `select i.inhrelid::regclass::text as name from pg_inherits i where i.inhparent = $1::int8::oid
       and not exists (select from _tessera_catalog.pg_dist_shard s where s.local_relid = i.inhrelid)
     union all
     select s.local_relid::text from _tessera_catalog.pg_dist_shard s where s.logicalrelid::oid = $1::int8::oid and s.local_relid is not null
       and not exists (select from pg_inherits i where i.inhrelid = s.local_relid and i.inhparent = s.logicalrelid) limit 1`,
    [t.relid],
  );
  if (stray !== undefined && t.model === 's')
    throw refuse(
      `partitions of distributed table "${name}" cannot be attached or detached`,
      `Partition "${stray.name}" was.`,
    );
  const [owner] = query(
    `select from pg_class c join _tessera_catalog.pg_dist_partition p on p.logicalrelid = c.oid
     where c.oid = $1::int8::oid and p.owner::oid <> c.relowner`,
    [t.relid],
  );
  if (owner !== undefined)
    throw refuse(
      `the owner of distributed table "${name}" cannot be changed`,
      'Its shards belong to roles made for the owner.',
      `Run undistribute_table('${name}') first, and distribute it again afterwards.`,
    );
};

interface KeyChanges {
  readonly lost: readonly FoundKey[];
  readonly found: readonly FoundKey[];
  readonly drop: (shard: Shard) => string[];
  readonly add: (shard: Shard) => string[];
}
const NO_KEY_CHANGES: KeyChanges = { lost: [], found: [], drop: () => [], add: () => [] };

/** A reference table has its keys itself, so ALTER TABLE can change them. */
const keyChanges = (relid: bigint): KeyChanges => {
  const text = (k: FoundKey): string => `${k.name} ${k.kind} ${k.definition}`;
  const [before, after] = [keysOf(relid), readKeys(relid)];
  const lost = before.filter((b) => !after.some((a) => text(a) === text(b)));
  const found = after.filter((a) => !before.some((b) => text(a) === text(b)));
  if (lost.length === 0 && found.length === 0) return NO_KEY_CHANGES;
  for (const k of found) checkForeignKey(k, { self: relid, column: null, group: groupOf(relid), model: 't' });
  return {
    lost,
    found,
    drop: (s) =>
      lost.map((k) =>
        k.kind === 'i'
          ? `drop index if exists ${qualified({ schema: s.schema, name: nameIn(s)(k.name) })}`
          : `alter table ${qualified(s)} drop constraint if exists ${ident(k.kind === 'f' ? k.name : nameIn(s)(k.name))} cascade`,
      ),
    add: (s) =>
      found.map((k) => (k.kind === 'f' ? foreignKeyDdl(s, k, referencedShard(s, k), true) : keyDdl(s, k, nameIn(s)))),
  };
};

const groupOf = (relid: bigint): number => findDistributed(relid)?.group ?? 0;

const recordKeys = (relid: bigint, keys: KeyChanges): void => {
  for (const k of keys.lost)
    run('delete from _tessera_catalog.pg_dist_key where logicalrelid::oid = $1::int8::oid and name = $2', [
      relid,
      k.name,
    ]);
  for (const k of keys.found)
    insertKey(relid, { ...k, referenced: k.referenced === null ? null : String(k.referenced) });
};

/** Has the shards follow what was done to their table; runs on the nodes when this transaction commits. */
export const syncTable = (relid: bigint, statement: string): void => {
  const t = findDistributed(relid);
  const root = findRelation(relid);
  if (t === undefined || root === undefined) return;
  const after = readDefinition(relid);
  if (isCopy()) {
    if (isBeingRestored(after, t.definition)) return;
    origin();
  }
  checkShape(t, displayed(root));
  const keys = t.model === 't' ? keyChanges(relid) : NO_KEY_CHANGES;
  if (canonicalJson(after) === canonicalJson(t.definition) && keys === NO_KEY_CHANGES) return;
  const change = planChange(t.definition, after, defaultsOf(relid));
  if (change.retyped.length > 0 && /\busing\b/i.test(statement))
    throw refuse(
      `the type of column "${change.retyped[0]?.name}" cannot be changed with USING`,
      'Shards would need the expression, which is not known here.',
    );
  // A move copies the shape it found; it would miss this one.
  if (!tryLockGroup(t.group)) throw groupBusy(displayed(root));
  // What was written before goes first, in the shape it had.
  if (t.model === 't') queueReferenceChanges();
  const shards = shardsOf(relid);
  for (const group of new Set(shards.flatMap((s) => madeOn(t, s.groups)))) {
    const node = primaryOfGroup(group) as Node;
    withNode(node, (remote) => ensureTypes(remote, relid));
    const commands = shards
      .filter((s) => s.groups.includes(group))
      .flatMap((s) => [...keys.drop(s), ...change.statements(s, nameIn(s)), ...keys.add(s)]);
    if (commands.length > 0) queueCommand(node, ownerServer(node, root.owner), commands.join(';\n'));
  }
  run(
    'update _tessera_catalog.pg_dist_partition set definition = $2::text::jsonb where logicalrelid::oid = $1::int8::oid',
    [relid, JSON.stringify(after)],
  );
  if (t.model === 's') followKeys(t, change);
  else recordKeys(relid, keys);
};

/** For DROP INDEX and DROP STATISTICS, which no longer say whose they were. */
export const syncAll = (statement: string): void => {
  for (const t of distributedTables()) syncTable(t.relid, statement);
};
