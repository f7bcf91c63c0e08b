import { ident, type RelationName, qualified } from '../lib/quote.ts';
import { indexDdl, statisticsDdl, type Column, type Named, type ShardDefinition } from './shard-ddl.ts';

/** What a change of the table's definition means for a shard. */
export interface Change {
  /** Statements for one shard, given its name and how objects on it are named. */
  readonly statements: (shard: RelationName, nameOf: (name: string) => string) => string[];
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
  readonly retyped: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  readonly dropped: readonly string[];
}

const byName = <T extends { readonly name: string }>(all: readonly T[]): Map<string, T> =>
  new Map(all.map((x) => [x.name, x]));

const gone = <T extends { readonly name: string }>(before: readonly T[], after: readonly T[]): T[] => {
  const now = byName(after);
  return before.filter((b) => JSON.stringify(now.get(b.name)) !== JSON.stringify(b));
};

const columnChanges = (before: Column, after: Column): string[] => {
  const name = ident(after.name);
  return [
    ...(before.type !== after.type || before.collation !== after.collation
      ? [`alter column ${name} type ${after.type}${after.collation === null ? '' : ` collate ${after.collation}`}`]
      : []),
    ...(before.notNull === after.notNull ? [] : [`alter column ${name} ${after.notNull ? 'set' : 'drop'} not null`]),
    ...(before.generated !== null && after.generated === null ? [`alter column ${name} drop expression`] : []),
    ...(before.storage !== after.storage && after.storage !== null
      ? [`alter column ${name} set storage ${after.storage}`]
      : []),
  ];
};

const addColumn = (c: Column, fill: string | undefined): string[] => {
  const type = `${c.type}${c.collation === null ? '' : ` collate ${c.collation}`}`;
  const tail =
    c.generated === null
      ? fill === undefined
        ? ''
        : ` default ${fill}`
      : ` generated always as (${c.generated}) stored`;
  const add = `add column ${ident(c.name)} ${type}${tail}${c.notNull ? ' not null' : ''}`;
  // The default fills the rows that are there; those to come bring their value along.
  return fill === undefined || c.generated !== null ? [add] : [add, `alter column ${ident(c.name)} drop default`];
};

/**
 * Compares two states of a table. Columns are known by their numbers, so a renamed column is not taken for a dropped
 * one and a new one. defaults: expressions with which new columns are filled, by name.
 */
export const planChange = (
  before: ShardDefinition,
  after: ShardDefinition,
  defaults: Readonly<Record<string, string>>,
): Change => {
  const was = new Map(before.columns.map((c) => [c.number, c]));
  const is = new Map(after.columns.map((c) => [c.number, c]));
  const dropped = before.columns.filter((c) => !is.has(c.number));
  const kept = after.columns.flatMap((c) => {
    const old = was.get(c.number);
    return old === undefined ? [] : [{ old, now: c }];
  });
  const added = after.columns.filter((c) => !was.has(c.number));
  const lostChecks = gone(before.checks, after.checks);
  const newChecks = gone(after.checks, before.checks);
  const renamedIndexes = gone(before.indexes, after.indexes).flatMap((b) => {
    const twin = after.indexes.find(
      (a) => a.definition === b.definition && !before.indexes.some((x) => x.name === a.name),
    );
    return twin === undefined ? [] : [{ from: b, to: twin }];
  });
  const moved = new Set(renamedIndexes.flatMap((r) => [r.from.name, r.to.name]));
  const lostIndexes: Named[] = gone(before.indexes, after.indexes).filter((i) => !moved.has(i.name));
  const newIndexes: Named[] = gone(after.indexes, before.indexes).filter((i) => !moved.has(i.name));
  const lostStatistics = gone(before.statistics, after.statistics);
  const newStatistics = gone(after.statistics, before.statistics);
  const renames = kept.filter((k) => k.old.name !== k.now.name).map((k) => ({ from: k.old.name, to: k.now.name }));
  // A renamed column changes the texts of indexes and checks, which follow it on the nodes as they did here.
  const textOnly = renames.length > 0;

  const statements = (shard: RelationName, nameOf: (name: string) => string): string[] => {
    const table = qualified(shard);
    const alter = (parts: readonly string[]): string[] =>
      parts.length === 0 ? [] : [`alter table ${table} ${parts.join(', ')}`];
    const inSchema = (name: string): string => qualified({ schema: shard.schema, name: nameOf(name) });
    const isText = (all: readonly Named[], name: string): boolean => textOnly && all.some((x) => x.name === name);
    return [
      ...renames.map((r) => `alter table ${table} rename column ${ident(r.from)} to ${ident(r.to)}`),
      ...lostStatistics.map((s) => `drop statistics if exists ${inSchema(s.name)}`),
      ...lostIndexes
        .filter((i) => !isText(after.indexes, i.name))
        .map((i) => `drop index if exists ${inSchema(i.name)}`),
      ...alter([
        ...lostChecks
          .filter((c) => !isText(after.checks, c.name))
          .map((c) => `drop constraint if exists ${ident(c.name)}`),
        ...dropped.map((c) => `drop column ${ident(c.name)}`),
        ...kept.flatMap((k) => columnChanges(k.old, k.now)),
        ...added.flatMap((c) => addColumn(c, defaults[c.name]).slice(0, 1)),
        ...newChecks
          .filter((c) => !isText(before.checks, c.name))
          .map((c) => `add constraint ${ident(c.name)} ${c.definition}`),
      ]),
      ...alter(added.flatMap((c) => addColumn(c, defaults[c.name]).slice(1))),
      ...renamedIndexes.map((r) => `alter index ${inSchema(r.from.name)} rename to ${ident(nameOf(r.to.name))}`),
      ...newIndexes.filter((i) => !isText(before.indexes, i.name)).map((i) => indexDdl(shard, i, nameOf)),
      ...newStatistics.map((s) => statisticsDdl(shard, s, nameOf)),
      ...(before.replicaIdentity === after.replicaIdentity
        ? []
        : [`alter table ${table} replica identity ${after.replicaIdentity}`]),
    ];
  };
  return {
    statements,
    renamed: renames,
    retyped: kept
      .filter((k) => k.old.type !== k.now.type || k.old.collation !== k.now.collation)
      .map((k) => ({ name: k.now.name, from: k.old.type, to: k.now.type })),
    dropped: dropped.map((c) => c.name),
  };
};

/** Replaces an identifier in the text of a key; strings and names followed by a parenthesis are not columns. */
export const renameColumn = (definition: string, from: string, to: string): string =>
  definition.replaceAll(
    /'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/g,
    (token: string, at: number) => {
      const name = token.startsWith('"') ? token.slice(1, -1).replaceAll('""', '"') : token;
      if (token.startsWith("'") || name !== from || definition[at + token.length] === '(') return token;
      return ident(to);
    },
  );
