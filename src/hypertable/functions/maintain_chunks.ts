import { callAs, currentUser } from '../../engine/session.ts';
import { isIntegerTime } from '../../lib/internal-time.ts';
import { literal } from '../../lib/quote.ts';
import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import { createRange } from '../chunk/create-range.ts';
import { timeDimension } from '../dimension/dimensions.ts';
import { aheadPlan, hypertableOf, isExcepted, waitingRows, type Config } from '../policy/policy-kinds.ts';

const args = [
  { name: 'hypertable_id', type: 'integer', doc: 'id in _tessera_catalog.hypertable' },
  { name: 'config', type: 'jsonb', doc: 'configuration of the policy' },
] as const;

export const precreate_chunks = defineFunction({
  schema: '_tessera_functions',
  name: 'precreate_chunks',
  args,
  returns: returnsScalar('integer'),
  volatility: 'volatile',
  summary: 'Creates the chunks that rows of the near future will need, and returns how many it created.',
  privileges: 'owner of the hypertable',
  locks: 'as create_chunks()',
  handler: (id: number, config: Config): number => {
    const open = hypertableOf({ hypertable_id: id });
    const { hypertable, root } = open;
    if (root.owner !== currentUser()) {
      // Where nobody's code is needed to see that there is nothing to do, no function is made for the owner either.
      const asked = isIntegerTime(timeDimension(hypertable).type) && !isExcepted(config, open);
      if (!asked && aheadPlan(open, config).kind === 'nothing') return 0;
      const call = `_tessera_functions.precreate_chunks(${id}, ${literal(JSON.stringify(config))})`;
      return Number(callAs(root.owner, hypertable.associated_schema_name, call)[0] ?? 0);
    }
    const plan = aheadPlan(open, config);
    if (plan.kind === 'nothing') return 0;
    const [first, last] = [plan.slices[0], plan.slices.at(-1)];
    return first === undefined || last === undefined ? 0 : createRange(open, first.start, last.end).length;
  },
});

export const has_waiting_rows = defineFunction({
  schema: '_tessera_functions',
  name: 'has_waiting_rows',
  args,
  returns: returnsScalar('boolean'),
  volatility: 'volatile',
  summary:
    'Whether rows that have a place in a chunk wait in the default partition of a hypertable the policy looks after.',
  privileges: 'owner of the hypertable',
  handler: (id: number, config: Config): boolean => {
    const open = hypertableOf({ hypertable_id: id });
    return !isExcepted(config, open) && waitingRows(open);
  },
});
