/**
 * What `make test` runs: checks, then all tests on one server, then, for each major version in ALSO_ON, those that meet
 * other ground there, and one closing line for all of it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { project } from '../server/cluster.ts';
import { checkMajor, PG_MAJOR, SetupError } from '../server/root.ts';
import { ENGINE_FILE } from './harness/engine.ts';
import { countsOf, reportFile, type Counts } from './report.ts';

/** What depends on the version: the language, the catalogs, the trees of views, dumps, replication, the documented. */
const VERSION_DEPENDENT = [
  'server/plv8',
  'test/sql',
  'test/cluster/aggregate',
  'test/cluster/change/ddl',
  'test/cluster/distribute/tables',
  'test/upgrade',
  'test/docs',
];

const [filter] = process.argv.slice(2);
const also = (process.env.ALSO_ON ?? '').split(/[\s,]+/).filter((m) => m !== '');
const elsewhere = ['PG_CONFIG', 'TESSERA_TEST_DSN', 'TESSERA_TEST_SERVER'].find((v) => process.env[v] !== undefined);
try {
  if (elsewhere === undefined) checkMajor();
  else if (also.length > 0)
    throw new SetupError(`ALSO_ON is for the servers that make test brings along, and ${elsewhere} names another one`);
} catch (e) {
  if (!(e instanceof SetupError)) throw e;
  process.stderr.write(`${e.message}\n`);
  process.exit(1);
}

const run = (command: string, args: readonly string[], major = PG_MAJOR): boolean =>
  spawnSync(command, args, {
    cwd: project,
    stdio: 'inherit',
    env: { ...process.env, ...(elsewhere === undefined ? { PG_MAJOR: String(major) } : {}) },
  }).status === 0;

const notes: string[] = [];
const testOn = (major: number, filters: readonly string[]): Counts => {
  for (const file of [ENGINE_FILE, reportFile(major)]) rmSync(file, { force: true });
  const counts = countsOf(major, run('npx', ['tsx', 'test/run-on-server.ts', ...filters], major));
  const engine = existsSync(ENGINE_FILE)
    ? `on ${readFileSync(ENGINE_FILE, 'utf8')}`
    : `without a server${elsewhere === undefined ? ` of PostgreSQL ${major}` : ''}, which no test needed or which was not ready`;
  notes.push(`${engine}: passed ${counts.passed}, failed ${counts.failed}, left out ${counts.leftOut}`);
  return counts;
};

const checked = filter !== undefined || run('make', ['--no-print-directory', 'check']);
const all = [
  testOn(PG_MAJOR, filter === undefined ? [] : [filter]),
  ...also.map((major) => testOn(Number(major), filter === undefined ? VERSION_DEPENDENT : [filter])),
];
const sum = (of: (counts: Counts) => number): number => all.map(of).reduce((a, b) => a + b, 0);
const failed = sum((c) => c.failed) + (checked ? 0 : 1);
if (!checked) process.stdout.write('make check failed: see above\n');
process.stdout.write(`\n${notes.join('\n')}\n\n${sum((c) => c.passed)} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
