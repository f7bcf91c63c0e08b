import { badViewText } from '../lib/failures.ts';
import { ident, qualified, type RelationName } from '../lib/quote.ts';
import { splitList, type TextRange } from '../lib/sql-clauses.ts';
import { closing, isSymbol, isWord, nameOf, tokenize, type Token } from '../lib/sql-tokens.ts';
import { clauses, groupItems, replaceRelation } from '../lib/view-text.ts';
import { combination, type CallText, type Origin } from './combine-plan.ts';
import { cannotCombine } from './failures.ts';
import type { AggregateCall } from './query-plan.ts';

export interface NamedCall extends AggregateCall {
  readonly name: string;
  readonly origin: Origin;
}

export interface Column {
  readonly name: string;
  /** As format_type() has it. */
  readonly type: string;
}

/** What is read in place of what: the same number of parts for each table. */
export interface Replacement {
  readonly table: RelationName;
  readonly parts: readonly RelationName[];
}

interface Span {
  readonly first: number;
  /** Behind the last token. */
  readonly end: number;
}

interface FoundCall extends Span {
  readonly call: CallText;
}

const textOfSpan = (text: string, tokens: readonly Token[], span: Span): string =>
  text.slice(tokens[span.first]?.start ?? 0, tokens[span.end - 1]?.end ?? 0);

/** Where the next call of a function starts, its schema included, and where its parenthesis opens. */
const nextCall = (
  tokens: readonly Token[],
  from: number,
  call: NamedCall,
): { readonly first: number; readonly open: number } | undefined => {
  for (let i = from; i < tokens.length; i++) {
    if (nameOf(tokens[i]) !== call.name || !isSymbol(tokens[i + 1], '(')) continue;
    const hasSchema = isSymbol(tokens[i - 1], '.');
    if (hasSchema === (call.origin !== 'postgres')) return { first: hasSchema ? i - 2 : i, open: i + 1 };
  }
  return undefined;
};

/** The calls of aggregates, given in their order, among tokens of the text. */
const findCalls = (text: string, tokens: readonly Token[], calls: readonly NamedCall[]): FoundCall[] => {
  let from = 0;
  return calls.map((call) => {
    const at = nextCall(tokens, from, call);
    const close = at === undefined ? tokens.length : closing(tokens, at.open);
    const [opening, closed] = [at && tokens[at.open], tokens[close]];
    if (at === undefined || opening === undefined || closed === undefined)
      throw cannotCombine(`${call.name}()`, 'its call is not found in the text of the query');
    let end = close + 1;
    let filter: string | null = null;
    if (isWord(tokens[end], 'FILTER') && isSymbol(tokens[end + 1], '(') && isWord(tokens[end + 2], 'WHERE')) {
      const last = closing(tokens, end + 1);
      filter = textOfSpan(text, tokens, { first: end + 3, end: last });
      end = last + 1;
    }
    from = end;
    return {
      first: at.first,
      end,
      call: {
        ...call,
        called: textOfSpan(text, tokens, { first: at.first, end: at.open }),
        args: text.slice(opening.end, closed.start).trim(),
        filter,
      },
    };
  });
};

/** Whether the tokens of the text from `at` on are those of the expression, as a whole one. */
const standsAt = (tokens: readonly Token[], at: number, expression: readonly Token[]): boolean => {
  const before = tokens[at - 1];
  const after = tokens[at + expression.length];
  if (isSymbol(before, '.') || isSymbol(before, '::') || isSymbol(after, '.') || isSymbol(after, '(')) return false;
  return expression.every((t, i) => tokens[at + i]?.text === t.text);
};

/** PostgreSQL puts calls that are grouped by into parentheses, but only there. */
const withoutParentheses = (tokens: readonly Token[]): readonly Token[] =>
  isSymbol(tokens[0], '(') && closing(tokens, 0) === tokens.length - 1
    ? withoutParentheses(tokens.slice(1, -1))
    : tokens;

/** Columns of the parts, in the order in which they are first needed: only so does PostgreSQL read parts side by side. */
class PartColumns {
  readonly expressions: string[] = [];

  of(expression: string): string {
    const known = this.expressions.indexOf(expression);
    const at = known >= 0 ? known : this.expressions.push(expression) - 1;
    return `tessera_parts.tessera_${at + 1}`;
  }
}

/** An expression that the query groups by. */
interface Group {
  readonly text: string;
  readonly tokens: readonly Token[];
}

/** The text of the query, and where its aggregates and groups stand in it. */
interface ReadQuery {
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly calls: readonly FoundCall[];
  readonly groups: readonly Group[];
}

const readQuery = (text: string, calls: readonly NamedCall[]): ReadQuery => {
  const tokens = tokenize(text);
  return {
    text,
    tokens,
    calls: findCalls(text, tokens, calls),
    groups: groupItems(text).map((item) => ({ text: item, tokens: withoutParentheses(tokenize(item)) })),
  };
};

/** The longest expression grouped by that begins at a token. */
const groupAt = ({ tokens, groups }: ReadQuery, at: number): Group | undefined =>
  groups
    .filter((g) => standsAt(tokens, at, g.tokens))
    .reduce<Group | undefined>((a, b) => (a === undefined || b.tokens.length > a.tokens.length ? b : a), undefined);

