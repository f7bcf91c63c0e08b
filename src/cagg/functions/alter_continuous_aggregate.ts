import { request } from '../../catalog/catalog-writer.ts';
import { withLockRetry } from '../../engine/lock-retry.ts';
import { findPolicy } from '../../jobs/index.ts';
import { displayed } from '../../lib/quote.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { openOwnCagg } from '../query/cagg.ts';
import { negativeIgnore, noJob, smallInterval } from '../refresh/failures.ts';
import { parseLength } from '../query/lag.ts';
import { rebuildView } from '../view/rebuild-view.ts';
import { PROC } from '../refresh/refresh-policy.ts';

interface Options {
  readonly materialized_only: boolean | null;
  readonly refresh_lag: string | null;
  readonly refresh_interval: string | null;
  readonly max_interval_per_job: string | null;
  readonly ignore_invalidation_older_than: string | null;
  readonly type: string;
}

export const alter_continuous_aggregate = defineFunction({
  schema: '_tessera_functions',
  name: 'alter_continuous_aggregate',
  args: [
    { name: 'continuous_aggregate', type: 'bigint', doc: 'OID of the view' },
    { name: 'options', type: 'jsonb', doc: 'the other arguments of alter_continuous_aggregate() by name, as text' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Changes options of a continuous aggregate; the work behind alter_continuous_aggregate().',
  privileges: 'owner of the continuous aggregate',
  locks: 'ACCESS EXCLUSIVE on the view when materialized_only changes, in short attempts',
  handler: (oid: bigint | null, o: Options): void => {
    const cagg = openOwnCagg(oid);
    const length = (name: 'refresh_lag' | 'max_interval_per_job' | 'ignore_invalidation_older_than') =>
      parseLength(name, o[name], o.type, cagg.timeType);
    const [lag, most, ignore] = [
      length('refresh_lag'),
      length('max_interval_per_job'),
      length('ignore_invalidation_older_than'),
    ];
    if (most !== null && most < cagg.period) throw smallInterval();
    if (ignore !== null && ignore < 0n) throw negativeIgnore();
    const job = o.refresh_interval === null ? undefined : findPolicy(PROC, cagg.id);
    if (o.refresh_interval !== null && job === undefined) throw noJob(displayed(cagg.view));
    if (o.materialized_only !== null && o.materialized_only !== cagg.materializedOnly)
      withLockRetry(() => rebuildView(cagg, o.materialized_only === true));
    request('cagg_alter', {
      cagg: cagg.id,
      materialized_only: o.materialized_only,
      refresh_lag: lag,
      max_interval_per_job: most,
      ignore_invalidation_older_than: ignore,
    });
    if (job !== undefined)
      request('job.update', {
        job_id: job.id,
        changes: { schedule_interval: o.refresh_interval, retry_period: o.refresh_interval },
      });
  },
});
