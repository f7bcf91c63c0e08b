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

const argumentTypes = (f: FunctionDeclaration): string => f.args.map((a) => a.type).join(', ');

export const signature = (f: FunctionDeclaration): string => `${schemaOf(f)}.${f.name}(${argumentTypes(f)})`;

/** All functions that are made for a declaration. */
export const signatures = (f: FunctionDeclaration): string[] => [
  signature(f),
  ...(f.opensSessions === true ? [`${schemaOf(f)}.${innerName(f)}(${argumentTypes(f)})`] : []),
];

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

const head = (f: FunctionDeclaration, name: string, defaults: boolean): string => {
  const args = f.args.map(
    (a) => `  ${a.name} ${a.type}${a.default === undefined || !defaults ? '' : ` default ${a.default}`}`,
  );
  return `create function ${schemaOf(f)}.${name}(${args.length > 0 ? `\n${args.join(',\n')}\n` : ''}) returns ${returnsSql(f.returns)}`;
};

const manner = (f: FunctionDeclaration, language: string): string =>
  `language ${language} ${f.volatility}${f.strict ? ' strict' : ''}${f.parallelSafe ? ' parallel safe' : ''}
set search_path to pg_catalog, pg_temp`;

const innerName = (f: FunctionDeclaration): string => `in_sessions_${f.name}`;

/** What calls the function and ends its sessions on nodes when the statement is cancelled in its midst. */
const guardBody = (f: FunctionDeclaration): string => {
  const call = `${schemaOf(f)}.${innerName(f)}(${f.args.map((_, i) => `$${i + 1}`).join(', ')})`;
  const statement = {
    void: `perform ${call}`,
    scalar: `return ${call}`,
    setof: `return query select x from ${call} x`,
    table: `return query select x.* from ${call} x`,
  }[f.returns.kind];
  return [
    'begin',
    `  ${statement};`,
    'exception',
    '  when query_canceled or out_of_memory then',
    '    perform _tessera_functions.end_node_sessions();',
    '    raise;',
    'end',
  ].join('\n');
};

const emitGuarded = (f: FunctionDeclaration, build: string): string =>
  [
    head(f, innerName(f), false),
    manner(f, 'plv8'),
    `as $tessera$\n${stubBody(f, build)}\n$tessera$;`,
    `comment on function ${schemaOf(f)}.${innerName(f)}(${argumentTypes(f)}) is ${literal(`work of ${f.name}(), whose sessions on nodes that ends`)};`,
    head(f, f.name, true),
    manner(f, 'plpgsql'),
    `as $tessera$\n${guardBody(f)}\n$tessera$;`,
    `comment on function ${signature(f)} is ${literal(commentText(f))};`,
  ].join('\n');

export const emitFunction = (f: FunctionDeclaration, build: string): string =>
  f.opensSessions === true
    ? emitGuarded(f, build)
    : [
        head(f, f.name, true),
        manner(f, 'plv8'),
        `as $tessera$\n${stubBody(f, build)}\n$tessera$;`,
        `comment on function ${signature(f)} is ${literal(commentText(f))};`,
      ].join('\n');

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