/** A piece of the query, computed from the columns of the parts. */
const rewrite = (q: ReadQuery, range: TextRange, columns: PartColumns): string => {
  const { text, tokens } = q;
  let result = '';
  let done = range.start;
  const put = (span: Span, replacement: string): void => {
    result += text.slice(done, tokens[span.first]?.start) + replacement;
    done = tokens[span.end - 1]?.end ?? done;
  };
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as Token;
    if (token.start < done || token.end > range.end) continue;
    const call = q.calls.find((c) => c.first === i);
    if (call !== undefined) {
      const how = combination(call.call);
      if (typeof how === 'string') throw cannotCombine(textOfSpan(text, tokens, call), how);
      put(call, how.combine(how.partials.map((p) => columns.of(p))));
      continue;
    }
    const group = groupAt(q, i);
    if (group !== undefined) put({ first: i, end: i + group.tokens.length }, columns.of(group.text));
  }
  return result + text.slice(done, range.end);
};

/** The select list without the names it gives. */
const withoutAlias = (item: string): string => {
  const tokens = tokenize(item);
  const as = tokens.at(-2);
  return as !== undefined && as.depth === 0 && isWord(as, 'AS') ? item.slice(0, as.start).trim() : item;
};

const itemRanges = (text: string, range: TextRange): TextRange[] => {
  const items = splitList(text.slice(range.start, range.end));
  let from = range.start;
  return items.map((item) => {
    const start = text.indexOf(item, from);
    from = start + item.length;
    return { start, end: start + withoutAlias(item).length };
  });
};

/** The text with one part of each table in its place. */
const partText = (text: string, tables: readonly Replacement[], part: number): string =>
  tables.reduce((t, { table, parts }) => {
    const replaced = replaceRelation(t, table, qualified(parts[part] as RelationName));
    if (replaced.count !== 1) throw badViewText(`one mention of ${qualified(table)} in FROM`);
    return replaced.text;
  }, text);

const partTexts = (text: string, tables: readonly Replacement[]): string[] =>
  (tables[0]?.parts ?? []).map((_, part) => partText(text, tables, part));

const union = (arms: readonly string[]): string => arms.join('\nunion all\n');

/** The query computed as a whole for each part: no group has rows in two. */
export const wholeParts = (text: string, tables: readonly Replacement[]): string => union(partTexts(text, tables));

/**
 * True of every group, and taken for true of one in 200: of an expression, such as a bucket of time, PostgreSQL expects as many
 * groups as the column has values, and would rather have all rows sent here and sorted.
 */
const FEW_GROUPS =
  'pg_catalog.sign(pg_catalog.count(*)::pg_catalog.float8) operator(pg_catalog.=) 1::pg_catalog.float8';

/** The rows of one part, grouped there. */
const armOf = (text: string, expressions: readonly string[]): string => {
  const c = clauses(text);
  const piece = (name: string, range: TextRange | undefined): string =>
    range === undefined ? '' : `\n${name} ${text.slice(range.start, range.end)}`;
  const list = expressions.map((e, i) => `${e} as tessera_${i + 1}`).join(', ');
  return `select ${list}${piece('from', c.from)}${piece('where', c.where)}${piece('group by', c.groupBy)}${c.groupBy === undefined ? '' : `\nhaving ${FEW_GROUPS}`}`;
};

const sameTokens = (a: readonly Token[], b: readonly Token[]): boolean =>
  a.length === b.length && a.every((t, i) => t.text === b[i]?.text);

/** Whether the select list has everything that is grouped by, so that no two rows are the same. */
const showsGroups = (items: readonly string[], groups: readonly Group[]): boolean => {
  const shown = items.map((i) => withoutParentheses(tokenize(i)));
  return groups.every((g) => shown.some((t) => sameTokens(t, g.tokens)));
};

export interface SplitText {
  readonly text: string;
  /**
   * The same with DISTINCT, which changes nothing, but keeps PostgreSQL from taking away columns that a query does not read: it would
   * read one part after the other. Null where rows could be the same.
   */
  readonly distinct: string | null;
}

/**
 * The query as aggregates of parts, combined: `text` is that of a view, whose columns are given. The rows of each part are
 * grouped where they are, what comes of that is grouped once more.
 */
export const splitQuery = (
  text: string,
  calls: readonly NamedCall[],
  columns: readonly Column[],
  tables: readonly Replacement[],
): SplitText => {
  const c = clauses(text);
  const q = readQuery(text, calls);
  const parts = new PartColumns();
  const items = itemRanges(text, c.select);
  if (items.length !== columns.length) throw badViewText(`${columns.length} columns in the select list`);
  const list = items.map((range, i) => {
    const { name, type } = columns[i] as Column;
    return `(${rewrite(q, range, parts)})::${type} as ${ident(name)}`;
  });
  const keys = q.groups.map((g) => parts.of(g.text));
  const having = c.having === undefined ? '' : `\nhaving ${rewrite(q, c.having, parts)}`;
  const arms = partTexts(text, tables).map((t) => armOf(t, parts.expressions));
  const grouped = keys.length === 0 ? '' : `\ngroup by ${keys.join(', ')}`;
  const rest = `${list.join(', ')}\nfrom (\n${union(arms)}\n) tessera_parts${grouped}${having}`;
  const shown = showsGroups(
    items.map((r) => text.slice(r.start, r.end)),
    q.groups,
  );
  return { text: `select ${rest}`, distinct: shown ? `select distinct ${rest}` : null };
};
