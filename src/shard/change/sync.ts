import {
  awaitPending,
  isCopy,
  origin,
  ownerServer,
  primaryOfGroup,
  queueCommand,
  remoteRole,
  requireUnused,
  withNode,
  type Node,
} from '../../cluster/index.ts';
import { isBeingRestored } from '../distribute/adopt.ts';
import { withSettings } from '../../engine/session.ts';
import { one, query, run } from '../../engine/spi.ts';
import { findRelation, type Relation } from '../../hypertable/index.ts';
import { displayed, ident, literal, qualified } from '../../lib/quote.ts';
import { sameValue } from '../../lib/canonical-json.ts';
import { checkForeignKey } from '../key/check-keys.ts';
import { checkShape } from '../distribute/check-shape.ts';
import { fillOf, type Clock, type Fill } from '../definition/column-plan.ts';
import { inPlainText, keysOf, readDefinition, readKeys, type FoundKey } from '../definition/definition.ts';
import {
  distributedTables,
  findDistributed,
  shardsOf,
  type DistributedTable,
  type Shard,
} from '../table/distributed-table.ts';
import { schemaOfShards, usingNotKnown } from './failures.ts';
import { groupBusy } from '../table/failures.ts';
import { followKeys } from '../key/follow-keys.ts';
import { lockGroup } from '../table/locks.ts';
import { madeOn, nameIn, referencedShard } from '../definition/make-shards.ts';
import { queueReferenceChanges } from '../distribute/reference-changes.ts';
import { insertKey } from '../distribute/register.ts';
import { foreignKeyDdl, keyDdl, type ShardDefinition } from '../table/shard-ddl.ts';
import { planChange, type Change } from '../definition/sync-plan.ts';
import { withoutNumbers } from '../definition/type-plan.ts';
import { besideOthers, ensureTypes } from '../definition/types-on-nodes.ts';
import { extensionsUsed } from '../definition/types-used.ts';

/** With what new columns are filled; where the clock comes in, nodes must not read their own. */
const fillsOf = (relid: bigint): Map<string, Fill> => {
  const clock = withSettings({ datestyle: 'ISO' }, () =>
    one<Clock>(
      `select now()::text as timestamptz, localtimestamp::text as timestamp, current_date::text as date, localtime::text as time,
         current_time::text as timetz, session_user::text as user`,
    ),
  );
  const found = inPlainText(() =>
    query<{ name: string; expression: string | null; identity: boolean }>(
      `select a.attname as name, pg_get_expr(d.adbin, d.adrelid) as expression, a.attidentity <> '' as identity from pg_attribute a
       left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
       where a.attrelid = $1::int8::oid and a.attgenerated = '' and not a.attisdropped and (d.adnum is not null or a.attidentity <> '')`,
      [relid],
    ),
  );
  return new Map(found.map((f) => [f.name, fillOf(f.expression, f.identity, clock)]));
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

const queueChange = (t: DistributedTable, root: Relation, change: Change, keys: KeyChanges): void => {
  // What was written before goes first, in the shape it had.
  if (t.model === 't') queueReferenceChanges();
  const shards = shardsOf(t.relid);
  const needsMore = change.added.length + change.retyped.length > 0 || extensionsUsed(t.relid).length > 0;
  for (const group of new Set(shards.flatMap((s) => madeOn(t, s.groups)))) {
    const node = primaryOfGroup(group) as Node;
    if (needsMore)
      besideOthers(() => withNode(node, (remote) => ensureTypes(node, remote, t.relid, remoteRole(root.owner))));
    const commands = shards
      .filter((s) => s.groups.includes(group))
      .flatMap((s) => [...keys.drop(s), ...change.statements(s, nameIn(s)), ...keys.add(s)]);
    if (commands.length > 0)
      queueCommand(
        node,
        ownerServer(node, root.owner),
        [`set local timezone to ${literal(zone())}`, ...commands].join(';\n'),
        ...(t.model === 's' ? [{ relid: t.relid, rewrites: change.rewrites }] : []),
      );
  }
};

/** Defaults of new columns mean the zone of whoever adds them. */
const zone = (): string => one<{ zone: string }>(`select current_setting('timezone') as zone`).zone;

/** Has the shards follow what was done to their table; runs on the nodes when this transaction commits. */
export const syncTable = (relid: bigint, statement: string): void => {
  const seen = findDistributed(relid);
  const root = findRelation(relid);
  if (seen === undefined || root === undefined) return;
  const now = readDefinition(relid);
  if (isCopy()) {
    if (isBeingRestored(now, seen.definition)) return;
    origin();
  }
  checkShape(seen, displayed(root));
  const known = seen.model === 't' ? keyChanges(relid) : NO_KEY_CHANGES;
  if (sameValue(now, seen.definition) && known === NO_KEY_CHANGES) return;
  // A move copies the shape it found; it would miss this one.
  if (!lockGroup(seen.group)) throw groupBusy(displayed(root));
  followTable(relid, root, statement);
};

/** What others have changed of the table meanwhile is in the catalog now, and after this on its nodes. */
const followTable = (relid: bigint, root: Relation, statement: string): void => {
  const t = findDistributed(relid);
  if (t === undefined) return;
  awaitPending(shardsOf(relid).flatMap((s) => madeOn(t, s.groups).map((g) => (primaryOfGroup(g) as Node).id)));
  const after = readDefinition(relid);
  const keys = t.model === 't' ? keyChanges(relid) : NO_KEY_CHANGES;
  const change = planChange(t.definition, after, fillsOf(relid));
  const [retyped] = change.retyped;
  // PostgreSQL itself refuses USING where there are foreign tables.
  if (retyped !== undefined && t.model === 't' && /\busing\b/i.test(statement)) throw usingNotKnown(retyped.name);
  if (t.model === 's') requireUnused([relid]);
  queueChange(t, root, change, keys);
  run(
    'update _tessera_catalog.pg_dist_partition set definition = $2::text::jsonb where logicalrelid::oid = $1::int8::oid',
    [relid, JSON.stringify(after)],
  );
  if (t.model === 's') followKeys(t, after, change);
  else recordKeys(relid, keys);
};

/** For changes that do not say whose they are. */
export const syncAll = (statement: string): void => {
  for (const t of distributedTables()) syncTable(t.relid, statement);
};

/** After a schema was renamed: what shards know by their schema would have to be renamed on the nodes. */
export const refuseRenamedSchema = (): void => {
  for (const t of distributedTables()) {
    const bare = (d: ShardDefinition): unknown => ({ ...d, types: withoutNumbers(d.types) });
    if (!sameValue(bare(readDefinition(t.relid)), bare(t.definition)))
      throw schemaOfShards(displayed(findRelation(t.relid) as Relation));
  }
};
