import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { nullArgument } from '../../lib/failures.ts';
import { openOwnJob, removeJob } from '../job.ts';

export const delete_job = defineFunction({
  schema: 'api',
  name: 'delete_job',
  args: [{ name: 'job_id', type: 'integer', doc: 'the job' }],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Deletes a job with its statistics. A run under way is cancelled and waited for.',
  errors: '42704 no such job, 42501 not the owner',
  privileges: 'owner of the job',
  locks: 'the advisory lock of the job, exclusively',
  handler: (jobId: number | null): void => {
    if (jobId === null) throw nullArgument('job_id');
    openOwnJob(jobId, 'delete');
    removeJob(jobId);
  },
});
