/** What other features may use: a policy is a job whose procedure is tessera's own. */
export { createJob, findJob, findPolicy, openOwnJob, removeJob, setNextStart, type Job, type NewJob } from './job.ts';
export { checkScheduleInterval, checkTimezone } from './check-job.ts';
export { registerPolicy, type PlannedAction, type PolicyKind } from './policy-registry.ts';
