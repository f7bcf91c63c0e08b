import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { root, version } from './collect.ts';

const ENDING = '.sql.br';
const folder = join(root, 'sql/released');
const packed = (v: string): string => join(folder, `tessera--${v}${ENDING}`);

/** Versions whose install scripts are kept, in the order of their names. */
export const releasedVersions = (): string[] =>
  readdirSync(folder)
    .filter((f) => f.endsWith(ENDING))
    .sort()
    .map((f) => f.slice('tessera--'.length, -ENDING.length));

/** The install script of an earlier version, as it was released. */
export const releasedScript = (v: string): string => brotliDecompressSync(readFileSync(packed(v))).toString('utf8');

/** Keeps what the build has made for the version of now; to be run once, as it is released. */
const keep = (): void => {
  const script = readFileSync(join(root, `dist/tessera--${version()}.sql`));
  // The largest window: most of a script is one bundle.
  writeFileSync(
    packed(version()),
    brotliCompressSync(script, { params: { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS } }),
  );
};

if (fileURLToPath(import.meta.url) === process.argv[1]) {
  const what = process.argv[2];
  if (what === 'keep') keep();
  else if (what !== undefined && releasedVersions().includes(what)) process.stdout.write(releasedScript(what));
  else throw new Error(`usage: npx tsx build/released.ts keep | ${releasedVersions().join(' | ')}`);
}
