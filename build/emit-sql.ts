import { functionKey, type FunctionDeclaration, type Returns } from '../src/udf/define-function.ts';

const schemaOf = (f: FunctionDeclaration): string => (f.schema === 'api' ? '@extschema@' : f.schema);

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const returnsSql = (returns: Returns): string => {
  switch (returns.kind) {
    case 'void':
      return 'void';
    case 'scalar':
      return returns.type;
    case 'setof':
      return `setof ${returns.type}`;
    case 'table':
      return `table(${returns.columns.map((c) => `${c.name} ${c.type}`).join(', ')})`;
  }
};

export const signature = (f: FunctionDeclaration): string =>
  `${schemaOf(f)}.${f.name}(${f.args.map((a) => a.type).join(', ')})`;

/** The text of COMMENT ON: what it does, its arguments, what it needs, what it raises. */
export const commentText = (f: FunctionDeclaration): string =>
  [
    f.summary,
    ...f.args.map((a) => `${a.name}: ${a.doc}`),
    `Privileges: ${f.privileges}`,
    ...(f.locks === undefined ? [] : [`Locks: ${f.locks}`]),
    ...(f.errors === undefined ? [] : [`Errors: ${f.errors}`]),
  ].join('\n');

/**
 * Loads the runtime of this build unless the session's context of the current role has it, then calls the handler.
 * search_path is pinned, so nothing a user planted in a schema of his own is ever found first.
 */
const stubBody = (f: FunctionDeclaration, build: string): string => {
  const args = f.args.map((a) => a.name).join(', ');
  return [
    `const t = globalThis.tessera?.build === '${build}' ? globalThis.tessera`,
    `  : (0, eval)(plv8.execute('select _tessera_functions.runtime_source() as source')[0].source);`,
    `return t.call(${JSON.stringify(functionKey(f))}, [${args}]);`,
  ].join('\n');
};

export const emitFunction = (f: FunctionDeclaration, build: string): string => {
  const args = f.args.map((a) => `  ${a.name} ${a.type}${a.default === undefined ? '' : ` default ${a.default}`}`);
  return [
    `create function ${schemaOf(f)}.${f.name}(${args.length > 0 ? `\n${args.join(',\n')}\n` : ''}) returns ${returnsSql(f.returns)}`,
    `language plv8 ${f.volatility}${f.strict ? ' strict' : ''}${f.parallelSafe ? ' parallel safe' : ''}`,
    'set search_path to pg_catalog, pg_temp',
    // Literals in statements are written as the standard has them.
    ...(f.volatility === 'immutable' ? [] : ['set standard_conforming_strings to on']),
    `as $tessera$\n${stubBody(f, build)}\n$tessera$;`,
    `comment on function ${signature(f)} is ${literal(commentText(f))};`,
  ].join('\n');
};

export const emitRuntime = (build: string, source: string): string =>
  [
    'create function _tessera_functions.runtime_source() returns text',
    'language sql immutable parallel safe',
    `as $tessera_runtime$select $js$${source}$js$::text$tessera_runtime$;`,
    `comment on function _tessera_functions.runtime_source() is ${literal(`JavaScript of build ${build}, which every plv8 function of tessera evaluates once per session and role`)};`,
  ].join('\n');

/** What tessera.doctor() compares with: the version, and every function by signature. */
export const emitIdentity = (version: string, signatures: readonly string[]): string =>
  [
    'create function _tessera_functions.version() returns text',
    'language sql immutable parallel safe',
    `as $$select ${literal(version)}::text$$;`,
    `comment on function _tessera_functions.version() is 'version of the functions';`,
    'create function _tessera_functions.function_list() returns text[]',
    'language sql immutable parallel safe',
    `as $$select array[\n  ${signatures.map(literal).join(',\n  ')}\n]$$;`,
    `comment on function _tessera_functions.function_list() is 'signatures of the functions this version has';`,
  ].join('\n');
