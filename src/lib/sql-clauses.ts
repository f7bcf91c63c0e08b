import { isSymbol, isWord, tokenize, type Token } from './sql-tokens.ts';

export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** Where the clauses of a SELECT stand, without their keywords; `rest` is ORDER BY and what follows, with it. */
export interface Clauses {
  readonly select: TextRange;
  readonly from?: TextRange;
  readonly where?: TextRange;
  readonly groupBy?: TextRange;
  readonly having?: TextRange;
  readonly rest?: TextRange;
}

const REST = ['WINDOW', 'LIMIT', 'OFFSET', 'FETCH', 'FOR', 'UNION', 'INTERSECT', 'EXCEPT'];

/** A clause, and how many tokens its keyword has. */
type ClauseStart = readonly [keyof Clauses, number];

/** The clause that starts at a token outside of brackets. */
const clauseAt = (tokens: readonly Token[], at: number): ClauseStart | undefined => {
  const [before, token, after] = [tokens[at - 1], tokens[at], tokens[at + 1]];
  if (token?.kind !== 'word' || isSymbol(before, '.') || isWord(before, 'AS')) return undefined;
  switch (token.text.toUpperCase()) {
    case 'FROM': // but not that of IS DISTINCT FROM
      return isWord(before, 'DISTINCT') ? undefined : ['from', 1];
    case 'WHERE':
      return ['where', 1];
    case 'GROUP': // but not that of WITHIN GROUP (...)
      return isWord(after, 'BY') ? ['groupBy', 2] : undefined;
    case 'HAVING':
      return ['having', 1];
    case 'ORDER':
      return isWord(after, 'BY') ? ['rest', 0] : undefined;
    default:
      return isWord(token, ...REST) ? ['rest', 0] : undefined;
  }
};

/** The clauses of a plain SELECT; undefined for anything else. */
export const selectClauses = (text: string): Clauses | undefined => {
  const tokens = tokenize(text);
  if (!isWord(tokens[0], 'SELECT')) return undefined;
  const found: { -readonly [K in keyof Clauses]: TextRange } = { select: { start: 0, end: 0 } };
  let clause: keyof Clauses = 'select';
  let first = 1;
  const close = (until: number): void => {
    const [from, to] = [tokens[first], tokens[until - 1]];
    const empty = tokens[first - 1]?.end ?? 0;
    found[clause] =
      from === undefined || to === undefined || until <= first
        ? { start: empty, end: empty }
        : { start: from.start, end: to.end };
  };
  let end = tokens.length;
  for (let i = 1; i < tokens.length; i++) {
    if (tokens[i]?.depth !== 0) continue;
    if (isSymbol(tokens[i], ';')) {
      end = i;
      break;
    }
    const next: ClauseStart | undefined = clause === 'rest' ? undefined : clauseAt(tokens, i);
    if (next === undefined) continue;
    close(i);
    [clause, first] = [next[0], i + next[1]];
  }
  close(end);
  return found;
};

/** What stands between the commas outside of all brackets. */
export const splitList = (text: string): string[] => {
  const commas = tokenize(text).filter((t) => t.depth === 0 && isSymbol(t, ','));
  const starts = [0, ...commas.map((c) => c.end)];
  const ends = [...commas.map((c) => c.start), text.length];
  return starts.map((start, i) => text.slice(start, ends[i]).trim());
};
