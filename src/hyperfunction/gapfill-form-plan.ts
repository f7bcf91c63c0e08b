import { selectClauses, splitList, type Clauses, type TextRange } from '../lib/sql-clauses.ts';
import { closing, isSymbol, isWord, nameOf, normalized, splitTokens, statements, tokenize } from '../lib/sql-tokens.ts';
import type { Token } from '../lib/sql-tokens.ts';

/** What of a statement with time_bucket_gapfill() in GROUP BY the function form needs. */
export interface GapfillForm {
  /** The statement with time_bucket() in its place. */
  readonly query: string;
  readonly width: string;
  readonly start: string;
  readonly finish: string;
  readonly zone: string | null;
  /** Positions in the select list, from 0. */
  readonly bucket: number;
  readonly interpolate: readonly number[];
  /** GROUP BY without the bucket: positions, or names that are still to be found. */
  readonly groups: readonly (number | string)[];
  /** ORDER BY and LIMIT, to go behind the call. */
  readonly rest: string;
}

const NAME = 'time_bucket_gapfill';

/** A part of the statement, as offsets of its text and as tokens. */
interface Call extends TextRange {
  readonly args: ReadonlyMap<string, string>;
  readonly normalized: string;
}

const PARAMETERS = ['bucket_width', 'ts', 'start', 'finish'];
const ZONED_PARAMETERS = ['bucket_width', 'ts', 'timezone', 'start', 'finish'];

const readCall = (text: string, tokens: readonly Token[], at: number, parameters: readonly string[]): Call => {
  const end = closing(tokens, at + 1);
  const args = new Map<string, string>();
  splitTokens(tokens.slice(at + 2, end)).forEach((given, i) => {
    const named = isSymbol(given[1], '=>') || isSymbol(given[1], ':=');
    const value = named ? given.slice(2) : given;
    const name = named ? nameOf(given[0]) : parameters[i];
    const [first, last] = [value[0], value.at(-1)];
    if (name !== undefined && first !== undefined && last !== undefined)
      args.set(name, text.slice(first.start, last.end));
  });
  const qualifier = isSymbol(tokens[at - 1], '.') ? 2 : 0;
  return {
    start: tokens[at - qualifier]?.start ?? 0,
    end: tokens[end]?.end ?? text.length,
    args,
    normalized: normalized(tokens.slice(at, end + 1)),
  };
};

// PostgreSQL takes a string in the third place for the time zone, where the time of the start may have been meant.
const ZONE = /^'\D/;

const callsIn = (text: string, zoned: boolean): Call[] => {
  const tokens = tokenize(text);
  const read = (at: number): Call => {
    const call = readCall(text, tokens, at, zoned ? ZONED_PARAMETERS : PARAMETERS);
    return zoned && !ZONE.test(call.args.get('timezone') ?? '') ? readCall(text, tokens, at, PARAMETERS) : call;
  };
  return tokens.flatMap((token, i) => (nameOf(token) === NAME && isSymbol(tokens[i + 1], '(') ? [read(i)] : []));
};

/** The one statement of what the client sent that calls it; undefined when there are several, or parameters. */
const statementOf = (sent: string): string | undefined => {
  const found = statements(sent).filter((s) => s.some((t) => nameOf(t) === NAME));
  const [only] = found;
  if (only === undefined || found.length > 1) return undefined;
  if (only.some((t) => t.kind === 'number' && t.text.startsWith('$'))) return undefined;
  return sent.slice(only[0]?.start, only.at(-1)?.end);
};

const part = (text: string, range: TextRange | undefined): string =>
  range === undefined ? '' : text.slice(range.start, range.end);

/** Without the schema of the call. */
const keyOf = (expression: readonly Token[]): string =>
  normalized(isSymbol(expression[1], '.') && nameOf(expression[2]) === NAME ? expression.slice(2) : expression);

/** An item of the select list without its alias. */
const expressionOf = (item: readonly Token[]): readonly Token[] => {
  if (isWord(item.at(-2), 'AS')) return item.slice(0, -2);
  const [before, last] = [item.at(-2), item.at(-1)];
  const alias = last?.kind === 'quoted' || last?.kind === 'word';
  return alias && (isSymbol(before, ')') || before?.kind === 'word' || before?.kind === 'quoted')
    ? item.slice(0, -1)
    : item;
};

interface Bounds {
  start?: string | undefined;
  finish?: string | undefined;
}

const textOf = (text: string, tokens: readonly Token[]): string | undefined => {
  const [first, last] = [tokens[0], tokens.at(-1)];
  return first === undefined || last === undefined ? undefined : text.slice(first.start, last.end);
};

/** What WHERE says of the time, as time_bucket_gapfill() takes it: conditions joined by AND, with the column on the left. */
const boundsIn = (where: string, time: string): Bounds => {
  const bounds: Bounds = {};
  const tokens = tokenize(where);
  if (tokens.some((t) => t.depth === 0 && isWord(t, 'OR'))) return bounds;
  const column = tokenize(time);
  for (let from = 0; from < tokens.length; ) {
    let to = from;
    let between = -1;
    for (; to < tokens.length; to++) {
      const token = tokens[to];
      if (token?.depth !== 0) continue;
      if (isWord(token, 'BETWEEN')) between = to;
      else if (isWord(token, 'AND')) {
        if (between < 0) break;
        if (normalized(tokens.slice(from, between)) === normalized(column))
          bounds.start ??= textOf(where, tokens.slice(between + 1, to));
        between = -1;
      }
    }
    const condition = tokens.slice(from, to);
    const operator = condition[column.length];
    if (normalized(condition.slice(0, column.length)) === normalized(column)) {
      const value = condition.slice(column.length + (isSymbol(condition[column.length + 1], '=') ? 2 : 1));
      if (isSymbol(operator, '>')) bounds.start ??= textOf(where, value);
      if (isSymbol(operator, '<') && !isSymbol(value[0], '>')) bounds.finish ??= textOf(where, value);
      if (isWord(operator, 'BETWEEN')) {
        const and = condition.findIndex((t) => t.depth === 0 && isWord(t, 'AND'));
        bounds.finish ??= textOf(where, condition.slice(and + 1));
      }
    }
    from = to + 1;
  }
  return bounds;
};

