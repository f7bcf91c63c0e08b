import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FunctionDeclaration } from '../src/udf/define-function.ts';

export const root = new URL('..', import.meta.url).pathname;

export interface SqlFile {
  readonly path: string;
  readonly text: string;
}

const list = (folder: string, suffix: string): string[] =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder))
        .filter((f) => f.endsWith(suffix))
        .sort()
        .map((f) => `${folder}/${f}`)
    : [];

const features = (): string[] =>
  readdirSync(join(root, 'src'), { withFileTypes: true })
    .filter((d) => d.isDirectory())
    .map((d) => d.name)
    .sort();

const read = (path: string): SqlFile => ({ path, text: readFileSync(join(root, path), 'utf8') });

/** Every `functions/*.ts` of every feature, by path. */
export const functionModules = (): string[] => features().flatMap((f) => list(`src/${f}/functions`, '.ts'));

/** Plain SQL functions; a file that makes aggregates comes after those it may call. */
export const sqlFunctions = (): SqlFile[] => {
  const files = features()
    .flatMap((f) => list(`src/${f}/functions`, '.sql'))
    .map(read);
  const kind = (f: SqlFile): number => (/^create aggregate/m.test(f.text) ? 1 : 0);
  return files.sort((a, b) => kind(a) - kind(b) || (a.path < b.path ? -1 : 1));
};

export const views = (): SqlFile[] =>
  features()
    .flatMap((f) => list(`src/${f}/views`, '.sql'))
    .map(read);

/** Types a feature needs before its functions; made once per database. */
export const featureTypes = (): SqlFile[] =>
  features()
    .map((f) => `src/${f}/types.sql`)
    .filter((p) => existsSync(join(root, p)))
    .map(read);

export const installFiles = (): SqlFile[] => list('sql/install', '.sql').map(read);
export const updateFiles = (): SqlFile[] => list('sql/updates', '.sql').map(read);
export const frame = (name: string): string => read(`sql/frame/${name}.sql`).text;

const isDeclaration = (value: unknown): value is FunctionDeclaration =>
  typeof value === 'object' && value !== null && 'handler' in value && 'returns' in value && 'args' in value;

export const loadDeclarations = async (): Promise<FunctionDeclaration[]> => {
  const found: FunctionDeclaration[] = [];
  for (const path of functionModules()) {
    const module = (await import(pathToFileURL(join(root, path)).href)) as Record<string, unknown>;
    const declarations = Object.values(module).filter(isDeclaration);
    if (declarations.length === 0) throw new Error(`${path} declares no function: export what defineFunction returns`);
    found.push(...declarations);
  }
  return found;
};

export const version = (): string =>
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
