/** States of a task, in the order of the enum citus_task_status. */
export const TASK_STATES = [
  'blocked',
  'runnable',
  'running',
  'done',
  'cancelling',
  'error',
  'unscheduled',
  'cancelled',
] as const;
export type TaskState = (typeof TASK_STATES)[number];
export type JobState = 'scheduled' | 'running' | 'finished' | 'cancelling' | 'cancelled' | 'failing' | 'failed';

/**
 * The state of a job whose first task has started, from the states of its tasks. The SQL twin of the same name is what
 * the executors use, since they would otherwise all load the bundle; a test holds the two together over all 256 sets.
 */
export const jobState = (tasks: Iterable<TaskState>): JobState => {
  const present = new Set(tasks);
  const any = (...states: TaskState[]): boolean => states.some((s) => present.has(s));
  if (any('cancelling')) return 'cancelling';
  if (any('cancelled')) return 'cancelled';
  const open = any('blocked', 'runnable', 'running');
  if (any('error', 'unscheduled')) return open ? 'failing' : 'failed';
  return open ? 'running' : 'finished';
};
