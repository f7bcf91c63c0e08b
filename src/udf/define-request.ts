import { defineFunction, returnsScalar, type FunctionDeclaration, type Handler } from './define-function.ts';

export interface Request<P> {
  /** As in the operation of _tessera_catalog.request: feature.name. */
  readonly feature: string;
  readonly name: string;
  readonly summary: string;
  readonly privileges: string;
  readonly body: (caller: string, payload: P) => unknown;
}

/** Work of the owner of the extension on behalf of a caller, whom each body checks. */
export const defineRequest = <P>(r: Request<P>): FunctionDeclaration =>
  defineFunction({
    schema: '_tessera_functions',
    name: `request_${r.feature}_${r.name}`,
    args: [
      { name: 'caller', type: 'name', doc: 'who asks, as noted by the first trigger of the requests' },
      { name: 'payload', type: 'jsonb', doc: 'the arguments by name' },
    ],
    returns: returnsScalar('jsonb'),
    volatility: 'volatile',
    summary: r.summary,
    privileges: r.privileges,
    handler: ((caller: string, payload: P) => ({ result: r.body(caller, payload) ?? null })) as Handler,
  });
