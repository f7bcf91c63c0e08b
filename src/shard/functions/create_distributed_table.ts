import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { distribute } from '../distribute/distribute.ts';
import { badShardCount, countWithoutKey, countWithTable, onlyHash } from '../distribute/failures.ts';

/** none, default, or the OID of the table as text. */
const colocation = (text: string): string => (text === 'none' || text === 'default' ? text : text);

export const create_distributed_table = defineFunction({
  schema: '_tessera_functions',
  name: 'create_distributed_table',
  args: [
    { name: 'relation', type: 'bigint', doc: 'OID of the table' },
    { name: 'distribution_column', type: 'text', doc: 'the hash key; null for one shard' },
    { name: 'distribution_type', type: 'text', doc: 'hash' },
    { name: 'colocate_with', type: 'text', doc: 'default, none, or a table, as the caller would write it' },
    { name: 'shard_count', type: 'integer', doc: 'number of shards, null for the usual one' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Spreads a table over the nodes; the work behind the function of the same name.',
  privileges: 'owner of the table',
  locks: 'ACCESS EXCLUSIVE on the table',
  handler: (
    oid: bigint | null,
    column: string | null,
    type: string | null,
    colocate_with: string | null,
    shard_count: number | null,
  ) => {
    if (oid === null || colocate_with === null) return;
    if (type !== null && type !== 'hash') throw onlyHash(type);
    const other = colocation(colocate_with);
    if (shard_count !== null) {
      if (column === null) throw countWithoutKey();
      if (other !== 'none' && other !== 'default') throw countWithTable();
      if (shard_count < 1 || shard_count > 64000) throw badShardCount(shard_count);
    }
    distribute(oid, { column, with: other, shardCount: shard_count });
  },
});
