import { SQLSTATE } from '../lib/sqlstate.ts';

/** What crosses the border to SPI. int8 is bigint; anything else that is not listed travels as text. */
export type Cell =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Cell[]
  | Uint8Array
  | { readonly [key: string]: unknown };
export type Row = { readonly [column: string]: unknown };

interface Plan {
  execute(params: readonly unknown[]): Row[] | number;
  free(): void;
}

interface Plv8 {
  prepare(sql: string, types: readonly string[]): Plan;
  execute(sql: string, params?: readonly unknown[]): Row[] | number;
  subtransaction<T>(body: () => T): T;
  elog(level: number, ...message: string[]): void;
}

declare const plv8: Plv8;
declare const DEBUG1: number;
declare const LOG: number;
declare const INFO: number;
declare const NOTICE: number;
declare const WARNING: number;

/** An error of PostgreSQL as plv8 hands it to JavaScript. */
export interface SpiError extends Error {
  readonly sqlerrcode: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly context?: string;
}

export const isSpiError = (e: unknown): e is SpiError =>
  typeof e === 'object' && e !== null && typeof (e as { sqlerrcode?: unknown }).sqlerrcode === 'string';

/** What a handler that carries on after errors must throw on. */
export const isCancel = (e: unknown): boolean => isSpiError(e) && e.sqlerrcode === SQLSTATE.queryCanceled;

/** True for an SPI error with one of the given SQLSTATEs; a cancelled query is never a match, so it is never swallowed. */
export const hasSqlState = (e: unknown, ...states: string[]): e is SpiError =>
  isSpiError(e) && !isCancel(e) && states.includes(e.sqlerrcode);

/**
 * Plans of parametrized queries, kept for the session and role: a kept plan costs a fifth of parsing and planning anew.
 * Statements without parameters are DDL, mostly, and never the same twice.
 */
const plans = new Map<string, Plan>();
const MOST_PLANS = 200;

/** Types are declared, not inferred: plv8 forgets what it inferred, and a plan that is made anew would need it. */
const sqlType = (value: unknown): string => {
  switch (typeof value) {
    case 'bigint':
      return 'int8';
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? 'int4' : 'float8';
    default:
      return Array.isArray(value) ? `${value.length === 0 ? 'text' : sqlType(value[0])}[]` : 'text';
  }
};

const keptPlan = (sql: string, params: readonly unknown[]): Plan => {
  const types = params.map(sqlType);
  const key = `${types.join()} ${sql}`;
  const known = plans.get(key);
  if (known !== undefined) return known;
  if (plans.size >= MOST_PLANS) {
    const [oldest, plan] = plans.entries().next().value as [string, Plan];
    plans.delete(oldest);
    plan.free();
  }
  const plan = plv8.prepare(sql, types);
  plans.set(key, plan);
  return plan;
};

const execute = (sql: string, params: readonly unknown[]): Row[] | number =>
  params.length > 0 ? keptPlan(sql, params).execute(params) : plv8.execute(sql);

export const query = <T = Row>(sql: string, params: readonly unknown[] = []): T[] => {
  const result = execute(sql, params);
  return (Array.isArray(result) ? result : []) as T[];
};

/** Number of rows, 0 for DDL. */
export const run = (sql: string, params: readonly unknown[] = []): number => {
  const result = execute(sql, params);
  return Array.isArray(result) ? result.length : result;
};

export const maybeOne = <T = Row>(sql: string, params: readonly unknown[] = []): T | undefined =>
  query<T>(sql, params)[0];

export const one = <T = Row>(sql: string, params: readonly unknown[] = []): T => {
  const row = maybeOne<T>(sql, params);
  if (row === undefined) throw new Error(`query returned no row: ${sql}`);
  return row;
};

/**
 * Runs the body in a subtransaction: an error undoes its work and is thrown. It is the body's own that is thrown, since
 * what leaves plv8.subtransaction() is another one, of the same message and without SQLSTATE, detail and hint.
 */
export const subtransaction = <T>(body: () => T): T => {
  let result: T | undefined;
  let thrown: { readonly error: unknown } | undefined;
  try {
    plv8.subtransaction(() => {
      try {
        result = body();
      } catch (error) {
        thrown = { error };
        throw error;
      }
    });
  } catch (error) {
    throw thrown === undefined ? error : thrown.error;
  }
  return result as T;
};

export const notice = (message: string): void => plv8.elog(NOTICE, message);
export const info = (message: string): void => plv8.elog(INFO, message);
export const warning = (message: string): void => plv8.elog(WARNING, message);
export const log = (message: string): void => plv8.elog(LOG, message);
export const debug = (message: string): void => plv8.elog(DEBUG1, message);
