/**
 * Entry of the bundle that the stubs evaluate. `virtual:functions` is every declaration under src/<feature>/functions,
 * gathered by build/bundle.ts. The last line of the bundle is the runtime itself, so that eval() returns it.
 */
import { functions } from 'virtual:functions';
import { isSpiError } from './engine/spi.ts';
import { functionKey, type Handler } from './udf/define-function.ts';

declare const TESSERA_BUILD: string;

interface Runtime {
  readonly build: string;
  call(key: string, args: unknown[]): unknown;
}

const handlers = new Map<string, Handler>(functions.map((f) => [functionKey(f), f.handler]));

const call = (key: string, args: unknown[]): unknown => {
  const handler = handlers.get(key);
  if (handler === undefined) throw new Error(`tessera runtime has no function ${key}`);
  try {
    return handler(...args);
  } catch (e) {
    // An error of PostgreSQL brings its own context; the frames of our bundle would only bury it.
    if (isSpiError(e)) e.stack = '';
    throw e;
  }
};

(globalThis as { tessera?: Runtime }).tessera = Object.freeze({ build: TESSERA_BUILD, call });
