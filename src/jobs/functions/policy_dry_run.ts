import { query } from '../../engine/spi.ts';
import { callAs } from '../../engine/session.ts';
import { maybeOne } from '../../engine/spi.ts';
import { defineFunction, returnsTable } from '../../udf/define-function.ts';
import { findJob, openOwnJob, type Job } from '../job.ts';
import { policyKind, policyKinds, type PlannedAction } from '../policy-registry.ts';

interface Line {
  readonly job_id: number;
  readonly policy: string;
  readonly hypertable: string | null;
  readonly action: string | null;
  readonly object: string | null;
  readonly reason: string;
}

/** With the rights of the owner: a policy may call his integer_now function. */
const planOf = (job: Job): readonly PlannedAction[] => {
  const mine = maybeOne(
    `select from pg_roles where rolname = current_user and (oid = $1::text::regrole or not rolsuper)`,
    [job.owner],
  );
  if (mine !== undefined) return policyKind(job.proc_name)?.plan(job) ?? [];
  const [role] = query<{ name: string }>('select rolname::text as name from pg_roles where oid = $1::text::regrole', [
    job.owner,
  ]);
  if (role === undefined) return [{ hypertable: null, action: null, object: null, reason: 'its owner was dropped' }];
  const [plan] = callAs(role.name, '_tessera_internal', `_tessera_functions.policy_plan(${job.id})`);
  return JSON.parse(plan ?? '[]', (key, v: unknown) =>
    key === 'hypertable' && typeof v === 'string' ? BigInt(v) : v,
  ) as PlannedAction[];
};

export const policy_plan = defineFunction({
  schema: '_tessera_functions',
  name: 'policy_plan',
  args: [{ name: 'job_id', type: 'integer', doc: 'the job of a policy' }],
  returns: { kind: 'scalar', type: 'text' },
  volatility: 'volatile',
  summary: 'What a policy would do now, as JSON; the work behind policy_dry_run().',
  privileges: 'owner of the job',
  handler: (id: number): string => {
    const job = openOwnJob(id, 'examine');
    return JSON.stringify(policyKind(job.proc_name)?.plan(job) ?? [], (_, v: unknown) =>
      typeof v === 'bigint' ? v.toString() : v,
    );
  },
});

export const policy_dry_run = defineFunction({
  schema: 'api',
  name: 'policy_dry_run',
  args: [
    {
      name: 'job_id',
      type: 'integer',
      default: 'null',
      doc: 'the job of a policy; null takes all whose owner the caller may act as',
    },
  ],
  returns: returnsTable(
    { name: 'job_id', type: 'integer' },
    { name: 'policy', type: 'text' },
    { name: 'hypertable', type: 'regclass' },
    { name: 'action', type: 'text' },
    { name: 'object', type: 'text' },
    { name: 'reason', type: 'text' },
  ),
  volatility: 'volatile',
  summary:
    'Says what policies would do if they ran now, and does nothing. Where a policy has nothing to do, action is null and reason says why.',
  errors: '42704 no such job, 42501 not the owner',
  privileges: 'owner of the job',
  handler: (id: number | null): Line[] => {
    const jobs =
      id === null
        ? query<{ id: number }>(
            `select id from _tessera_catalog.bgw_job
             where proc_schema = '_tessera_functions' and pg_has_role(owner, 'USAGE') order by id`,
          ).flatMap((row) => findJob(row.id) ?? [])
        : [openOwnJob(id, 'examine')];
    const known = new Set(policyKinds().map((k) => k.proc));
    return jobs
      .filter((job) => job.proc_schema === '_tessera_functions' && known.has(job.proc_name))
      .flatMap((job) =>
        planOf(job).map((p) => ({
          job_id: job.id,
          policy: policyKind(job.proc_name)?.title ?? job.proc_name,
          hypertable: p.hypertable === null ? null : p.hypertable.toString(),
          action: p.action,
          object: p.object,
          reason: p.reason,
        })),
      );
  },
});
