import { ident, type RelationName, qualified } from '../../lib/quote.ts';
import { sameValue } from '../../lib/canonical-json.ts';
import { addColumn, columnChanges, expressionChanged, requireEmpty, typeOf, type Fill } from './column-plan.ts';
import {
  columnSettings,
  indexDdl,
  statisticsDdl,
  type Column,
  type ShardDefinition,
  type Statistics,
} from '../table/shard-ddl.ts';
import type { Named } from '../table/type-shape.ts';

/** Statements for one shard, given its name and how objects on it are named. */
type Statements = (shard: RelationName, nameOf: (name: string) => string) => string[];

/** What a change of the table's definition means for a shard. */
export interface Change {
  readonly statements: Statements;
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
  readonly retyped: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  readonly dropped: readonly string[];
  readonly added: readonly string[];
  /** Shards are written anew: to a snapshot from before they seem to be empty. */
  readonly rewrites: boolean;
}

interface Difference<T> {
  readonly lost: readonly T[];
  readonly found: readonly T[];
  readonly renamed: readonly { readonly from: T; readonly to: T }[];
}

/** sameText: what has kept its name has not changed, whatever its text. */
const compare = <T extends { readonly name: string }>(
  before: readonly T[],
  after: readonly T[],
  sameText: boolean,
): Difference<T> => {
  const has = (all: readonly T[], x: T): boolean => all.some((y) => y.name === x.name);
  const renamed = before
    .filter((b) => !has(after, b))
    .flatMap((from) => {
      const to = after.find((a) => sameValue({ ...a, name: '' }, { ...from, name: '' }) && !has(before, a));
      return to === undefined ? [] : [{ from, to }];
    });
  const moved = renamed.flatMap((r) => [r.from, r.to]);
  const only = (these: readonly T[], those: readonly T[]): T[] =>
    these.filter((x) => !moved.includes(x) && !(sameText && has(those, x)) && !those.some((y) => sameValue(x, y)));
  return { lost: only(before, after), found: only(after, before), renamed };
};

const inSchema = (shard: RelationName, name: string): string => qualified({ schema: shard.schema, name });

const planIndexes = (
  before: readonly Named[],
  after: readonly Named[],
  sameText: boolean,
): { drop: Statements; add: Statements } => {
  const d = compare(before, after, sameText);
  return {
    drop: (shard, nameOf) => d.lost.map((i) => `drop index if exists ${inSchema(shard, nameOf(i.name))}`),
    add: (shard, nameOf) => [
      ...d.renamed.map(
        (r) => `alter index ${inSchema(shard, nameOf(r.from.name))} rename to ${ident(nameOf(r.to.name))}`,
      ),
      ...d.found.map((i) => indexDdl(shard, i, nameOf)),
    ],
  };
};

const planStatistics = (
  before: readonly Statistics[],
  after: readonly Statistics[],
  sameText: boolean,
): { drop: Statements; add: Statements } => {
  const bare = (s: Statistics): Statistics => ({ ...s, target: null });
  const d = compare(before.map(bare), after.map(bare), sameText);
  const targets = after.filter((a) => {
    const now = d.renamed.find((r) => r.to.name === a.name)?.from.name ?? a.name;
    const b = before.find((x) => x.name === now);
    return !d.found.some((f) => f.name === a.name) && b !== undefined && b.target !== a.target;
  });
  return {
    drop: (shard, nameOf) => d.lost.map((s) => `drop statistics if exists ${inSchema(shard, nameOf(s.name))}`),
    add: (shard, nameOf) => [
      ...d.renamed.map(
        (r) => `alter statistics ${inSchema(shard, nameOf(r.from.name))} rename to ${ident(nameOf(r.to.name))}`,
      ),
      ...after.filter((a) => d.found.some((f) => f.name === a.name)).map((s) => statisticsDdl(shard, s, nameOf)),
      ...targets.map((s) => `alter statistics ${inSchema(shard, nameOf(s.name))} set statistics ${s.target ?? -1}`),
    ],
  };
};

const NOT_VALID = / NOT VALID$/;

/** Parts of ALTER TABLE but for renames, which must be statements of their own. */
const planChecks = (
  before: readonly Named[],
  after: readonly Named[],
  sameText: boolean,
): { rename: string[]; drop: string[]; add: string[] } => {
  const d = compare(before, after, sameText);
  const validated = d.found.filter((f) =>
    d.lost.some((l) => l.name === f.name && l.definition.replace(NOT_VALID, '') === f.definition),
  );
  const steady = new Set(validated.map((v) => v.name));
  return {
    rename: d.renamed.map((r) => `rename constraint ${ident(r.from.name)} to ${ident(r.to.name)}`),
    drop: d.lost.filter((c) => !steady.has(c.name)).map((c) => `drop constraint if exists ${ident(c.name)}`),
    add: [
      ...d.found.filter((c) => !steady.has(c.name)).map((c) => `add constraint ${ident(c.name)} ${c.definition}`),
      ...validated.map((c) => `validate constraint ${ident(c.name)}`),
    ],
  };
};

