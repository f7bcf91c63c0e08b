import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../collect.ts';

/** Folders that the table of a README names, in its order: `| \`name/\` | what it holds |`. */
export const foldersOf = (readme: string): string[] => {
  const path = join(root, readme);
  if (!existsSync(path)) return [];
  return [...readFileSync(path, 'utf8').matchAll(/^\| `([\w-]+)\/` \|/gm)].map((m) => m[1] ?? '');
};
