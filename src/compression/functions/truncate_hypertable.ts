import { inMaintenance } from '../../engine/session.ts';
import { debug, query, run } from '../../engine/spi.ts';
import { withLockRetry } from '../../engine/lock-retry.ts';
import { qualified } from '../../lib/quote.ts';
import {
  dropChunks,
  flushCapture,
  isCaptured,
  logEverything,
  oidOf,
  openOwnHypertable,
  type SelectedChunk,
} from '../../hypertable/index.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';

export const truncate_hypertable = defineFunction({
  schema: 'api',
  name: 'truncate_hypertable',
  args: [{ name: 'hypertable', type: 'regclass', doc: 'the hypertable' }],
  returns: returnsVoid,
  volatility: 'volatile',
  summary:
    'Empties a hypertable that has compressed chunks, which TRUNCATE cannot: drops them, truncates the rest, and has that dropped at commit.',
  errors: 'TS001 not a hypertable, 2BP01 a view depends on the segments of a chunk, 55P03 no lock',
  privileges: 'owner of the hypertable',
  locks: 'ACCESS EXCLUSIVE on the hypertable',
  handler: (table: string | null): void => {
    const open = openOwnHypertable(oidOf(table));
    inMaintenance(() =>
      withLockRetry(() => {
        run(`lock table ${qualified(open.root)} in access exclusive mode`);
        const compressed = query<SelectedChunk>(
          `select c.id, c.schema_name as schema, c.table_name as name, c.relid::oid::int8 as oid
           from _tessera_catalog.chunk c join _tessera_catalog.compressed_chunk k on k.chunk_id = c.id
           where c.hypertable_id = $1 order by c.id`,
          [open.hypertable.id],
        );
        dropChunks(open, compressed, false, debug);
        if (isCaptured(open.hypertable)) logEverything(open);
        flushCapture(open.hypertable, 'all');
        run(`truncate ${qualified(open.root)}`);
      }),
    );
  },
});