interface Columns {
  readonly kept: readonly { readonly old: Column; readonly now: Column }[];
  readonly added: readonly Column[];
  readonly dropped: readonly Column[];
}

const compareColumns = (before: readonly Column[], after: readonly Column[]): Columns => {
  const was = new Map(before.map((c) => [c.number, c]));
  const is = new Set(after.map((c) => c.number));
  return {
    kept: after.flatMap((now) => {
      const old = was.get(now.number);
      return old === undefined ? [] : [{ old, now }];
    }),
    added: after.filter((c) => !was.has(c.number)),
    // What is generated from a column goes before it.
    dropped: before
      .filter((c) => !is.has(c.number))
      .sort((a, b) => Number(a.generated === null) - Number(b.generated === null)),
  };
};

/**
 * Compares two states of a table. Columns are known by their numbers, so a renamed column is not taken for a dropped
 * one and a new one. fills: with what new columns are filled, by name.
 */
export const planChange = (
  before: ShardDefinition,
  after: ShardDefinition,
  fills: ReadonlyMap<string, Fill>,
): Change => {
  const { kept, added, dropped } = compareColumns(before.columns, after.columns);
  const renamed = kept.filter((k) => k.old.name !== k.now.name).map((k) => ({ from: k.old.name, to: k.now.name }));
  // A renamed column changes the texts of what is made of it, which follows it on the nodes as it did here.
  const sameText = renamed.length > 0;
  const checks = planChecks(before.checks, after.checks, sameText);
  const indexes = planIndexes(before.indexes, after.indexes, sameText);
  const statistics = planStatistics(before.statistics, after.statistics, sameText);
  const filled = added.filter((c) => c.generated === null && fills.get(c.name)?.kind === 'expression');
  const retyped = kept.filter((k) => typeOf(k.old) !== typeOf(k.now));

  const statements: Statements = (shard, nameOf) => {
    const alter = (parts: readonly string[]): string[] =>
      parts.length === 0 ? [] : [`alter table ${qualified(shard)} ${parts.join(', ')}`];
    return [
      ...added.filter((c) => fills.get(c.name)?.kind === 'coordinator').map((c) => requireEmpty(shard, c.name)),
      ...renamed.flatMap((r) => alter([`rename column ${ident(r.from)} to ${ident(r.to)}`])),
      ...checks.rename.flatMap((r) => alter([r])),
      ...statistics.drop(shard, nameOf),
      ...indexes.drop(shard, nameOf),
      ...alter([
        ...checks.drop,
        ...dropped.map((c) => `drop column ${ident(c.name)}`),
        ...kept.flatMap((k) => columnChanges(k.old, k.now, sameText)),
        ...added.map((c) => addColumn(c, fills.get(c.name))),
        ...checks.add,
      ]),
      // The default has filled the rows that are there; those to come bring their value along.
      ...alter([...filled.map((c) => `alter column ${ident(c.name)} drop default`), ...added.flatMap(columnSettings)]),
      ...indexes.add(shard, nameOf),
      ...statistics.add(shard, nameOf),
      ...(before.replicaIdentity === after.replicaIdentity ? [] : alter([`replica identity ${after.replicaIdentity}`])),
    ];
  };
  return {
    statements,
    renamed,
    retyped: retyped.map((k) => ({ name: k.now.name, from: k.old.type, to: k.now.type })),
    dropped: dropped.map((c) => c.name),
    added: added.map((c) => c.name),
    rewrites:
      retyped.length > 0 ||
      added.some((c) => c.generated !== null || fills.get(c.name) !== undefined) ||
      (!sameText && kept.some((k) => expressionChanged(k.old, k.now))),
  };
};

/**
 * Replaces an identifier in the column lists of a foreign key, which are all that is in lower case or quotes there: key
 * words are in capitals.
 */
export const renameInForeignKey = (definition: string, from: string, to: string): string =>
  definition.replaceAll(/"(?:[^"]|"")*"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/g, (token: string) => {
    const quoted = token.startsWith('"');
    const name = quoted ? token.slice(1, -1).replaceAll('""', '"') : token;
    return name === from && (quoted || token === token.toLowerCase()) ? ident(to) : token;
  });
