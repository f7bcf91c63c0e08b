/**
 * Entry of the bundle that the stubs evaluate. `virtual:functions` is every declaration under src/<feature>/functions,
 * gathered by build/bundle.ts. The last line of the bundle is the runtime itself, so that eval() returns it.
 */
import { functions } from 'virtual:functions';
import { isSpiError } from './engine/spi.ts';
import { PgError } from './lib/pg-error.ts';
import { SQLSTATE } from './lib/sqlstate.ts';
import { functionKey, type Handler } from './udf/define-function.ts';

declare const TESSERA_BUILD: string;

interface Runtime {
  readonly build: string;
  call(key: string, args: unknown[]): unknown;
}

const handlers = new Map<string, Handler>(functions.map((f) => [functionKey(f), f.handler]));

/**
 * Internal functions are called by ours, with arguments that fit; whoever else calls one with NULL or other JSON is told
 * so, instead of where our code stumbled over it.
 */
const unfit = (key: string, args: readonly unknown[], e: unknown): PgError | undefined =>
  key.startsWith('_tessera_functions.') &&
  (args.includes(null) || key.includes('json')) &&
  (e instanceof TypeError || e instanceof RangeError || e instanceof SyntaxError)
    ? new PgError({
        sqlstate: SQLSTATE.invalidParameterValue,
        message: `${key.slice(0, key.indexOf('('))}() cannot be called with these arguments`,
        detail: `It is internal: ${e.message}.`,
      })
    : undefined;

const call = (key: string, args: unknown[]): unknown => {
  const handler = handlers.get(key);
  if (handler === undefined) throw new Error(`tessera runtime has no function ${key}`);
  try {
    return handler(...args);
  } catch (e) {
    // An error of PostgreSQL brings its own context; the frames of our bundle would only bury it.
    if (isSpiError(e)) e.stack = '';
    throw unfit(key, args, e) ?? e;
  }
};

(globalThis as { tessera?: Runtime }).tessera = Object.freeze({ build: TESSERA_BUILD, call });
