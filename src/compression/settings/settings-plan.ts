import { parseClauses, type ClauseEntry } from './clause-list.ts';
import {
  badClause,
  columnInBoth,
  duplicateColumn,
  generatedColumn,
  notGroupable,
  notOrderable,
  reservedColumn,
  segmentByTime,
  unknownColumn,
} from './failures.ts';

export interface OrderColumn {
  readonly column: string;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** How rows become segments. */
export interface CompressionSettings {
  readonly segmentBy: readonly string[];
  readonly orderBy: readonly OrderColumn[];
}

/** What the plan must know of a column. */
export interface PlanColumn {
  readonly name: string;
  readonly type: string;
  readonly generated: boolean;
  /** The type has a btree order. */
  readonly orderable: boolean;
}

export interface CompressionInput {
  readonly table: string;
  readonly columns: readonly PlanColumn[];
  readonly timeColumn: string;
  readonly segmentBy: string | null;
  readonly orderBy: string | null;
}

export const META_PREFIX = '_ts_meta_';

const FORMS = {
  compress_segmentby: "Give a comma-separated list of columns, like 'device, room'.",
  compress_orderby: "Give a comma-separated list of columns, like 'time desc nulls last, sensor'.",
} as const;

const parse = (option: keyof typeof FORMS, text: string | null, directions: boolean): readonly ClauseEntry[] => {
  if (text === null) return [];
  const parsed = parseClauses(text, directions);
  if (parsed.kind === 'error') throw badClause(option, text, parsed.detail, FORMS[option]);
  const seen = new Set<string>();
  for (const { column } of parsed.entries) {
    if (seen.has(column)) throw duplicateColumn(option, column);
    seen.add(column);
  }
  return parsed.entries;
};

/** Checks the options and adds the time column, newest first, where neither list names it. */
export const planSettings = (input: CompressionInput): CompressionSettings => {
  const { columns, table, timeColumn } = input;
  const reserved = columns.find((c) => c.name.startsWith(META_PREFIX));
  if (reserved !== undefined) throw reservedColumn(reserved.name);
  const segmentBy = parse('compress_segmentby', input.segmentBy, false);
  const orderBy = parse('compress_orderby', input.orderBy, true);
  const find = (option: string, name: string): PlanColumn => {
    const found = columns.find((c) => c.name === name);
    if (found === undefined) throw unknownColumn(option, name, table);
    if (found.generated) throw generatedColumn(name);
    return found;
  };
  for (const { column } of segmentBy) {
    const found = find('compress_segmentby', column);
    if (column === timeColumn) throw segmentByTime(column);
    if (!found.orderable) throw notGroupable(column, found.type);
  }
  for (const { column } of orderBy) {
    const found = find('compress_orderby', column);
    if (segmentBy.some((s) => s.column === column)) throw columnInBoth(column);
    if (!found.orderable) throw notOrderable(column, found.type);
  }
  const byTime = { column: timeColumn, descending: true, nullsFirst: true };
  return {
    segmentBy: segmentBy.map((s) => s.column),
    orderBy: orderBy.some((o) => o.column === timeColumn) ? orderBy : [...orderBy, byTime],
  };
};
