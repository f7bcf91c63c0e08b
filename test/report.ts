import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../server/cluster.ts';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly leftOut: number;
}

export const reportFile = (major: number): string => join(project, `dist/test-report-${major}.json`);

/** A run that ended badly counts a failure at least, whatever its report says of single tests. */
export const countsOf = (major: number, ended: boolean): Counts => {
  const file = reportFile(major);
  if (!existsSync(file)) return { passed: 0, failed: 1, leftOut: 0 };
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  return {
    passed: report.numPassedTests,
    failed: Math.max(report.numFailedTests, ended ? 0 : 1),
    leftOut: report.numPendingTests,
  };
};
