/** What `make test` runs: checks, then all tests on a server of this checkout, then one closing line. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { down, isUp, project, up } from '../server/cluster.ts';
import { SetupError } from '../server/root.ts';

const [filter] = process.argv.slice(2);
const run = (command: string, args: readonly string[]): boolean =>
  spawnSync(command, args, { cwd: project, stdio: 'inherit' }).status === 0;

const checked = filter !== undefined || run('make', ['--no-print-directory', 'check']);
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

mkdirSync(join(project, 'dist'), { recursive: true });
const report = join(project, 'dist/test-report.json');
rmSync(report, { force: true });
const passed = run('npx', [
  'vitest',
  'run',
  ...(filter === undefined ? [] : [filter]),
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
]);
if (startedHere) down();

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
}
const summary = existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as Report) : undefined;
if (!checked) process.stdout.write('make check failed: see above\n');
const failed = (summary?.numFailedTests ?? 1) + (checked ? 0 : 1);
process.stdout.write(`\n${summary?.numPassedTests ?? 0} passed, ${failed} failed\n`);
process.exit(passed && checked && summary !== undefined ? 0 : 1);
