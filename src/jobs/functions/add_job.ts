import { currentUser } from '../../engine/session.ts';
import { one } from '../../engine/spi.ts';
import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import { checkAction, checkCheck, checkName, checkScheduleInterval, checkTimezone, runCheck } from '../check-job.ts';
import { nullArgument } from '../../lib/failures.ts';
import { createJob, now } from '../job.ts';

interface AddJobOptions {
  readonly proc: string | null;
  readonly schedule_interval: string | null;
  readonly config: object | null;
  readonly initial_start: string | null;
  readonly scheduled: boolean | null;
  readonly check_config: string | null;
  readonly fixed_schedule: boolean | null;
  readonly timezone: string | null;
  readonly job_name: string | null;
}

export const add_job = defineFunction({
  schema: '_tessera_functions',
  name: 'add_job',
  args: [{ name: 'options', type: 'jsonb', doc: 'the arguments of add_job() by name, OIDs as text' }],
  returns: returnsScalar('integer'),
  volatility: 'volatile',
  summary: 'Registers a job; the work behind add_job().',
  privileges: 'EXECUTE on the function or procedure; the caller owns the job and must be able to log in',
  handler: (options: AddJobOptions): number => {
    if (options.proc === null) throw nullArgument('proc');
    if (options.schedule_interval === null) throw nullArgument('schedule_interval');
    const owner = one<{ name: string }>('select quote_ident($1) as name', [currentUser()]).name;
    const fixed = options.fixed_schedule ?? true;
    const action = checkAction(BigInt(options.proc), owner);
    checkScheduleInterval(options.schedule_interval, fixed);
    if (options.timezone !== null) checkTimezone(options.timezone);
    const name = options.job_name ?? 'User-Defined Action';
    checkName(name);
    const check = options.check_config === null ? undefined : checkCheck(BigInt(options.check_config), owner);
    if (check !== undefined) runCheck(check, options.config, owner);
    return createJob({
      name,
      schedule_interval: options.schedule_interval,
      proc_schema: action.schema,
      proc_name: action.name,
      scheduled: options.scheduled,
      fixed_schedule: fixed,
      initial_start: options.initial_start ?? (fixed ? now() : null),
      first_start: options.initial_start,
      config: options.config,
      check_schema: check?.schema ?? null,
      check_name: check?.name ?? null,
      timezone: options.timezone,
    });
  },
});
