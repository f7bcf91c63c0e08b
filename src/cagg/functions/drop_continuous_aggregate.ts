import { request } from '../../catalog/catalog-writer.ts';
import { withLockRetry } from '../../engine/lock-retry.ts';
import { inMaintenance } from '../../engine/session.ts';
import { run } from '../../engine/spi.ts';
import { findRelation, oidOf, removeCapture } from '../../hypertable/index.ts';
import { findPolicy, removeJob } from '../../jobs/index.ts';
import { qualified } from '../../lib/quote.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { caggsOf, openOwnCagg, rawHypertable, type Cagg } from '../query/cagg.ts';
import { PROC } from '../refresh/refresh-policy.ts';

/** Locks come in the order of all others: the view, the raw hypertable, the results, what is internal. */
const dropCagg = (cagg: Cagg, cascade: boolean): void => {
  const last = caggsOf(cagg.rawId).length === 1;
  const raw = rawHypertable(cagg);
  const views = [cagg.partialView, cagg.directView].flatMap((oid) => findRelation(oid) ?? []);
  request('cagg_forget', { cagg: cagg.id });
  run(`drop view ${qualified(cagg.view)}${cascade ? ' cascade' : ''}`);
  if (last) removeCapture(raw);
  run(`drop table ${qualified(cagg.mat)}`);
  for (const view of views) run(`drop view ${qualified(view)}`);
  run('select _tessera_functions.forget_dropped()');
};

export const drop_continuous_aggregate = defineFunction({
  schema: 'api',
  name: 'drop_continuous_aggregate',
  args: [
    { name: 'continuous_aggregate', type: 'regclass', doc: 'its view' },
    { name: 'cascade', type: 'boolean', default: 'false', doc: 'drop what depends on the view as well' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary:
    'Drops a continuous aggregate with its job, its results and what was noted for it. DROP VIEW does the same where the server allows event triggers.',
  errors: '0A000 no continuous aggregate, 2BP01 something depends on the view, 42501 not the owner, 55P03 no lock',
  privileges: 'owner of the continuous aggregate',
  locks:
    'ACCESS EXCLUSIVE on the view, then, if it is the last of its hypertable, on the hypertable, then on the results, in short attempts',
  handler: (view: string | null, cascade: boolean | null): void => {
    const cagg = openOwnCagg(oidOf(view));
    const job = findPolicy(PROC, cagg.id);
    if (job !== undefined) removeJob(job.id);
    inMaintenance(() => withLockRetry(() => dropCagg(cagg, cascade === true)));
  },
});
