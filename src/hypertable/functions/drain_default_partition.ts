import { withLockRetry } from '../../engine/lock-retry.ts';
import { callAs, currentUser } from '../../engine/session.ts';
import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import { oidOf, openOwnHypertable } from '../dimension/open-hypertable.ts';
import { placeRows } from '../chunk/place-rows.ts';

const drain = (oid: bigint | null): bigint => {
  const { hypertable, root } = openOwnHypertable(oid);
  if (root.owner === currentUser()) return BigInt(withLockRetry(() => placeRows(hypertable, root, '100ms')));
  const [moved] = callAs(
    root.owner,
    hypertable.associated_schema_name,
    `_tessera_functions.drain_default_partition(${root.oid})`,
  );
  return BigInt(moved ?? 0);
};

export const drain_default_partition = defineFunction({
  schema: 'api',
  name: 'drain_default_partition',
  args: [{ name: 'hypertable', type: 'regclass', doc: 'the hypertable' }],
  returns: returnsScalar('bigint'),
  volatility: 'volatile',
  summary:
    'Moves rows that stayed in the default partition, because a lock was not to be had when they were inserted, into chunks, and returns how many it moved. Rows with infinite time, and rows that a foreign key points at, stay.',
  errors: 'TS001 not a hypertable, 55P03 no lock',
  privileges: 'owner of the hypertable',
  locks:
    'SHARE ROW EXCLUSIVE on the hypertable, ACCESS EXCLUSIVE on its default partition, waited for in short attempts',
  handler: (table: string | null): bigint => drain(oidOf(table)),
});

export const drain_by_oid = defineFunction({
  schema: '_tessera_functions',
  name: 'drain_default_partition',
  args: [{ name: 'relation', type: 'bigint', doc: 'OID of the hypertable' }],
  returns: returnsScalar('bigint'),
  volatility: 'volatile',
  summary: 'The work behind drain_default_partition(), as the owner of the hypertable.',
  privileges: 'owner of the hypertable',
  handler: drain,
});
