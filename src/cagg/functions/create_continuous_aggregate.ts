import { requireReadCommitted } from '../../engine/isolation.ts';
import { notice } from '../../engine/spi.ts';
import { enableCapture, timeDimension } from '../../hypertable/index.ts';
import { MINUS_INFINITY, PLUS_INFINITY } from '../../lib/internal-time.ts';
import { displayed } from '../../lib/quote.ts';
import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import { findCaggById, rawHypertable } from '../query/cagg.ts';
import { createCagg, type Settings } from '../view/create-cagg.ts';
import { badOption, negativeIgnore, smallInterval } from '../refresh/failures.ts';
import { nullArgument } from '../../lib/failures.ts';
import { parseLength } from '../query/lag.ts';
import type { OpenQuery } from '../query/open-query.ts';
import { addPolicyOf, addRefreshJob } from '../refresh/refresh-policy.ts';
import { refreshNow } from '../refresh/refresh.ts';

interface Options {
  readonly name: string | null;
  readonly query: string | null;
  readonly with_data: boolean | null;
  readonly materialized_only: boolean | null;
  readonly create_group_indexes: boolean | null;
  readonly if_not_exists: boolean | null;
  readonly column_names: string[] | null;
  readonly refresh_lag: string | null;
  readonly refresh_interval: string | null;
  readonly max_interval_per_job: string | null;
  readonly ignore_invalidation_older_than: string | null;
  readonly start_offset: string | null;
  readonly end_offset: string | null;
  readonly schedule_interval: string | null;
  readonly chunk_interval: string | null;
  readonly type: string;
  readonly search_path: string;
}

const settingsOf = (o: Options, q: OpenQuery): Settings => {
  const { type } = timeDimension(q.raw.hypertable);
  const length = (name: 'refresh_lag' | 'max_interval_per_job' | 'ignore_invalidation_older_than' | 'chunk_interval') =>
    parseLength(name, o[name], o.type, type);
  const [maxInterval, ignoreOlderThan] = [length('max_interval_per_job'), length('ignore_invalidation_older_than')];
  if (maxInterval !== null && maxInterval < q.bucket.bucket_period) throw smallInterval();
  if (ignoreOlderThan !== null && ignoreOlderThan < 0n) throw negativeIgnore();
  return { refreshLag: length('refresh_lag'), maxInterval, ignoreOlderThan, chunkInterval: length('chunk_interval') };
};

export const create_continuous_aggregate = defineFunction({
  schema: '_tessera_functions',
  name: 'create_continuous_aggregate',
  args: [{ name: 'options', type: 'jsonb', doc: 'the arguments of create_continuous_aggregate() by name, as text' }],
  returns: returnsScalar('bigint'),
  volatility: 'volatile',
  summary: 'Creates a continuous aggregate; the work behind create_continuous_aggregate().',
  privileges: 'owner of the hypertable',
  locks: 'SHARE ROW EXCLUSIVE on the hypertable and its chunks, in short attempts',
  handler: (o: Options): bigint | null => {
    if (o.name === null || o.query === null) throw nullArgument(o.name === null ? 'name' : 'query');
    if (o.schedule_interval === null && (o.start_offset !== null || o.end_offset !== null))
      throw badOption('schedule_interval', 'The offsets of a policy need it.');
    requireReadCommitted('create a continuous aggregate');
    const created = createCagg(
      {
        name: o.name,
        query: o.query,
        columns: o.column_names,
        searchPath: o.search_path,
        materializedOnly: o.materialized_only === true,
        groupIndexes: o.create_group_indexes !== false,
        ifNotExists: o.if_not_exists === true,
      },
      (q) => settingsOf(o, q),
    );
    if (created === undefined) return null;
    const cagg = findCaggById(created.id);
    if (cagg === undefined) throw new Error(`continuous aggregate ${created.id} was not recorded`);
    enableCapture(rawHypertable(cagg), cagg.period);
    if (o.refresh_lag !== null || o.refresh_interval !== null || o.max_interval_per_job !== null)
      addRefreshJob(cagg, o.refresh_interval);
    if (o.schedule_interval !== null)
      addPolicyOf(cagg, {
        start_offset: o.start_offset,
        end_offset: o.end_offset,
        schedule_interval: o.schedule_interval,
        type: o.type,
      });
    if (o.with_data !== false) {
      notice(`refreshing continuous aggregate "${displayed(cagg.view)}"`);
      refreshNow(cagg, { start: MINUS_INFINITY, end: PLUS_INFINITY });
    }
    return created.view.oid;
  },
});
