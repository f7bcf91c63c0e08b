import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { project } from '../../../server/cluster.ts';
import { countsOf, reportFile } from '../../report.ts';

const PROBE = `
  import { stateFolder } from './server/cluster.ts';
  import { PACKAGES } from './server/root.ts';
  console.log(JSON.stringify([stateFolder, PACKAGES[0]]));`;

const run = (variables: Readonly<Record<string, string>>, ...args: string[]): ReturnType<typeof spawnSync> =>
  spawnSync('npx', ['tsx', ...args], {
    cwd: project,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...variables },
  });

const probe = (major: string): unknown =>
  JSON.parse(String(run({ PG_MAJOR: major }, '--input-type=module', '-e', PROBE).stdout));

/** Of versions that nobody has, so that no report of a run is touched. */
const reports = [901, 902];
afterAll(() => {
  for (const major of reports) rmSync(reportFile(major), { force: true });
});

const report = (major: number, passed: number, failed: number): void => {
  mkdirSync(dirname(reportFile(major)), { recursive: true });
  const text = JSON.stringify({ numPassedTests: passed, numFailedTests: failed, numPendingTests: 3 });
  writeFileSync(reportFile(major), text);
};

test('servers of several majors live side by side, those of 17 at the top', () => {
  expect(probe('')).toEqual([`${project}/.pg`, 'postgresql-17']);
  expect(probe('18')).toEqual([`${project}/.pg/18`, 'postgresql-18']);
});

test.each(['16', 'x', '17.2'])('PG_MAJOR=%s is refused with the ones there are', (major) => {
  const refused = run({ PG_MAJOR: major }, 'test/run.ts', 'nothing');
  expect(refused.status).toBe(1);
  expect(refused.stderr).toBe(
    `there is no embedded server for PG_MAJOR=${major}\nUse one of PG_MAJOR=15, 17, 18, or name an installation of yours with PG_CONFIG=/path/to/pg_config.\n`,
  );
});

test('ALSO_ON beside a server of somebody else is refused', () => {
  const variables = { ALSO_ON: '15', TESSERA_TEST_DSN: 'postgres://localhost/postgres' };
  const refused = run(variables, 'test/run.ts', 'nothing');
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain('TESSERA_TEST_DSN names another one');
});

test('a run that ended badly, or without a report, counts a failure', () => {
  report(901, 5, 0);
  report(902, 5, 2);
  expect(countsOf(901, true)).toEqual({ passed: 5, failed: 0, leftOut: 3 });
  expect(countsOf(901, false)).toEqual({ passed: 5, failed: 1, leftOut: 3 });
  expect(countsOf(902, false)).toEqual({ passed: 5, failed: 2, leftOut: 3 });
  expect(existsSync(reportFile(903))).toBe(false);
  expect(countsOf(903, true)).toEqual({ passed: 0, failed: 1, leftOut: 0 });
});
