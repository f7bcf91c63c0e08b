import { expect, test } from 'vitest';
import { jobState, TASK_STATES, type TaskState } from '../../../src/tasks/job-state-plan.ts';

/** Every set of states, as a list. */
const sets: TaskState[][] = Array.from({ length: 1 << TASK_STATES.length }, (_, bits) =>
  TASK_STATES.filter((_, i) => (bits >> i) & 1),
);

test('the state of a job follows the first rule that matches', () => {
  expect(jobState([])).toBe('finished');
  expect(jobState(['done', 'done'])).toBe('finished');
  expect(jobState(['done', 'runnable'])).toBe('running');
  expect(jobState(['done', 'error'])).toBe('failed');
  expect(jobState(['done', 'error', 'unscheduled', 'running'])).toBe('failing');
  expect(jobState(['error', 'cancelled', 'running'])).toBe('cancelled');
  expect(jobState(['error', 'cancelled', 'cancelling'])).toBe('cancelling');
});

test('neither order nor number of tasks matters to the state of a job', () => {
  for (const set of sets) expect(jobState([...set].reverse().concat(set, set))).toBe(jobState(set));
});

test('a job has ended exactly when all of its tasks have, or one was cancelled', () => {
  const ended = ['done', 'error', 'unscheduled', 'cancelled'];
  for (const set of sets) {
    const over = ['finished', 'cancelled', 'failed'].includes(jobState(set));
    const expected = set.every((s) => ended.includes(s)) || (set.includes('cancelled') && !set.includes('cancelling'));
    expect(over, set.join()).toBe(expected);
  }
});

test('only a job without failures and cancellations finishes', () => {
  for (const set of sets) if (jobState(set) === 'finished') expect(set.filter((s) => s !== 'done')).toEqual([]);
});
