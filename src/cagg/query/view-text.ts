import { badViewText } from '../../lib/failures.ts';
import { ident } from '../../lib/quote.ts';
import { splitList } from '../../lib/sql-clauses.ts';
import { closing, isSymbol, nameOf, tokenize } from '../../lib/sql-tokens.ts';
import { clauses } from '../../lib/view-text.ts';

/** Appends a column to the select list. */
export const addTarget = (text: string, expression: string, alias: string): string => {
  const { end } = clauses(text).select;
  return `${text.slice(0, end)},\n    ${expression} AS ${ident(alias)}${text.slice(end)}`;
};

/** An argument of a call as text; a name only where the call gives it one. */
export interface CallArgument {
  readonly name: string | null;
  readonly text: string;
}

const callArgument = (text: string): CallArgument => {
  const [first, arrow] = tokenize(text);
  const name = isSymbol(arrow, '=>') ? nameOf(first) : undefined;
  if (name === undefined || arrow === undefined) return { name: null, text };
  return { name, text: text.slice(arrow.end).trim() };
};

/** The arguments, if the item is a call of time_bucket, maybe in parentheses, and nothing else. */
export const bucketCall = (item: string, schema: string): CallArgument[] | undefined => {
  let tokens = tokenize(item);
  while (isSymbol(tokens[0], '(') && closing(tokens, 0) === tokens.length - 1) tokens = tokens.slice(1, -1);
  const [first, dot, name, open] = tokens;
  if (nameOf(first) !== schema || !isSymbol(dot, '.') || nameOf(name) !== 'time_bucket') return undefined;
  const last = tokens.at(-1);
  if (open === undefined || last === undefined || !isSymbol(open, '(')) return undefined;
  if (closing(tokens, 3) !== tokens.length - 1) return undefined;
  return splitList(item.slice(open.end, last.start)).map(callArgument);
};

/** The arguments by what they are for, as SQL expressions. */
export interface BucketTexts {
  readonly width: string;
  readonly ts: string;
  readonly timezone: string | null;
  readonly origin: string | null;
  readonly offset: string | null;
}

/** Of a function; all its arguments have names. */
export interface Signature {
  readonly names: readonly string[];
}

const nameAt = (argument: CallArgument, position: number, called: Signature): string | undefined =>
  argument.name ?? called.names[position];

/** What a third argument is, the argument names of the overload that is called tell. */
export const bucketArguments = (args: readonly CallArgument[], called: Signature): BucketTexts => {
  const texts = new Map(args.map((a, i) => [nameAt(a, i, called), a.text]));
  const width = texts.get('bucket_width');
  const ts = texts.get('ts');
  if (width === undefined || ts === undefined) throw badViewText('bucket_width and ts in a call of time_bucket');
  const optional = (name: string): string | null => texts.get(name) ?? null;
  return { width, ts, timezone: optional('timezone'), origin: optional('origin'), offset: optional('offset') };
};

/** The same call with another time. */
export const bucketCallOf = (schema: string, args: readonly CallArgument[], called: Signature, ts: string): string => {
  const texts = args.map((a, i) => {
    const text = nameAt(a, i, called) === 'ts' ? ts : a.text;
    return a.name === null ? text : `${ident(a.name)} => ${text}`;
  });
  return `${ident(schema)}.time_bucket(${texts.join(', ')})`;
};
