import { checkScheduleInterval, createJob, findPolicy, removeJob, type NewJob } from '../../jobs/index.ts';
import { notice, one, warning } from '../../engine/spi.ts';
import { displayed } from '../../lib/quote.ts';
import { policyExists, policyMissing } from './failures.ts';
import type { OpenHypertable } from '../dimension/open-hypertable.ts';

export interface NewPolicy extends Omit<NewJob, 'proc_schema' | 'owner' | 'hypertable_id' | 'fixed_schedule'> {
  /** As a message names it: "retention policy". */
  readonly title: string;
  readonly ifNotExists: boolean | null;
}

const sameConfig = (a: object | null, b: object): boolean =>
  one<{ same: boolean }>('select $1::text::jsonb = $2::text::jsonb as same', [JSON.stringify(a), JSON.stringify(b)])
    .same;

/** Registers a policy of the hypertable, owned by its owner, and returns the job; -1 when there was one already. */
export const addPolicy = ({ hypertable, root }: OpenHypertable, policy: NewPolicy): number => {
  const { title, ifNotExists, ...job } = policy;
  checkScheduleInterval(job.schedule_interval, job.initial_start != null);
  const config = { hypertable_id: hypertable.id, ...policy.config };
  const existing = findPolicy(policy.proc_name, hypertable.id);
  if (existing !== undefined) {
    const said = `${title} already exists for hypertable "${displayed(root)}"`;
    if (ifNotExists !== true) throw policyExists(said);
    if (sameConfig(existing.config, config)) notice(`${said}, skipping`);
    else
      warning(
        `${said} with other arguments. Job ${existing.id} stays as it is; remove that policy before you add this one`,
      );
    return -1;
  }
  return createJob({
    ...job,
    proc_schema: '_tessera_functions',
    owner: one<{ name: string }>('select quote_ident($1) as name', [root.owner]).name,
    hypertable_id: hypertable.id,
    // As TimescaleDB has it: a schedule is fixed when it was said from when on.
    fixed_schedule: policy.initial_start != null,
    first_start: policy.initial_start ?? null,
    config,
  });
};

export const removePolicy = (
  { hypertable, root }: OpenHypertable,
  proc: string,
  title: string,
  ifExists: boolean,
): void => {
  const existing = findPolicy(proc, hypertable.id);
  if (existing !== undefined) removeJob(existing.id);
  else if (ifExists) notice(`${title} does not exist for hypertable "${displayed(root)}", skipping`);
  else throw policyMissing(`${title} does not exist for hypertable "${displayed(root)}"`);
};
