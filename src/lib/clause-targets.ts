import { isSymbol, isWord, nameOf, tokenize, type Token } from './sql-tokens.ts';

/** A clause that PostgreSQL leaves out, or answers with no rows, where a table's partitions are foreign tables. */
export interface ClauseTarget {
  readonly clause: 'TABLESAMPLE' | 'ONLY';
  /** The table, as the statement names it. */
  readonly table: string;
}

const isName = (token: Token | undefined): boolean => nameOf(token) !== undefined;

/** A name, with those of its schema and database, that begins at a token. */
const nameFrom = (tokens: readonly Token[], at: number): string | undefined => {
  if (!isName(tokens[at])) return undefined;
  let end = at;
  while (isSymbol(tokens[end + 1], '.') && isName(tokens[end + 2])) end += 2;
  return tokens
    .slice(at, end + 1)
    .map((t) => t.text)
    .join('');
};

const beginsItem = (token: Token | undefined): boolean =>
  isWord(token, 'FROM', 'JOIN', 'USING') || isSymbol(token, ',');

/** The item of FROM that ends before TABLESAMPLE: a table, perhaps by another name and with other names of columns. */
const sampled = (tokens: readonly Token[], at: number): string | undefined => {
  const depth = tokens[at]?.depth ?? 0;
  let first = at;
  for (; first > 0; first--) {
    const before = tokens[first - 1];
    // The bracket that is open around it counts as outside.
    if (before === undefined || before.depth < depth || (before.depth === depth && beginsItem(before))) break;
  }
  if (isWord(tokens[first], 'ONLY')) first++;
  while (isSymbol(tokens[first], '(')) first++;
  return nameFrom(tokens, first);
};

/** DDL names tables with ONLY as well. */
const READS_ONLY = ['FROM', 'JOIN', 'USING', 'UPDATE', 'INTO'];
const isDdl = (tokens: readonly Token[], at: number): boolean =>
  isWord(tokens[at - 1], 'TABLE') && isWord(tokens[at - 2], 'ALTER', 'LOCK', 'TRUNCATE', 'FOREIGN');

const only = (tokens: readonly Token[], at: number): string | undefined => {
  const before = tokens[at - 1];
  const reads =
    isWord(before, ...READS_ONLY) ||
    isSymbol(before, ',') ||
    isSymbol(before, '(') ||
    (isWord(before, 'TABLE') && !isDdl(tokens, at));
  return reads ? nameFrom(tokens, isSymbol(tokens[at + 1], '(') ? at + 2 : at + 1) : undefined;
};

/** Tables that a text samples or reads by themselves; what stands in strings, comments and quotes does not count. */
export const clauseTargets = (text: string): ClauseTarget[] => {
  const tokens = tokenize(text);
  return tokens.flatMap((token, i): ClauseTarget[] => {
    const clause = isWord(token, 'TABLESAMPLE') ? 'TABLESAMPLE' : isWord(token, 'ONLY') ? 'ONLY' : undefined;
    if (clause === undefined) return [];
    const table = clause === 'ONLY' ? only(tokens, i) : sampled(tokens, i);
    return table === undefined ? [] : [{ clause, table }];
  });
};
