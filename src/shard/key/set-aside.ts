import { one, query, run } from '../../engine/spi.ts';
import { findRelation, type Relation } from '../../hypertable/index.ts';
import { isOneClause } from '../../lib/one-clause.ts';
import { ident, identList, literal, qualified } from '../../lib/quote.ts';
import { checkForeignKey } from './check-keys.ts';
import type { FoundKey, IncomingKey } from '../definition/definition.ts';
import { findDistributed } from '../table/distributed-table.ts';
import { foreignKeyNotColocated, incomingForeignKey, keyTargetGone } from './failures.ts';
import { renameInForeignKey } from '../definition/sync-plan.ts';

/**
 * Between the call that distributes a table and the one that distributes the table that refers to it, nobody could watch
 * over a foreign key. It is kept in the argument of a trigger that refuses rows meanwhile: that goes with the table, and
 * its owner can drop it.
 */
interface SetAside {
  readonly name: string;
  readonly definition: string;
  readonly columns: readonly string[];
  readonly target: string;
  readonly referencedColumns: readonly string[];
  readonly onUpdate: string | null;
  readonly onDelete: string | null;
  readonly comment: string | null;
  /** What is to be done next, as a statement. */
  readonly next: string;
}

interface Found extends SetAside {
  readonly trigger: string;
  readonly child: bigint;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const areTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

/** Whoever may make a trigger can write the argument. */
const parse = (argument: string): SetAside | undefined => {
  try {
    const read = JSON.parse(argument) as Partial<SetAside> | null;
    const fit =
      isText(read?.name) &&
      isText(read.definition) &&
      isText(read.target) &&
      areTexts(read.columns) &&
      areTexts(read.referencedColumns);
    return fit && isForeignKey(read.definition as string) ? (read as SetAside) : undefined;
  } catch {
    return undefined;
  }
};

const isForeignKey = (definition: string): boolean =>
  /^FOREIGN KEY \(.*\) REFERENCES %s\(/.test(definition) && isOneClause(definition);

/** As it is called after its columns were renamed. */
const underItsNames = (f: SetAside, columns: readonly string[]): SetAside => {
  if (f.columns.every((c, i) => c === columns[i])) return f;
  const at = f.definition.indexOf(' REFERENCES ');
  const tail = f.columns.reduce(
    (text, was, i) => renameInForeignKey(text, was, columns[i] as string),
    f.definition.slice(f.definition.indexOf(')', at) + 1),
  );
  const middle = f.definition.slice(at, f.definition.indexOf(')', at) + 1);
  return { ...f, columns, definition: `FOREIGN KEY (${identList(columns)})${middle}${tail}` };
};

const found = (condition: string, oid: bigint): Found[] =>
  query<{ trigger: string; child: bigint; argument: string; columns: string[] }>(
    `select t.tgname::text as trigger, t.tgrelid::int8 as child,
       convert_from(substring(t.tgargs, 1, length(t.tgargs) - 1), getdatabaseencoding()) as argument,
       array(select a.attname::text from unnest(t.tgattr::int2[]) with ordinality u(n, o)
         join pg_attribute a on a.attrelid = t.tgrelid and a.attnum = u.n order by u.o) as columns
     from pg_trigger t join pg_class c on c.oid = t.tgrelid
     where t.tgfoid = '_tessera_functions.key_set_aside()'::regprocedure and t.tgnargs = 1 and ${condition} order by t.tgname`,
    [oid],
  ).flatMap(({ trigger, child, argument, columns }) => {
    const parsed = parse(argument);
    return parsed === undefined || parsed.columns.length !== columns.length
      ? []
      : [{ ...underItsNames(parsed, columns), trigger, child }];
  });

const OF_TABLE = 't.tgrelid = $1::int8::oid';

/** The triggers that stand for keys of a table, by the names of the keys. */
export const setAsideTriggers = (child: bigint): ReadonlyMap<string, string> =>
  new Map(found(OF_TABLE, child).map((f) => [f.name, f.trigger]));

/** Keys of a table that were set aside, to be given to its shards. */
export const keysSetAside = (child: bigint): FoundKey[] =>
  found(OF_TABLE, child).map((f) => {
    const { oid } = one<{ oid: bigint | null }>('select to_regclass($1)::oid::int8 as oid', [f.target]);
    if (oid === null) throw keyTargetGone(f.name, f.target, `drop trigger ${f.trigger} on ${nameOf(child)}`);
    const { name, definition, columns, referencedColumns, onUpdate, onDelete, comment } = f;
    return { name, kind: 'f', definition, columns, referenced: oid, referencedColumns, onUpdate, onDelete, comment };
  });

const nameOf = (oid: bigint): string =>
  one<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1::int8::oid`,
    [oid],
  ).name;

/** A stranger's table could claim a key to this one. */
const setAsideTo = (target: bigint): Found[] => {
  const name = nameOf(target);
  return found(`has_table_privilege(c.relowner, $1::int8::oid, 'REFERENCES')`, target).filter((f) => f.target === name);
};

/** The column of the referring table that must be its distribution column. */
const pairedColumn = (k: FoundKey, column: string | null): string | null => {
  if (column === null) return null;
  const at = k.referencedColumns.indexOf(column);
  return k.columns[at] ?? null;
};

/** Refuses keys that could not come back; reads only. The table need not be distributed yet. */
export const checkIncoming = (name: string, column: string | null, { child, key }: IncomingKey): void => {
  const relation = findRelation(child) as Relation;
  if (relation.kind !== 'r' || findDistributed(child) !== undefined)
    throw incomingForeignKey(name, key.name, qualified(relation));
  if (column !== null && pairedColumn(key, column) === null) throw foreignKeyNotColocated(key.name, name);
};

/** Puts a trigger in the place of a key that its table has lost already. */
export const setAside = (root: Relation, column: string | null, { child, key }: IncomingKey): void => {
  const paired = pairedColumn(key, column);
  const group = findDistributed(root.oid)?.group as number;
  checkForeignKey({ ...key, referenced: root.oid }, { self: child, column: paired, group, model: 's' });
  const [table, target] = [nameOf(child), nameOf(root.oid)];
  const argument: SetAside = {
    name: key.name,
    definition: key.definition,
    columns: key.columns,
    target,
    referencedColumns: key.referencedColumns,
    onUpdate: key.onUpdate,
    onDelete: key.onDelete,
    comment: key.comment,
    next: `select create_distributed_table(${literal(table)}, ${paired === null ? 'null' : literal(paired)}, colocate_with => ${literal(target)});`,
  };
  const { digest } = one<{ digest: string }>('select left(md5($1::text), 8) as digest', [key.name]);
  run(
    `create trigger ${ident(`tessera_key_set_aside_${digest}`)} before insert or update of ${key.columns.map(ident).join(', ')}
     on ${table} for each statement execute function _tessera_functions.key_set_aside(${literal(JSON.stringify(argument))})`,
  );
};

/** Gives keys back that were set aside because of a table that is a plain one again. */
export const giveBack = (root: Relation): void => {
  for (const f of setAsideTo(root.oid)) {
    const table = nameOf(f.child);
    run(
      `alter table ${table} add constraint ${ident(f.name)} ${f.definition.replace(' REFERENCES %s(', () => ` REFERENCES ${qualified(root)}(`)}`,
    );
    if (f.comment !== null) run(`comment on constraint ${ident(f.name)} on ${table} is ${literal(f.comment)}`);
    run(`drop trigger ${ident(f.trigger)} on ${table}`);
  }
};

/** A table that is distributed in another way must still be one that these keys can point at. */
export const checkSetAside = (oid: bigint, name: string, column: string | null): void => {
  for (const f of setAsideTo(oid))
    if (column !== null && !f.referencedColumns.includes(column)) throw foreignKeyNotColocated(f.name, name);
};
