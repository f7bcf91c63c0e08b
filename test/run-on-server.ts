/** The tests, or those whose path matches, on one server: this checkout's, or the one that the environment names. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { down, isUp, project, up } from '../server/cluster.ts';
import { PG_MAJOR, SetupError } from '../server/root.ts';
import { reportFile } from './report.ts';

const filters = process.argv.slice(2);
const report = reportFile(PG_MAJOR);
mkdirSync(dirname(report), { recursive: true });

const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';
let startedHere = false;
try {
  if (embedded) {
    startedHere = !isUp();
    await up({ workers: 3 });
  }
} catch (e) {
  if (!(e instanceof SetupError)) throw e;
  process.stderr.write(`${e.message}\n`);
  process.exit(1);
}
const arguments_ = [
  'vitest',
  'run',
  ...filters,
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
];
const passed = spawnSync('npx', arguments_, { cwd: project, stdio: 'inherit' }).status === 0;
if (startedHere) down();
process.exit(passed ? 0 : 1);