const reduced = (call: Call): string => {
  const zone = call.args.get('timezone');
  return `time_bucket(${call.args.get('bucket_width')}, ${call.args.get('ts')}${zone === undefined ? '' : `, ${zone}`})`;
};

const replaced = (text: string, calls: readonly TextRange[], by: string): string => {
  let result = '';
  let done = 0;
  for (const call of calls) {
    result += text.slice(done, call.start) + by;
    done = call.end;
  }
  return result + text.slice(done);
};

interface SelectItem {
  readonly text: string;
  /** Of the expression. */
  readonly key: string;
  readonly interpolated: boolean;
}

/** interpolate(x) as x, under the name it would have had; undefined where it has further arguments. */
const selectItem = (text: string, call: Call, bucket: string): SelectItem | undefined => {
  const tokens = tokenize(text);
  const expression = expressionOf(tokens);
  const alias = textOf(text, tokens.slice(expression.length)) ?? '';
  const key = keyOf(expression);
  if (key === call.normalized) return { text: `${bucket} ${alias || `AS ${NAME}`}`, key, interpolated: false };
  const calls = nameOf(expression[0]) === 'interpolate' && isSymbol(expression[1], '(');
  if (!calls || closing(expression, 1) !== expression.length - 1) return { text, key, interpolated: false };
  const inside = expression.slice(2, -1);
  if (splitTokens(inside).length > 1) return undefined;
  return { text: `${textOf(text, inside)} ${alias || 'AS interpolate'}`, key, interpolated: true };
};

/** Where an item of GROUP BY stands in the select list, or its name. */
const groupOf = (item: string, items: readonly SelectItem[]): number | string | undefined => {
  const tokens = tokenize(item);
  const [first] = tokens;
  if (tokens.length === 1 && first?.kind === 'number') return Number(first.text) - 1;
  const at = items.findIndex((i) => i.key === keyOf(tokens));
  if (at >= 0) return at;
  return tokens.length === 1 ? nameOf(first) : undefined;
};

/** Only what may stand behind the call as well: names, positions, directions, a limit. */
const restOf = (
  text: string,
  rest: TextRange | undefined,
  calls: readonly Call[],
  bucket: string,
): string | undefined => {
  if (rest === undefined) return '';
  const inside = calls
    .filter((c) => c.start >= rest.start)
    .map((c) => ({ start: c.start - rest.start, end: c.end - rest.start }));
  const changed = replaced(part(text, rest), inside, bucket);
  const tokens = tokenize(changed);
  const starts = isWord(tokens[0], 'ORDER', 'LIMIT', 'OFFSET', 'FETCH');
  const plain = tokens.every((t) => t.kind !== 'symbol' || t.text === ',');
  return starts && plain && !tokens.some((t) => isWord(t, 'UNION', 'INTERSECT', 'EXCEPT', 'FOR', 'USING'))
    ? changed
    : undefined;
};

const clausesOf = (text: string): Clauses | undefined => {
  const found = selectClauses(text);
  const [first] = tokenize(part(text, found?.select));
  return isWord(first, 'DISTINCT', 'ALL') ? undefined : found;
};

/** Reads what the client sent; undefined where the function form is not simply found. `zoned`: the third argument is a time zone. */
export const gapfillForm = (sent: string, zoned: boolean): GapfillForm | undefined => {
  const text = statementOf(sent);
  if (text === undefined) return undefined;
  const clauses = clausesOf(text);
  if (clauses?.groupBy === undefined) return undefined;
  const calls = callsIn(text, zoned);
  const [call] = calls;
  if (call === undefined || calls.some((c) => c.normalized !== call.normalized)) return undefined;
  const [width, time] = [call.args.get('bucket_width'), call.args.get('ts')];
  if (width === undefined || time === undefined) return undefined;
  const items = splitList(part(text, clauses.select)).map((item) => selectItem(item, call, reduced(call)));
  const known = items.flatMap((i) => i ?? []);
  const bucket = known.findIndex((i) => i.key === call.normalized);
  if (known.length < items.length || bucket < 0) return undefined;
  const groups = splitList(part(text, clauses.groupBy)).map((item) => groupOf(item, known));
  const bounds = boundsIn(part(text, clauses.where), time);
  const [start, finish] = [call.args.get('start') ?? bounds.start, call.args.get('finish') ?? bounds.finish];
  const rest = restOf(text, clauses.rest, calls, String(bucket + 1));
  if (start === undefined || finish === undefined || rest === undefined) return undefined;
  if (groups.includes(undefined)) return undefined;
  const from = clauses.select.end;
  const to = clauses.rest?.start ?? text.length;
  const middle = calls.filter((c) => c.start >= from && c.end <= to);
  const body = replaced(
    text.slice(from, to),
    middle.map((c) => ({ start: c.start - from, end: c.end - from })),
    reduced(call),
  );
  return {
    query: `select ${known.map((i) => i.text.trim()).join(', ')}${body}`.trim(),
    width,
    start,
    finish,
    zone: call.args.get('timezone') ?? null,
    bucket,
    interpolate: known.flatMap((i, at) => (i.interpolated ? [at] : [])),
    groups: groups.flatMap((g) => (g === undefined || g === bucket ? [] : [g])),
    rest: rest.trim(),
  };
};
