import { request } from '../../catalog/catalog-writer.ts';
import { inMaintenance } from '../../engine/session.ts';
import { one, run } from '../../engine/spi.ts';
import { displayed, qualified } from '../../lib/quote.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { refersToCopies } from '../change/change-keys.ts';
import { AWAIT_TRIGGER } from '../distribute/distribute.ts';
import { openOwnDistributed } from '../table/distributed-table.ts';
import { nullArgument } from '../../lib/failures.ts';
import { referenceTableKeys } from '../change/failures.ts';

export const drop_distributed_constraint = defineFunction({
  schema: 'api',
  name: 'drop_distributed_constraint',
  args: [
    { name: 'table_name', type: 'regclass', doc: 'a distributed table' },
    {
      name: 'constraint_name',
      type: 'name',
      doc: 'a primary key, unique constraint, unique index, exclusion constraint or foreign key that its shards have',
    },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Drops a key that the shards of a distributed table have. All shards lose it, or none.',
  privileges: 'owner of the table',
  locks: 'ACCESS EXCLUSIVE on the table',
  errors:
    '42704 there is no such key, 2BP01 a foreign key refers to it, 25001 the table was used in this transaction, 55P03 shards of its group are being moved',
  handler: (table: string | null, name: string | null) => {
    const oid = table === null ? null : one<{ oid: bigint }>('select $1::regclass::oid::int8 as oid', [table]).oid;
    const { table: t, root } = openOwnDistributed(oid);
    if (t.model === 't') throw referenceTableKeys(displayed(root));
    if (name === null) throw nullArgument('constraint_name');
    run(`lock table only ${qualified(root)} in access exclusive mode`);
    request('shard.drop_key', { relid: root.oid, name });
    if (!refersToCopies(root.oid))
      inMaintenance(() => run(`drop trigger if exists ${AWAIT_TRIGGER} on ${qualified(root)}`));
  },
});
