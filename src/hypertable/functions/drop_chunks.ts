import { debug, info, notice } from '../../engine/spi.ts';
import { displayed } from '../../lib/quote.ts';
import { defineFunction, returnsSetof } from '../../udf/define-function.ts';
import { resolveBounds, type BoundArguments } from '../dimension/chunk-bounds.ts';
import { dropChunks } from '../chunk/drop-chunks.ts';
import { dropBoundNeeded } from '../dimension/failures.ts';
import { planDrop } from '../chunk/materializations.ts';
import { openOwnHypertable } from '../dimension/open-hypertable.ts';

interface DropOptions extends BoundArguments {
  readonly verbose: boolean | null;
  readonly cascade_to_materializations: boolean | null;
  readonly cascade: boolean | null;
}

const KEPT =
  'continuous aggregates keep their results of dropped chunks for good; rows that are written there later do not count';
const saysWaiting = (count: number): string =>
  `${count === 1 ? '1 chunk stays' : `${count} chunks stay`}: a bucket of a continuous aggregate reaches from there beyond older_than`;

export const drop_chunks = defineFunction({
  schema: '_tessera_functions',
  name: 'drop_chunks',
  args: [
    { name: 'relation', type: 'bigint', doc: 'OID of the hypertable' },
    {
      name: 'options',
      type: 'jsonb',
      doc: 'the arguments of drop_chunks() by name, bounds as text with their common type',
    },
  ],
  returns: returnsSetof('text'),
  volatility: 'volatile',
  summary: 'Drops the chunks inside the bounds; the work behind drop_chunks().',
  privileges: 'owner of the hypertable',
  locks: 'ACCESS EXCLUSIVE on the root, the default partition and each chunk, with a short lock_timeout and retries',
  handler: (oid: bigint | null, options: DropOptions): string[] => {
    const { hypertable, root } = openOwnHypertable(oid);
    const bounds = resolveBounds(hypertable, options);
    if (bounds.older === null && bounds.newer === null && bounds.before === null && bounds.after === null)
      throw dropBoundNeeded();
    const { chunks, waiting, results } = planDrop(
      { hypertable, root },
      bounds,
      options.cascade_to_materializations ?? undefined,
    );
    if (waiting.length > 0) notice(saysWaiting(waiting.length));
    if (results.kind === 'freeze' && chunks.length > 0) notice(KEPT);
    dropChunks(
      { hypertable, root },
      chunks,
      options.cascade === true,
      options.verbose === true ? info : debug,
      results,
    );
    return chunks.map((c) => displayed(c));
  },
});
