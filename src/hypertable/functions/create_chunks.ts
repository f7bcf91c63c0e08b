import { callAs, currentUser } from '../../engine/session.ts';
import { literal } from '../../lib/quote.ts';
import { defineFunction, returnsSetof } from '../../udf/define-function.ts';
import { toInternal } from '../dimension/chunk-bounds.ts';
import { timeDimension } from '../dimension/dimensions.ts';
import { createRange } from '../chunk/create-range.ts';
import { rangeInverted, tooManyChunks } from '../chunk/failures.ts';
import { nullArgument } from '../../lib/failures.ts';
import { openOwnHypertable } from '../dimension/open-hypertable.ts';

const MOST = 10_000n;

export const create_chunks = defineFunction({
  schema: '_tessera_functions',
  name: 'create_chunks',
  args: [
    { name: 'relation', type: 'bigint', doc: 'OID of the hypertable' },
    { name: 'range_start', type: 'text', doc: 'first value' },
    { name: 'range_end', type: 'text', doc: 'value behind the last' },
    { name: 'type', type: 'text', doc: 'common type of the two' },
  ],
  returns: returnsSetof('bigint'),
  volatility: 'volatile',
  summary: 'Creates the chunks a range of time lacks; the work behind create_chunks().',
  privileges: 'owner of the hypertable',
  locks: 'SHARE ROW EXCLUSIVE on the root, ACCESS EXCLUSIVE on the default partition, in short attempts',
  handler: (oid: bigint | null, from: string | null, to: string | null, given: string): bigint[] => {
    const { hypertable, root } = openOwnHypertable(oid);
    if (from === null || to === null) throw nullArgument(from === null ? 'range_start' : 'range_end');
    const time = timeDimension(hypertable);
    const [start, end] = [toInternal(from, given, time.type), toInternal(to, given, time.type)];
    if (start >= end) throw rangeInverted();
    const count = (end - start) / time.interval;
    if (count > MOST) throw tooManyChunks(count);
    if (root.owner !== currentUser())
      return callAs(
        root.owner,
        hypertable.associated_schema_name,
        `_tessera_functions.create_chunks(${root.oid}, ${literal(from)}, ${literal(to)}, ${literal(given)})`,
      ).map((chunk) => BigInt(chunk ?? 0));
    return createRange({ hypertable, root }, start, end);
  },
});
