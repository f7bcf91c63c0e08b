import { checkArrows } from './arrows.ts';
import { checkBackslashes } from './backslashes.ts';
import { checkQualified } from './qualified.ts';
import { checkRerunnable } from './rerunnable.ts';

const problems = [...checkArrows(), ...checkRerunnable(), ...checkQualified(), ...checkBackslashes()];
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(problems.length === 0 ? 'structure checks passed\n' : `${problems.length} problems\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
