/**
 * One declaration per SQL-visible function. The build reads it and writes the plv8 stub, the grants, the COMMENT and
 * the reference page; the bundle reads it to find the handler. The schema 'api' is the one given at CREATE EXTENSION.
 */
export type Schema = 'api' | '_tessera_functions' | 'tessera';
export type Volatility = 'immutable' | 'stable' | 'volatile';

export interface Argument {
  readonly name: string;
  /** SQL type, qualified unless it is in pg_catalog. */
  readonly type: string;
  /** SQL expression; no default makes the argument mandatory. */
  readonly default?: string;
  /** Meaning, unit and what NULL does. */
  readonly doc: string;
}

export interface Column {
  readonly name: string;
  readonly type: string;
}

export type Returns =
  | { readonly kind: 'void' }
  | { readonly kind: 'scalar'; readonly type: string }
  | { readonly kind: 'setof'; readonly type: string }
  | { readonly kind: 'table'; readonly columns: readonly Column[] };

export const returnsVoid: Returns = { kind: 'void' };
export const returnsScalar = (type: string): Returns => ({ kind: 'scalar', type });
export const returnsSetof = (type: string): Returns => ({ kind: 'setof', type });
export const returnsTable = (...columns: Column[]): Returns => ({ kind: 'table', columns });

// biome-ignore lint/suspicious/noExplicitAny: the values come from SQL; each handler names the types it declared
export type Handler = (...args: any[]) => unknown;

export interface FunctionDeclaration {
  readonly schema: Schema;
  readonly name: string;
  readonly args: readonly Argument[];
  readonly returns: Returns;
  readonly volatility: Volatility;
  readonly strict?: boolean;
  /** Neither writes nor reads what a parallel worker would not have. */
  readonly parallelSafe?: boolean;
  /** Opens sessions on nodes. A cancelled statement never comes back to JavaScript, so SQL around it ends them. */
  readonly opensSessions?: boolean;
  /** What it does, in one or two sentences. */
  readonly summary: string;
  readonly errors?: string;
  readonly privileges: string;
  readonly locks?: string;
  readonly handler: Handler;
}

export const defineFunction = (declaration: FunctionDeclaration): FunctionDeclaration => Object.freeze(declaration);

/** The key by which a stub finds its handler: name and argument types, as `\df` tells overloads apart. */
export const functionKey = (f: Pick<FunctionDeclaration, 'schema' | 'name' | 'args'>): string =>
  `${f.schema}.${f.name}(${f.args.map((a) => a.type).join(',')})`;
