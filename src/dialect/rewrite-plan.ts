import { literal } from '../lib/quote.ts';
import { isSymbol, isWord, splitTokens } from '../lib/sql-tokens.ts';
import { boolean, call, compression, length, mapped, Options, type Rewritten } from './options-plan.ts';
import { createIndex, createTable, createView } from './rewrite-create-plan.ts';
import { readName, skip, written, type ForeignStatement } from './statement-plan.ts';

/** What stands in the same ALTER and is PostgreSQL's own. */
const rest = (f: ForeignStatement, kind: string, name: string, from: number): string[] => {
  const kept = f.options.filter((o) => !o.foreign).map((o) => o.text);
  const commands = splitTokens(f.tokens.slice(from)).flatMap((tokens) =>
    tokens[0] === f.tokens[f.keyword]
      ? kept.length === 0
        ? []
        : [`set (${kept.join(', ')})`]
      : [written(f.sent, tokens)],
  );
  return commands.length === 0 ? [] : [`alter ${kind} ${name} ${commands.join(', ')};`];
};

const alterTable = (f: ForeignStatement): Rewritten => {
  const at = skip(f.tokens, skip(f.tokens, 2, 'IF', 'EXISTS'), 'ONLY');
  const { name, next } = readName(f, at);
  const from = isSymbol(f.tokens[next], '*') ? next + 1 : next;
  const options = new Options(f.options);
  const table = literal(name);
  const interval = options.take('chunk_interval');
  return {
    statements: [
      ...rest(f, 'table', name, from),
      ...(interval === undefined ? [] : [call('set_chunk_time_interval', [table, length(interval)], [])]),
      ...compression(table, options),
    ],
    unknown: options.unknown(),
  };
};

const alterView = (f: ForeignStatement, words: number): Rewritten => {
  const { name, next } = readName(f, skip(f.tokens, words, 'IF', 'EXISTS'));
  const options = new Options(f.options);
  const view = literal(name);
  const named = [
    ['materialized_only', mapped(options.take('materialized_only'), boolean)],
    ...(['refresh_lag', 'refresh_interval', 'max_interval_per_job', 'ignore_invalidation_older_than'] as const).map(
      (n) => [n, mapped(options.take(n), length)] as const,
    ),
  ] as const;
  const altered = named.some(([, value]) => value !== undefined);
  return {
    statements: [
      ...rest(f, 'view', name, next),
      ...(altered ? [call('alter_continuous_aggregate', [view], named)] : []),
      ...compression(view, options),
    ],
    unknown: options.unknown(),
  };
};

/** Undefined where there is nothing to write instead. */
export const rewrite = (f: ForeignStatement): Rewritten | undefined => {
  if (isWord(f.tokens[f.keyword], 'RESET')) return undefined;
  switch (f.tag) {
    case 'ALTER TABLE':
      return alterTable(f);
    case 'ALTER VIEW':
      return alterView(f, 2);
    case 'ALTER MATERIALIZED VIEW':
      return alterView(f, 3);
    case 'CREATE TABLE':
      return createTable(f);
    case 'CREATE INDEX':
      return createIndex(f);
    default:
      return createView(f);
  }
};
