import { literal } from '../lib/quote.ts';
import { closing, isSymbol, isWord, nameOf, splitTokens, type Token } from '../lib/sql-tokens.ts';
import { boolean, call, compression, isOff, length, mapped, Options, type Rewritten } from './options-plan.ts';
import { readName, skip, written, type ForeignStatement } from './statement-plan.ts';

/** The statement with none but PostgreSQL's own options. */
const withoutOptions = ({ sent, tokens, keyword, end, options }: ForeignStatement): string => {
  const kept = options.filter((o) => !o.foreign).map((o) => o.text);
  const parts = [
    written(sent, tokens.slice(0, keyword)),
    kept.length === 0 ? '' : `with (${kept.join(', ')})`,
    written(sent, tokens.slice(end + 1)),
  ];
  return `${parts.filter((p) => p !== '').join(' ')};`;
};

const TIMES = ['TIMESTAMPTZ', 'TIMESTAMP', 'DATE'];

/** The first column of a time type, which TimescaleDB takes where none is named. */
const timeColumn = (columns: readonly Token[]): string | undefined =>
  splitTokens(columns)
    .filter((c) => isWord(c[1], ...TIMES))
    .map((c) => nameOf(c[0]))[0];

export const createTable = (f: ForeignStatement): Rewritten | undefined => {
  const { tokens } = f;
  const kind = tokens.findIndex((t) => isWord(t, 'TABLE'));
  const at = skip(tokens, kind + 1, 'IF', 'NOT', 'EXISTS');
  const { name, next } = readName(f, at);
  const options = new Options(f.options);
  const hypertable = options.take('hypertable');
  const columns = isSymbol(tokens[next], '(') ? tokens.slice(next + 1, closing(tokens, next)) : [];
  const column = options.take('partition_column') ?? timeColumn(columns);
  if (hypertable === undefined || isOff(hypertable) || column === undefined) return undefined;
  const interval = mapped(options.take('chunk_interval'), length);
  const [schema, prefix] = [options.take('associated_schema'), options.take('associated_table_prefix')];
  const table = literal(name);
  const common = [
    ['create_default_indexes', mapped(options.take('create_default_indexes'), boolean)],
    ['if_not_exists', at > kind + 1 ? 'true' : undefined],
  ] as const;
  const time = literal(column);
  const create =
    schema === undefined && prefix === undefined
      ? call(
          'create_hypertable',
          [table, `by_range(${[time, interval].filter((a) => a !== undefined).join(', ')})`],
          common,
        )
      : call(
          'create_hypertable',
          [table, time],
          [
            ['associated_schema_name', mapped(schema, literal)],
            ['associated_table_prefix', mapped(prefix, literal)],
            ['chunk_time_interval', interval],
            ...common,
          ],
        );
  return { statements: [withoutOptions(f), create, ...compression(table, options)], unknown: options.unknown() };
};

/** Each chunk by itself: an index of the hypertable takes those it finds on its chunks. */
const byChunk = (f: ForeignStatement): string[] => {
  const { tokens } = f;
  const on = tokens.findIndex((t) => t.depth === 0 && isWord(t, 'ON'));
  const at = skip(tokens, on + 1, 'ONLY');
  const { name, next } = readName(f, at);
  const unique = isWord(tokens[1], 'UNIQUE') ? 'unique ' : '';
  const rest = withoutOptions({ ...f, tokens: tokens.slice(next), keyword: f.keyword - next, end: f.end - next });
  return on < 0
    ? []
    : [
        `select format(${literal(`create ${unique}index on %s ${rest.replaceAll('%', '%%').replace(/;$/, '')}`)}, c) from show_chunks(${literal(name)}) c join pg_class k on k.oid = c and k.relkind = 'r' \\gexec\n`,
      ];
};

export const createIndex = (f: ForeignStatement): Rewritten => {
  const options = new Options(f.options);
  const apart = options.take('transaction_per_chunk');
  const each = apart === undefined || isOff(apart) ? [] : byChunk(f);
  return { statements: [...each, withoutOptions(f)], unknown: options.unknown() };
};

const dollarQuoted = (text: string): string => {
  let tag = '$$';
  for (let i = 0; text.includes(tag); i++) tag = `$query${i === 0 ? '' : i}$`;
  return `${tag}${text}${tag}`;
};

/** CREATE VIEW of TimescaleDB 1 and CREATE MATERIALIZED VIEW of its successor. */
export const createView = (f: ForeignStatement): Rewritten | undefined => {
  const { tokens } = f;
  const kind = tokens.findIndex((t) => isWord(t, 'VIEW'));
  const at = skip(tokens, kind + 1, 'IF', 'NOT', 'EXISTS');
  const { name, next } = readName(f, at);
  const options = new Options(f.options);
  const continuous = options.take('continuous');
  const as = tokens.findIndex((t, i) => i > f.end && t.depth === 0 && isWord(t, 'AS'));
  if (continuous === undefined || isOff(continuous) || as < 0) return undefined;
  const columns = isSymbol(tokens[next], '(')
    ? splitTokens(tokens.slice(next + 1, closing(tokens, next))).flatMap((c) => nameOf(c[0]) ?? [])
    : [];
  const unfilled = isWord(tokens.at(-3), 'WITH') && isWord(tokens.at(-2), 'NO') && isWord(tokens.at(-1), 'DATA');
  const filled = isWord(tokens.at(-2), 'WITH') && isWord(tokens.at(-1), 'DATA');
  const query = written(f.sent, tokens.slice(as + 1, tokens.length - (unfilled ? 3 : filled ? 2 : 0)));
  // Since 2.7 there is nothing else.
  options.take('finalized');
  // In TimescaleDB 1 the first materialization was left to the job.
  const later = unfilled || !isWord(tokens[kind - 1], 'MATERIALIZED');
  const view = literal(name);
  const create = call(
    'create_continuous_aggregate',
    [view, dollarQuoted(query)],
    [
      ['with_data', later ? 'false' : undefined],
      ['materialized_only', mapped(options.take('materialized_only'), boolean)],
      ['create_group_indexes', mapped(options.take('create_group_indexes'), boolean)],
      ['if_not_exists', at > kind + 1 ? 'true' : undefined],
      ['column_names', columns.length === 0 ? undefined : `array[${columns.map((c) => literal(c)).join(', ')}]`],
      ...(
        [
          'refresh_lag',
          'refresh_interval',
          'max_interval_per_job',
          'ignore_invalidation_older_than',
          'chunk_interval',
        ] as const
      ).map((n) => [n, mapped(options.take(n), length)] as const),
    ],
  );
  return { statements: [create, ...compression(view, options)], unknown: options.unknown() };
};
