import { run } from '../../engine/spi.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { oidOf, openOwnHypertable } from '../../hypertable/index.ts';
import { disableCompression, enableCompression } from '../change/enable.ts';
import { compressNeeded } from '../settings/failures.ts';

export const set_compression = defineFunction({
  schema: 'api',
  name: 'set_compression',
  args: [
    { name: 'hypertable', type: 'regclass', doc: 'the hypertable' },
    { name: 'compress', type: 'boolean', default: 'true', doc: 'whether its chunks can be compressed; null is true' },
    {
      name: 'compress_segmentby',
      type: 'text',
      default: 'null',
      doc: "columns by which queries select, like 'device, room'; a segment has one value of each. '' is none, null what was set before, none at first",
    },
    {
      name: 'compress_orderby',
      type: 'text',
      default: 'null',
      doc: "order of the rows in a segment, like 'time desc nulls last'; the time column is added, newest first, where it is missing. null is what was set before",
    },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary:
    'Enables compression for a hypertable, changes its options, or disables it: what ALTER TABLE ... SET (timescaledb.compress, ...) does in TimescaleDB.',
  errors:
    '42601 a list that cannot be parsed or names a wrong column, 42883 a type without order, 0A000 what compression cannot keep (row-level security, exclusion constraints, keys with columns outside the lists), or compressed chunks while disabling, 42501 the owner of the extension lacks a right, with the statement that gives it, 55P03 no lock',
  privileges: 'owner of the hypertable',
  locks: 'ACCESS EXCLUSIVE on the hypertable and its chunks where it has keys, which move to the chunks',
  handler: (table: string | null, compress: boolean | null, segmentBy: string | null, orderBy: string | null): void => {
    const open = openOwnHypertable(oidOf(table));
    if (compress !== false) {
      run('select _tessera_functions.require_wrapper()'); // or no chunk could be compressed later
      enableCompression(open, segmentBy, orderBy);
      return;
    }
    if (segmentBy !== null || orderBy !== null) throw compressNeeded();
    disableCompression(open);
  },
});
