import { ident, literal, type RelationName, qualified } from '../../lib/quote.ts';
import { setCompression, type Column } from '../table/shard-ddl.ts';

/** With what a new column is filled in rows that are there: a node can evaluate it, or only the coordinator could. */
export type Fill = { readonly kind: 'expression'; readonly text: string } | { readonly kind: 'coordinator' };

export const typeOf = (c: Column): string => `${c.type}${c.collation === null ? '' : ` collate ${c.collation}`}`;

const optionChanges = (before: Column, after: Column): string[] => {
  const nameOf = (option: string): string => option.slice(0, option.indexOf('='));
  const lost = before.options.map(nameOf).filter((n) => !after.options.map(nameOf).includes(n));
  const set = after.options.filter((o) => !before.options.includes(o));
  return [
    ...(lost.length === 0 ? [] : [`alter column ${ident(after.name)} reset (${lost.join(', ')})`]),
    ...(set.length === 0 ? [] : [`alter column ${ident(after.name)} set (${set.join(', ')})`]),
  ];
};

export const expressionChanged = (before: Column, after: Column): boolean =>
  before.generated !== null && after.generated !== null && before.generated !== after.generated;

/** sameText: the text of expressions has changed only because something was renamed. */
export const columnChanges = (before: Column, after: Column, sameText: boolean): string[] => {
  const column = `alter column ${ident(after.name)}`;
  const retyped = typeOf(before) !== typeOf(after);
  return [
    ...(retyped ? [`${column} type ${typeOf(after)}`] : []),
    ...(before.notNull === after.notNull ? [] : [`${column} ${after.notNull ? 'set' : 'drop'} not null`]),
    ...(before.generated !== null && after.generated === null ? [`${column} drop expression`] : []),
    ...(expressionChanged(before, after) && !sameText ? [`${column} set expression as (${after.generated})`] : []),
    // A new type brings its own.
    ...(before.storage === after.storage || (retyped && after.storage === after.usualStorage)
      ? []
      : [`${column} set storage ${after.storage}`]),
    ...(before.compression === after.compression ? [] : [setCompression(after)]),
    ...(before.target === after.target ? [] : [`${column} set statistics ${after.target ?? -1}`]),
    ...optionChanges(before, after),
  ];
};

export const addColumn = (c: Column, fill: Fill | undefined): string => {
  const tail =
    c.generated !== null
      ? ` generated always as (${c.generated}) stored`
      : fill?.kind === 'expression'
        ? ` default ${fill.text}`
        : '';
  return `add column ${ident(c.name)} ${typeOf(c)}${tail}${c.notNull ? ' not null' : ''}`;
};

/** Refuses rows for which the coordinator would have to think of a value each. */
export const requireEmpty = (shard: RelationName, column: string): string =>
  `do ${literal(`begin
  if exists (select from ${qualified(shard)}) then
    raise exception using errcode = '0A000',
      message = ${literal(`column "${column}" cannot be added to a distributed table that has rows`)},
      detail = 'Only the coordinator can evaluate its default.',
      hint = 'Add the column without a default, set the default, commit, and update the rows.';
  end if;
end`)}`;

export interface Clock {
  readonly timestamptz: string;
  readonly timestamp: string;
  readonly date: string;
  readonly time: string;
  readonly timetz: string;
  readonly user: string;
}

const CLOCK: Readonly<Record<string, keyof Clock>> = {
  'now()': 'timestamptz',
  'transaction_timestamp()': 'timestamptz',
  'statement_timestamp()': 'timestamptz',
  CURRENT_TIMESTAMP: 'timestamptz',
  LOCALTIMESTAMP: 'timestamp',
  CURRENT_DATE: 'date',
  CURRENT_TIME: 'timetz',
  LOCALTIME: 'time',
  CURRENT_USER: 'user',
  CURRENT_ROLE: 'user',
  SESSION_USER: 'user',
  USER: 'user',
};

/** What is one value for a whole statement must be the same one on all nodes. */
export const freezeClock = (expression: string, clock: Clock): string =>
  expression.replaceAll(
    /'(?:[^']|'')*'|"(?:[^"]|"")*"|\b(?:now|transaction_timestamp|statement_timestamp)\(\)|\b(CURRENT_TIMESTAMP|LOCALTIMESTAMP|CURRENT_DATE|CURRENT_TIME|LOCALTIME|CURRENT_USER|CURRENT_ROLE|SESSION_USER|USER)\b(\(\d\))?/g,
    (token: string, word: string | undefined, precision: string | undefined) => {
      const what = CLOCK[word ?? token];
      if (what === undefined) return token;
      return `${literal(clock[what])}::pg_catalog.${what === 'user' ? 'name' : what}${precision ?? ''}`;
    },
  );

const SEQUENCE = /\b(nextval|currval|lastval|setval)\(/;

/** identity: the column has no expression but numbers of its own. */
export const fillOf = (expression: string | null, identity: boolean, clock: Clock): Fill =>
  identity || expression === null || SEQUENCE.test(expression)
    ? { kind: 'coordinator' }
    : { kind: 'expression', text: freezeClock(expression, clock) };
