import { closing, isSymbol, isWord, nameOf, splitTokens, statements, type Token } from '../lib/sql-tokens.ts';

export interface Option {
  /** Whether it is one of TimescaleDB's. */
  readonly foreign: boolean;
  /** In lower case. */
  readonly name: string;
  /** What it is set to, strings without their quotes; true where nothing is said. */
  readonly value: string;
  /** As it was written. */
  readonly text: string;
}

/** A statement that has options of TimescaleDB. */
export interface ForeignStatement {
  /** As event triggers name it. */
  readonly tag: string;
  readonly tokens: readonly Token[];
  /** What the client sent; offsets of tokens are of this. */
  readonly sent: string;
  /** SET, RESET or WITH before the options. */
  readonly keyword: number;
  /** The parenthesis behind them. */
  readonly end: number;
  readonly options: readonly Option[];
}

const NAMESPACES = ['TIMESCALEDB', 'TSDB'];

/** The content of a string; undefined for one with escapes, which nobody needs here. */
const unquoted = (text: string): string | undefined => {
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
  return text.startsWith('$') ? text.replace(/^(\$[^$]*\$)([\s\S]*)\1$/, '$2') : undefined;
};

const readOption = (sent: string, tokens: readonly Token[]): Option | undefined => {
  const [first, dot] = tokens;
  const last = tokens.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const foreign = isWord(first, ...NAMESPACES) && isSymbol(dot, '.');
  const at = isSymbol(dot, '.') ? 2 : 0;
  const name = nameOf(tokens[at])?.toLowerCase();
  if (name === undefined) return undefined;
  const text = sent.slice(first.start, last.end);
  const value = tokens.slice(at + 2);
  const [only] = value;
  if (only === undefined) return { foreign, name, value: 'true', text };
  const string = value.length === 1 && only.kind === 'string' ? unquoted(only.text) : undefined;
  return { foreign, name, value: string ?? sent.slice(only.start, last.end), text };
};

/** The kind of a statement, for those that options are given in. */
const tagOf = (tokens: readonly Token[]): string | undefined => {
  if (isWord(tokens[0], 'ALTER')) {
    if (isWord(tokens[1], 'TABLE')) return 'ALTER TABLE';
    if (isWord(tokens[1], 'VIEW')) return 'ALTER VIEW';
    return isWord(tokens[1], 'MATERIALIZED') ? 'ALTER MATERIALIZED VIEW' : undefined;
  }
  if (!isWord(tokens[0], 'CREATE')) return undefined;
  const kind = tokens.slice(1, 5).findIndex((t) => isWord(t, 'TABLE', 'VIEW', 'INDEX')) + 1;
  if (kind === 0) return undefined;
  if (isWord(tokens[kind - 1], 'MATERIALIZED')) return 'CREATE MATERIALIZED VIEW';
  return `CREATE ${tokens[kind]?.text.toUpperCase()}`;
};

const foreignStatement = (sent: string, tokens: readonly Token[]): ForeignStatement | undefined => {
  const tag = tagOf(tokens);
  if (tag === undefined) return undefined;
  for (let i = 0; i < tokens.length; i++) {
    const [token, open] = [tokens[i], tokens[i + 1]];
    if (token?.depth !== 0 || !isWord(token, 'SET', 'RESET', 'WITH') || !isSymbol(open, '(')) continue;
    const end = closing(tokens, i + 1);
    const options = splitTokens(tokens.slice(i + 2, end)).map((o) => readOption(sent, o));
    const known = options.flatMap((o) => o ?? []);
    if (known.some((o) => o.foreign) && known.length === options.length)
      return { tag, tokens, sent, keyword: i, end, options: known };
  }
  return undefined;
};

const TRANSACTIONS = ['BEGIN', 'START', 'COMMIT', 'END', 'ROLLBACK', 'ABORT'];

/**
 * The first statement of a kind with options of TimescaleDB. That it fails is certain, so others of its kind before it, in the same
 * transaction, come to nothing as well: the error may be raised when they begin. Not so where the transaction ends in between.
 */
export const findForeign = (sent: string, tag: string): ForeignStatement | undefined => {
  let kind = false;
  let transactions = false;
  for (const tokens of statements(sent)) {
    const found = foreignStatement(sent, tokens);
    if (found?.tag === tag) return kind && transactions ? undefined : found;
    kind ||= tagOf(tokens) === tag;
    transactions ||= isWord(tokens[0], ...TRANSACTIONS);
  }
  return undefined;
};

/** Tokens as they were written. */
export const written = (sent: string, tokens: readonly Token[]): string => {
  const [first, last] = [tokens[0], tokens.at(-1)];
  return first === undefined || last === undefined ? '' : sent.slice(first.start, last.end);
};

export interface Named {
  /** With its schema, as it was written. */
  readonly name: string;
  /** The token behind it. */
  readonly next: number;
}

/** The name of a relation. */
export const readName = ({ sent, tokens }: ForeignStatement, at: number): Named => {
  let next = at + 1;
  while (isSymbol(tokens[next], '.')) next += 2;
  return { name: written(sent, tokens.slice(at, next)), next };
};

/** Skips the words, where all of them are there. */
export const skip = (tokens: readonly Token[], at: number, ...words: readonly string[]): number =>
  words.every((word, i) => isWord(tokens[at + i], word)) ? at + words.length : at;
