import { defineFunction, returnsSetof } from '../../udf/define-function.ts';
import { resolveBounds, selectChunks, type BoundArguments } from '../dimension/chunk-bounds.ts';
import { openHypertable } from '../dimension/open-hypertable.ts';

export const show_chunks = defineFunction({
  schema: '_tessera_functions',
  name: 'show_chunks',
  args: [
    { name: 'relation', type: 'bigint', doc: 'OID of the hypertable' },
    { name: 'bounds', type: 'jsonb', doc: 'the bounds of show_chunks() by name, as text, and their common type' },
  ],
  returns: returnsSetof('bigint'),
  volatility: 'stable',
  summary: 'OIDs of the chunks inside the bounds; the work behind show_chunks().',
  privileges: 'anybody',
  handler: (oid: bigint | null, bounds: BoundArguments): bigint[] => {
    const { hypertable } = openHypertable(oid);
    return selectChunks(hypertable, resolveBounds(hypertable, bounds)).map((c) => c.oid);
  },
});
