import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, dirname } from 'node:path';
import { root } from '../collect.ts';
import { circles } from './cycles.ts';
import { foldersOf } from './room-order.ts';

const src = join(root, 'src');
const PURE = /(-plan|-ddl)\.ts$|\/codec\//;
/** Any feature may import these by file; of the others only what their index.ts gives. */
const BASE = ['lib', 'udf', 'engine', 'catalog'];

const sourceFiles = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? sourceFiles(join(folder, e.name)) : e.name.endsWith('.ts') ? [join(folder, e.name)] : [],
  );

interface Import {
  /** Path below src, or the name of a package. */
  readonly target: string;
  readonly isPackage: boolean;
  readonly typesOnly: boolean;
}

const importsOf = (file: string): Import[] =>
  [...readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s+(type\s+)?(?:[^;]*?from\s+)?'([^']+)'/gms)].map((m) => {
    const path = m[2] ?? '';
    const isPackage = !path.startsWith('.');
    return {
      target: isPackage ? path : relative(src, resolve(dirname(file), path)),
      isPackage,
      typesOnly: m[1] !== undefined,
    };
  });

const feature = (name: string): string => name.split('/')[0] ?? '';
/** The folder below that of the feature; empty for what lies in the feature itself. */
const room = (name: string): string => name.split('/').slice(1, -1)[0] ?? '';

/** Between features: only what stands above in the table of src/README.md, through its index.ts. */
const betweenFeatures = (order: readonly string[], name: string, i: Import): string | undefined => {
  const [from, to] = [feature(name), feature(i.target)];
  if (i.isPackage)
    return from !== 'cli' && (i.target === 'pg' || i.target.startsWith('node:'))
      ? 'only src/cli runs in Node'
      : undefined;
  if (i.target.startsWith('..')) return 'src must not import build or test code';
  if (from === to) return undefined;
  if (from === 'cli' && to !== 'lib') return 'the command shares only lib with the extension';
  if (order.indexOf(to) > order.indexOf(from))
    return `"${to}" stands below "${from}" in src/README.md; move the shared part up`;
  if (!BASE.includes(to) && !i.target.endsWith('/index.ts')) return `use ${to}/index.ts`;
  return undefined;
};

/** Within one: only what stands above in the table of its README; functions/ may import every room, none of them functions/. */
const betweenRooms = (order: readonly string[], name: string, i: Import): string | undefined => {
  if (i.isPackage || feature(name) !== feature(i.target) || order.length === 0) return undefined;
  const [from, to] = [room(name), room(i.target)];
  if (from === '' || from === 'functions' || from === to) return undefined;
  if (to === '' || to === 'functions') return `a room must not import ${to === '' ? 'index.ts' : 'functions/'}`;
  return order.indexOf(to) > order.indexOf(from)
    ? `"${to}" stands below "${from}" in src/${feature(name)}/README.md; move the shared part up`
    : undefined;
};

const misplaced = (rooms: readonly string[], name: string): string | undefined => {
  const place = room(name);
  if (place === 'functions') return undefined;
  if (place === '')
    return rooms.length === 0 || name.endsWith('/index.ts') ? undefined : 'lies in no room of its feature';
  return rooms.includes(place) ? undefined : `folder "${place}" is not in the table of its feature's README`;
};

export const checkArrows = (): string[] => {
  const features = foldersOf('src/README.md');
  const files = sourceFiles(src).map((file) => ({ name: relative(src, file), imports: importsOf(file) }));
  const there = readdirSync(src, { withFileTypes: true })
    .filter((e) => e.isDirectory())
    .map((e) => e.name);
  const problems = [
    ...features.filter((f) => !there.includes(f)).map((f) => `src/README.md names "${f}", which is not there`),
    ...there
      .filter((f) => !features.includes(f))
      .map((f) => `src/${f} is not in the table of src/README.md; give it a place there`),
  ];
  const roomsOf = new Map(there.map((f) => [f, foldersOf(`src/${f}/README.md`)]));
  for (const { name, imports } of files) {
    if (!name.includes('/')) continue; // runtime.ts imports every feature
    const rooms = roomsOf.get(feature(name)) ?? [];
    const place = misplaced(rooms, name);
    if (place !== undefined) problems.push(`${name}: ${place}`);
    for (const i of imports) {
      const why = betweenFeatures(features, name, i) ?? betweenRooms(rooms, name, i);
      if (why !== undefined) problems.push(`${name} imports ${i.target}: ${why}`);
      if (PURE.test(name) && !i.typesOnly && !i.isPackage && ![feature(name), 'lib'].includes(feature(i.target)))
        problems.push(`${name} is pure but imports ${i.target}: pass the value in instead`);
    }
  }
  const graph = new Map(files.map((f) => [f.name, f.imports.filter((i) => !i.isPackage).map((i) => i.target)]));
  return [...problems, ...circles(graph).map((c) => `files import one another in a circle: ${c.join(' -> ')}`)];
};
