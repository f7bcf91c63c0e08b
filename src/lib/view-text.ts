import type { RelationName } from './quote.ts';
import { badViewText } from './failures.ts';
import { selectClauses, splitList, type Clauses } from './sql-clauses.ts';
import { closing, isSymbol, isWord, nameOf, tokenize, type Token } from './sql-tokens.ts';

/** The clauses of a plain SELECT as pg_get_viewdef() prints it. */
export const clauses = (text: string): Clauses => {
  const found = selectClauses(text);
  if (found === undefined) throw badViewText('SELECT');
  return found;
};

/** Whether a text that someone typed has anything but spaces and comments after its first semicolon. */
export const hasSeveralStatements = (text: string): boolean => {
  const tokens = tokenize(text);
  const semicolon = tokens.findIndex((t) => isSymbol(t, ';'));
  return semicolon >= 0 && semicolon < tokens.length - 1;
};

/** The text without a semicolon at its end. It may end in a comment: what is appended goes on a new line. */
export const withoutSemicolon = (text: string): string => {
  const last = tokenize(text).at(-1);
  return (isSymbol(last, ';') && last !== undefined ? text.slice(0, last.start) : text).trim();
};

// What may follow a relation and is no alias: PostgreSQL quotes these words when they are names.
const AFTER_RELATION = [
  'JOIN',
  'LEFT',
  'RIGHT',
  'FULL',
  'INNER',
  'CROSS',
  'NATURAL',
  'ON',
  'USING',
  'TABLESAMPLE',
  'WHERE',
  'GROUP',
];

const hasAlias = (token: Token | undefined): boolean =>
  token !== undefined && (token.kind === 'quoted' || (token.kind === 'word' && !isWord(token, ...AFTER_RELATION)));

interface FoundRelation {
  /** Parts of the name, the relation's own last. */
  readonly parts: readonly Token[];
  readonly next: Token | undefined;
}

/** The relations of a FROM clause, those in parenthesised joins included and those in subqueries not. */
const relationsIn = (tokens: readonly Token[]): FoundRelation[] => {
  const found: FoundRelation[] = [];
  let expected = true;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (isSymbol(token, '(')) {
      const query = isWord(tokens[i + 1], 'SELECT', 'WITH', 'VALUES');
      if (!expected || query) {
        i = closing(tokens, i); // a condition, a column list, arguments, a subquery
        expected = false;
      }
    } else if (isSymbol(token, ',') || isWord(token, 'JOIN')) expected = true;
    else if (isSymbol(token, ')')) expected = false;
    else if (expected && !isWord(token, 'ONLY', 'LATERAL') && token !== undefined && nameOf(token) !== undefined) {
      const parts = [token];
      for (let part = tokens[i + 2]; part !== undefined && isSymbol(tokens[i + 1], '.'); part = tokens[i + 2]) {
        parts.push(part);
        i += 2;
      }
      if (!isSymbol(tokens[i + 1], '(')) found.push({ parts, next: tokens[i + 1] });
      expected = false;
    }
  }
  return found;
};

export interface Replaced {
  readonly text: string;
  readonly count: number;
}

/**
 * Puts `replacement` in the place of a relation wherever FROM names it. Columns go on being qualified by the same
 * name: an alias stays, and where there is none the relation's name becomes one.
 */
export const replaceRelation = (text: string, relation: RelationName, replacement: string): Replaced => {
  const { from } = clauses(text);
  if (from === undefined) return { text, count: 0 };
  const tokens = tokenize(text).filter((t) => t.start >= from.start && t.end <= from.end);
  let result = '';
  let done = 0;
  let count = 0;
  for (const { parts, next } of relationsIn(tokens)) {
    const [schema, name] = parts;
    if (parts.length !== 2 || schema === undefined || name === undefined) continue;
    if (nameOf(schema) !== relation.schema || nameOf(name) !== relation.name) continue;
    const alias = hasAlias(next) ? '' : ` AS ${name.text}`;
    result += text.slice(done, schema.start) + replacement + alias;
    done = name.end;
    count++;
  }
  return { text: result + text.slice(done), count };
};

const ENDS = ['LIMIT', 'OFFSET', 'FETCH', 'FOR', 'UNION', 'INTERSECT', 'EXCEPT'];

/** The text without ORDER BY at its end; undefined where there is none, or where it decides which rows there are. */
export const withoutOrder = (text: string): string | undefined => {
  const rest = selectClauses(text)?.rest;
  if (rest === undefined) return undefined;
  const tokens = tokenize(text).filter((t) => t.start >= rest.start && t.end <= rest.end);
  const decides = tokens.some((t) => t.depth === 0 && isWord(t, ...ENDS));
  return isWord(tokens[0], 'ORDER') && !decides ? text.slice(0, rest.start).trimEnd() : undefined;
};

export const groupItems = (text: string): string[] => {
  const { groupBy } = clauses(text);
  if (groupBy === undefined) return [];
  const list = text.slice(groupBy.start, groupBy.end);
  const [first] = tokenize(list);
  return splitList(first !== undefined && isWord(first, 'DISTINCT', 'ALL') ? list.slice(first.end) : list);
};
