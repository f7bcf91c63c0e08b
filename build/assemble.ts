import type { FunctionDeclaration } from '../src/udf/define-function.ts';
import type { Bundle } from './bundle.ts';
import { featureTypes, frame, installFiles, sqlFunctions, updateFiles, views, type SqlFile } from './collect.ts';
import { emitFunction, emitIdentity, emitRuntime, signature } from './emit-sql.ts';
import { releasedVersions } from './released.ts';
import { splitStatements, stripComments } from './split-statements.ts';

export interface Sources {
  readonly version: string;
  readonly bundle: Bundle;
  readonly declarations: readonly FunctionDeclaration[];
}

const section = (title: string, text: string): string => `-- ${title}\n${text.trim()}\n`;
const fileSection = (file: SqlFile): string => section(file.path, file.text);
const byKey = (a: FunctionDeclaration, b: FunctionDeclaration): number =>
  `${a.schema}.${a.name}` < `${b.schema}.${b.name}` ? -1 : 1;

const numberOf = (file: SqlFile): number => Number.parseInt(file.path.split('/').at(-1) ?? '', 10);
/** Files numbered below 50 run before the functions, the others after them. */
const before = (): string =>
  installFiles()
    .filter((f) => numberOf(f) < 50)
    .map(fileSection)
    .join('\n');
const after = (extension: boolean): string =>
  installFiles()
    .filter((f) => numberOf(f) >= 50 && (extension || !f.path.endsWith('-extension-only.sql')))
    .map(fileSection)
    .join('\n');

/** Files numbered from 80 on say what must be there in any case: every update runs them again. */
const always = (): string =>
  installFiles()
    .filter((f) => numberOf(f) >= 80)
    .map(fileSection)
    .join('\n');

/** Names of the plain SQL functions; their argument types stand in COMMENT ON, the one place without defaults. */
const sqlSignatures = (): string[] =>
  sqlFunctions()
    .flatMap((f) => splitStatements(f.text))
    .map((s) => /^comment on (?:function|aggregate|procedure) (.+?\)) is/is.exec(stripComments(s))?.[1])
    .filter((s): s is string => s !== undefined);

/** What install and every update both run; `create` only, so that an install never replaces what somebody planted. */
export const functionsPart = (s: Sources): string =>
  [
    section('runtime', emitRuntime(s.bundle.build, s.bundle.source)),
    section('identity', emitIdentity(s.version, [...s.declarations.map(signature), ...sqlSignatures()].sort())),
    ...[...s.declarations].sort(byKey).map((f) => section(`function ${f.name}`, emitFunction(f, s.bundle.build))),
    ...sqlFunctions().map(fileSection),
    ...views().map(fileSection),
  ].join('\n');

const REPLACEABLE = /^create\s+(function|procedure|aggregate|view|trigger)\b/i;

export const orReplace = (script: string): string =>
  splitStatements(script)
    .map((statement) => {
      const bare = stripComments(statement);
      return REPLACEABLE.test(bare)
        ? statement.slice(0, statement.length - bare.length) + bare.replace(REPLACEABLE, 'create or replace $1')
        : statement;
    })
    .join('\n\n');

export const installScript = (s: Sources, options: { extension: boolean }): string =>
  [
    ...(options.extension ? [frame('header')] : []),
    frame('version-check'),
    before(),
    ...featureTypes().map(fileSection),
    functionsPart(s),
    after(options.extension),
  ].join('\n');

const compareVersions = (a: string, b: string): number => {
  const [x, y] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < 3; i++) if ((x[i] ?? 0) !== (y[i] ?? 0)) return (x[i] ?? 0) - (y[i] ?? 0);
  return 0;
};

export interface UpdateScript {
  readonly from: string;
  readonly text: string;
}

/** One script from every released version straight to this one: all steps on the way, then the functions part. */
export const updateScripts = (s: Sources): UpdateScript[] =>
  releasedVersions()
    .filter((v) => compareVersions(v, s.version) < 0)
    .map((from) => {
      const steps = updateFiles().filter((f) => {
        const start = f.path.split('/').at(-1)?.split('--')[0] ?? '';
        return compareVersions(start, from) >= 0 && compareVersions(start, s.version) < 0;
      });
      const text = [
        frame('header'),
        frame('version-check'),
        frame('pre-update'),
        ...steps.map(fileSection),
        orReplace(functionsPart(s)),
        frame('post-update'),
        always(),
      ].join('\n');
      return { from, text };
    });

/** Makes the functions anew, as members of the extension, and touches nothing else. */
export const reinstallScript = (s: Sources): string =>
  [frame('header'), frame('version-check'), orReplace(functionsPart(s))].join('\n');

/** The way back from the version named 'reinstall', which has nothing left to do. */
export const reinstalledScript = (): string => frame('header');
