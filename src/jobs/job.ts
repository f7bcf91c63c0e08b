import { request } from '../catalog/catalog-writer.ts';
import { maybeOne, one } from '../engine/spi.ts';
import { jobMissing, notJobOwner } from './failures.ts';

/** A job as it is to be recorded; intervals and timestamps are text, as PostgreSQL writes them. */
export interface NewJob {
  /** Without the id, which is added as " [id]". */
  readonly name: string;
  readonly job_type?: string;
  readonly schedule_interval: string;
  readonly max_runtime?: string;
  readonly max_retries?: number;
  readonly retry_period?: string;
  readonly proc_schema: string;
  readonly proc_name: string;
  /** Quoted where needed; the caller when omitted. */
  readonly owner?: string;
  readonly scheduled?: boolean | null;
  readonly fixed_schedule?: boolean | null;
  readonly initial_start?: string | null;
  /** When it runs first; at once when omitted. */
  readonly first_start?: string | null;
  readonly hypertable_id?: number;
  readonly config?: object | null;
  readonly check_schema?: string | null;
  readonly check_name?: string | null;
  readonly timezone?: string | null;
}

export const createJob = (job: NewJob): number => request<number>('job.insert', job);

export const removeJob = (jobId: number): void => request('job.delete', { job_id: jobId });

/** When the job starts next, as text of a timestamptz; valid also while it runs. */
export const setNextStart = (jobId: number, moment: string): void =>
  request('job.set_next_start', { job_id: jobId, next_start: moment });

export interface Job {
  readonly id: number;
  readonly application_name: string;
  readonly schedule_interval: string;
  readonly max_runtime: string;
  readonly max_retries: number;
  readonly retry_period: string;
  readonly proc_schema: string;
  readonly proc_name: string;
  readonly owner: string;
  readonly owned: boolean;
  readonly scheduled: boolean;
  readonly fixed_schedule: boolean;
  readonly initial_start: string | null;
  readonly hypertable_id: number | null;
  readonly config: Readonly<Record<string, unknown>> | null;
  readonly check_schema: string | null;
  readonly check_name: string | null;
  readonly timezone: string | null;
  readonly next_start: string | null;
  readonly last_finish: string | null;
}

const COLUMNS = `j.id, j.application_name, j.schedule_interval::text, j.max_runtime::text, j.max_retries,
  j.retry_period::text, j.proc_schema, j.proc_name, j.owner::text, pg_has_role(j.owner, 'USAGE') as owned, j.scheduled,
  j.fixed_schedule, j.initial_start::text, j.hypertable_id, j.config::text as config, j.check_schema, j.check_name, j.timezone,
  s.next_start::text, s.last_finish::text`;

/**
 * The configuration is anybody's: a number of it that no double holds ends the session where plv8 has to make one for
 * JavaScript that runs. So it comes as text.
 */
const findOne = (condition: string, params: readonly unknown[]): Job | undefined => {
  const row = maybeOne<Omit<Job, 'config'> & { config: string | null }>(
    `select ${COLUMNS} from _tessera_catalog.bgw_job j left join _tessera_catalog.bgw_job_stat s on s.job_id = j.id
     where ${condition} order by j.id limit 1`,
    params,
  );
  return row === undefined
    ? undefined
    : { ...row, config: row.config === null ? null : (JSON.parse(row.config) as Job['config']) };
};

export const findJob = (id: number): Job | undefined => findOne('j.id = $1', [id]);

export const openOwnJob = (id: number, verb: string): Job => {
  const job = findJob(id);
  if (job === undefined) throw jobMissing(id);
  if (!job.owned) throw notJobOwner(id, job.owner, verb);
  return job;
};

/** The policy of a kind on a hypertable: the job that calls this procedure of tessera for it. */
export const findPolicy = (procName: string, hypertableId: number): Job | undefined =>
  findOne(`j.proc_schema = '_tessera_functions' and j.proc_name = $1 and j.hypertable_id = $2`, [
    procName,
    hypertableId,
  ]);

export const now = (): string => one<{ now: string }>('select now()::text as now').now;
