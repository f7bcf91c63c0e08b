import { defineFunction, returnsTable } from '../../udf/define-function.ts';
import { sizesOf, type PlacementSize } from '../table/shard-sizes.ts';

export const shard_sizes = defineFunction({
  schema: '_tessera_functions',
  name: 'shard_sizes',
  args: [{ name: 'shardids', type: 'bigint[]', doc: 'the shards' }],
  returns: returnsTable(
    { name: 'shardid', type: 'bigint' },
    { name: 'groupid', type: 'integer' },
    { name: 'relation', type: 'bigint' },
    { name: '"table"', type: 'bigint' },
    { name: 'total', type: 'bigint' },
  ),
  volatility: 'volatile',
  summary: 'Bytes of every placement of the shards, as the nodes say.',
  privileges: 'owner of the extension',
  handler: (ids: bigint[] | null): PlacementSize[] => (ids === null || ids.length === 0 ? [] : sizesOf(ids)),
});
