import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, dirname } from 'node:path';
import { root } from '../collect.ts';

/** Each folder may import only what stands to its left; features are in the order of src/README.md. */
const ORDER = [
  'lib',
  'udf',
  'engine',
  'catalog',
  'worker',
  'jobs',
  'tasks',
  'loopback',
  'cluster',
  'hyperfunction',
  'hypertable',
  'compression',
  'cagg',
  'shard',
  'distributed',
  'rebalance',
  'clone',
  'timeline',
  'telemetry',
  'dialect',
  'doctor',
  'cli',
];
const BASE = 4;
const PURE = /(-plan|-ddl)\.ts$|\/codec\//;

const sourceFiles = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? sourceFiles(join(folder, e.name)) : e.name.endsWith('.ts') ? [join(folder, e.name)] : [],
  );

interface Import {
  readonly path: string;
  readonly typesOnly: boolean;
}

const importsOf = (text: string): Import[] =>
  [...text.matchAll(/^import\s+(type\s+)?[^;]*?from\s+'([^']+)'/gms)].map((m) => ({
    path: m[2] ?? '',
    typesOnly: m[1] !== undefined,
  }));

export const checkArrows = (): string[] => {
  const src = join(root, 'src');
  const problems: string[] = [];
  for (const file of sourceFiles(src)) {
    const name = relative(src, file);
    const folder = name.split('/')[0] ?? '';
    if (!name.includes('/')) continue; // runtime.ts imports every feature
    const rank = ORDER.indexOf(folder);
    if (rank < 0)
      problems.push(`${name}: folder "${folder}" is not in the order of build/checks/arrows.ts; give it a place there`);
    for (const i of importsOf(readFileSync(file, 'utf8'))) {
      if (!i.path.startsWith('.')) {
        if (folder !== 'cli' && (i.path === 'pg' || i.path.startsWith('node:')))
          problems.push(`${name} imports ${i.path}: only src/cli runs in Node`);
        continue;
      }
      const target = relative(src, resolve(dirname(file), i.path));
      const to = target.split('/')[0] ?? '';
      if (folder === 'cli' && to !== 'cli' && to !== 'lib')
        problems.push(`${name} imports ${target}: the command shares only lib with the extension`);
      else if (target.startsWith('..'))
        problems.push(`${name} imports ${i.path}: src must not import build or test code`);
      else if (ORDER.indexOf(to) > rank && !(i.typesOnly && to === 'catalog'))
        problems.push(
          `${name} imports ${target}: "${to}" stands to the right of "${folder}"; move the shared part to the left`,
        );
      else if (to !== folder && ORDER.indexOf(to) >= BASE && !target.endsWith('/index.ts'))
        problems.push(`${name} imports ${target}: use ${to}/index.ts`);
      if (PURE.test(name) && !i.typesOnly && to !== 'lib' && to !== folder)
        problems.push(`${name} is pure but imports ${target}: pass the value in instead`);
    }
  }
  return problems;
};
