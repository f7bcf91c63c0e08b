import { findHypertableById, hypertableOid } from '../../catalog/hypertable.ts';
import { debug, isCancel, isSpiError, one, warning } from '../../engine/spi.ts';
import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import { dropEmptied } from '../chunk/drop-emptied.ts';
import { isNotNow, placeRows } from '../chunk/place-rows.ts';
import { findRelation } from '../table/relation.ts';

export const place_rows = defineFunction({
  schema: '_tessera_functions',
  name: 'place_rows',
  args: [{ name: 'hypertable_id', type: 'integer', doc: 'id in _tessera_catalog.hypertable' }],
  returns: returnsScalar('bigint'),
  volatility: 'volatile',
  summary:
    'Moves the rows of the default partition into chunks at commit, and drops the chunks that the transaction has truncated. Never fails the transaction: rows that cannot be moved now, and rows that a subscription applies, stay readable in the default partition.',
  privileges: 'owner of the hypertable',
  locks:
    'SHARE ROW EXCLUSIVE on the root, ACCESS EXCLUSIVE on the default partition, for at most 50 ms of waiting each',
  handler: (hypertableId: number): bigint | null => {
    const hypertable = findHypertableById(hypertableId);
    if (hypertable === undefined) return null;
    const oid = hypertableOid(hypertableId);
    const root = oid === undefined ? undefined : findRelation(oid);
    if (root === undefined) return null;
    // The catalog is written through triggers of a view, which cannot be made to fire always.
    if (one<{ off: boolean }>(`select current_setting('session_replication_role') = 'replica' as off`).off) {
      debug('rows stay in the default partition: session_replication_role is "replica"');
      return null;
    }
    dropEmptied({ hypertable, root });
    try {
      return BigInt(placeRows(hypertable, root, '50ms', 'at commit'));
    } catch (e) {
      if (!isSpiError(e) || isCancel(e)) throw e;
      if (isNotNow(e)) debug(`rows stay in the default partition: ${e.message}`);
      else warning(`rows stay in the default partition: ${e.message}`);
      return null;
    }
  },
});
