import { request } from '../../catalog/catalog-writer.ts';
import { notice, one } from '../../engine/spi.ts';
import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import { checkCheck, checkName, checkScheduleInterval, checkTimezone, runCheck } from '../check-job.ts';
import { badRetries, jobMissing, minusInfinity, negative, notJobOwner, twoConfigs } from '../failures.ts';
import { nullArgument } from '../../lib/failures.ts';
import { findJob, now, type Job } from '../job.ts';

interface AlterJobOptions {
  readonly job_id: number | null;
  readonly schedule_interval: string | null;
  readonly max_runtime: string | null;
  readonly max_retries: number | null;
  readonly retry_period: string | null;
  readonly scheduled: boolean | null;
  readonly config: Readonly<Record<string, unknown>> | null;
  readonly next_start: string | null;
  readonly if_exists: boolean | null;
  /** OID as text, '0' removes the check, null keeps it. */
  readonly check_config: string | null;
  readonly fixed_schedule: boolean | null;
  readonly initial_start: string | null;
  readonly timezone: string | null;
  readonly job_name: string | null;
  readonly config_merge: Readonly<Record<string, unknown>> | null;
}

const checkNotNegative = (name: string, value: string | null): void => {
  if (value !== null && one<{ bad: boolean }>(`select $1::text::interval < interval '0' as bad`, [value]).bad)
    throw negative(name, value);
};

/** When a job whose schedule changed runs next; undefined leaves it to what is recorded. */
const nextStart = (job: Job, o: AlterJobOptions, fixed: boolean, start: string | null): string | undefined => {
  if (o.next_start !== null) return o.next_start;
  const rescheduled =
    (o.fixed_schedule !== null && o.fixed_schedule !== job.fixed_schedule) ||
    o.initial_start !== null ||
    (o.timezone !== null && o.timezone !== job.timezone);
  const interval = o.schedule_interval ?? job.schedule_interval;
  if (rescheduled && fixed)
    return one<{ next: string }>(
      `select case when $2::text::timestamptz > now() then $2::text::timestamptz
         else _tessera_functions.next_regular_start($1::text::interval, $2::text::timestamptz, $3, now()) end::text as next`,
      [interval, start ?? now(), o.timezone ?? job.timezone],
    ).next;
  const finished = job.last_finish !== null && job.last_finish !== '-infinity';
  if ((o.schedule_interval !== null || rescheduled) && finished)
    return one<{ next: string }>(
      `select case when $4::boolean and $3::text is not null
           then _tessera_functions.next_regular_start($2::text::interval, $3::text::timestamptz, $5, $1::text::timestamptz)
         else $1::text::timestamptz + $2::text::interval end::text as next`,
      [job.last_finish, interval, start, fixed, o.timezone ?? job.timezone],
    ).next;
  return undefined;
};

const checkValues = (o: AlterJobOptions, job: Job, fixed: boolean): void => {
  if (o.config !== null && o.config_merge !== null) throw twoConfigs();
  if (o.next_start === '-infinity') throw minusInfinity();
  if (o.schedule_interval !== null || o.fixed_schedule !== null)
    checkScheduleInterval(o.schedule_interval ?? job.schedule_interval, fixed);
  checkNotNegative('max_runtime', o.max_runtime);
  checkNotNegative('retry_period', o.retry_period);
  if (o.max_retries !== null && o.max_retries < -1) throw badRetries(o.max_retries);
  if (o.timezone !== null) checkTimezone(o.timezone);
  if (o.job_name !== null) checkName(o.job_name);
};

export const alter_job = defineFunction({
  schema: '_tessera_functions',
  name: 'alter_job',
  args: [{ name: 'options', type: 'jsonb', doc: 'the arguments of alter_job() by name, OIDs as text' }],
  returns: returnsScalar('boolean'),
  volatility: 'volatile',
  summary: 'Changes a job; the work behind alter_job(). False when there is none and if_exists was given.',
  privileges: 'owner of the job',
  handler: (o: AlterJobOptions): boolean => {
    if (o.job_id === null) throw nullArgument('job_id');
    const job = findJob(o.job_id);
    if (job === undefined) {
      if (o.if_exists !== true) throw jobMissing(o.job_id);
      notice(`job ${o.job_id} not found, skipping`);
      return false;
    }
    if (!job.owned) throw notJobOwner(job.id, job.owner, 'alter');
    const fixed = o.fixed_schedule ?? job.fixed_schedule;
    checkValues(o, job, fixed);
    const check =
      o.check_config !== null
        ? o.check_config === '0'
          ? null
          : checkCheck(BigInt(o.check_config), job.owner)
        : job.check_schema === null || job.check_name === null
          ? null
          : { schema: job.check_schema, name: job.check_name };
    const config = o.config ?? (o.config_merge === null ? job.config : { ...job.config, ...o.config_merge });
    if (check !== null && (o.config !== null || o.config_merge !== null || o.check_config !== null))
      runCheck(check, config, job.owner);
    const start = o.initial_start ?? job.initial_start ?? (fixed ? now() : null);
    request('job.update', {
      job_id: job.id,
      next_start: nextStart(job, o, fixed, start) ?? null,
      changes: {
        ...(o.schedule_interval === null ? {} : { schedule_interval: o.schedule_interval }),
        ...(o.max_runtime === null ? {} : { max_runtime: o.max_runtime }),
        ...(o.max_retries === null ? {} : { max_retries: o.max_retries }),
        ...(o.retry_period === null ? {} : { retry_period: o.retry_period }),
        ...(o.scheduled === null ? {} : { scheduled: o.scheduled }),
        ...(o.job_name === null ? {} : { application_name: `${o.job_name} [${job.id}]` }),
        ...(o.timezone === null ? {} : { timezone: o.timezone }),
        fixed_schedule: fixed,
        initial_start: start,
        config,
        check_schema: check?.schema ?? null,
        check_name: check?.name ?? null,
      },
    });
    return true;
  },
});
