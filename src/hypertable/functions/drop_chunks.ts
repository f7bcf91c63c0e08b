import { debug, info } from '../../engine/spi.ts';
import { displayed } from '../../lib/quote.ts';
import { defineFunction, returnsSetof } from '../../udf/define-function.ts';
import { resolveBounds, selectChunks, type BoundArguments } from '../chunk-bounds.ts';
import { dropChunks } from '../drop-chunks.ts';
import { dropBoundNeeded } from '../failures.ts';
import { planMaterializations } from '../materializations.ts';
import { openOwnHypertable } from '../open-hypertable.ts';

interface DropOptions extends BoundArguments {
  readonly verbose: boolean | null;
  readonly cascade_to_materializations: boolean | null;
  readonly cascade: boolean | null;
}

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
    const results = planMaterializations({ hypertable, root }, bounds, options.cascade_to_materializations);
    const chunks = selectChunks(hypertable, bounds);
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
