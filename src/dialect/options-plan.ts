import { literal } from '../lib/quote.ts';
import type { Option } from './statement-plan.ts';

/** What TimescaleDB calls an option, under its older and newer names, without the prefix of compression. */
const ALIASES: Readonly<Record<string, string>> = {
  compress: 'columnstore',
  enable_columnstore: 'columnstore',
  compress_segmentby: 'segmentby',
  compress_orderby: 'orderby',
  chunk_time_interval: 'chunk_interval',
};

/** Options by name, each taken once; what is left has no equivalent. */
export class Options {
  private readonly left: Map<string, string>;

  constructor(options: readonly Option[]) {
    this.left = new Map(options.filter((o) => o.foreign).map((o) => [ALIASES[o.name] ?? o.name, o.value]));
  }

  take(name: string): string | undefined {
    const value = this.left.get(name);
    this.left.delete(name);
    return value;
  }

  /** Names of options nobody took. */
  unknown(): string[] {
    return [...this.left.keys()];
  }
}

const OFF = ['false', 'off', 'no', '0'];
export const isOff = (value: string | undefined): boolean => value !== undefined && OFF.includes(value.toLowerCase());

/** A length: an integer, or an interval. */
export const length = (value: string): string =>
  /^-?\d+$/.test(value) ? value : `interval ${literal(value.replace(/^interval\s*'(.*)'$/i, '$1'))}`;

export type Argument = readonly [name: string, value: string | undefined];

/** A call with its arguments by name; those that are not given are left out. */
export const call = (name: string, first: readonly string[], named: readonly Argument[]): string =>
  `select ${name}(${[...first, ...named.flatMap(([n, v]) => (v === undefined ? [] : [`${n} => ${v}`]))].join(', ')});`;

export const mapped = (value: string | undefined, change: (value: string) => string): string | undefined =>
  value === undefined ? undefined : change(value);

export const boolean = (value: string): string => (isOff(value) ? 'false' : 'true');

/** What of options asks for compression, for a relation by the literal of its name. */
export const compression = (relation: string, options: Options): string[] => {
  const [enabled, segmentBy, orderBy] = [
    options.take('columnstore'),
    options.take('segmentby'),
    options.take('orderby'),
  ];
  if (isOff(enabled)) return [call('set_compression', [relation, 'false'], [])];
  if (enabled === undefined && segmentBy === undefined && orderBy === undefined) return [];
  return [
    call(
      'set_compression',
      [relation],
      [
        ['compress_segmentby', mapped(segmentBy, literal)],
        ['compress_orderby', mapped(orderBy, literal)],
      ],
    ),
  ];
};

/** What to write instead. */
export interface Rewritten {
  readonly statements: readonly string[];
  /** Options that have no equivalent. */
  readonly unknown: readonly string[];
}
