import { inMaintenance } from '../../engine/session.ts';
import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import { moveRows } from '../create/become-hypertable.ts';
import { notTableOwner, relationMissing } from '../../lib/failures.ts';
import { openOwnHypertable } from '../dimension/open-hypertable.ts';
import { findRelation } from '../table/relation.ts';
import { displayed } from '../../lib/quote.ts';

export const move_rows = defineFunction({
  schema: '_tessera_functions',
  name: 'move_rows',
  args: [
    { name: 'relation', type: 'bigint', doc: 'OID of a hypertable that is being made' },
    { name: 'source', type: 'bigint', doc: 'OID of the table it was' },
  ],
  returns: returnsScalar('bigint'),
  volatility: 'volatile',
  summary: 'Copies the rows of a table into the chunks of its successor and returns how many have no place in one.',
  privileges: 'owner of both',
  handler: (oid: bigint, source: bigint): bigint => {
    const { hypertable, root } = openOwnHypertable(oid);
    const old = findRelation(source);
    if (old === undefined) throw relationMissing(source);
    if (!old.owned) throw notTableOwner(displayed(old));
    return inMaintenance(() => BigInt(moveRows(hypertable, { ...root, replicaIdentity: 'd' }, old)));
  },
});
