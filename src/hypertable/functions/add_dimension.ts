import { request } from '../../catalog/catalog-writer.ts';
import { notice } from '../../engine/spi.ts';
import { displayed } from '../../lib/quote.ts';
import { defineFunction, returnsTable } from '../../udf/define-function.ts';
import { checkUniqueIndexes, findColumn } from '../create/check-table.ts';
import { hashDimension, refusePartitionFunction } from '../dimension/dimension-input.ts';
import { bothOrNeither, duplicateDimension, secondHash, secondRange } from '../dimension/failures.ts';
import { nullArgument } from '../../lib/failures.ts';
import { openOwnHypertable } from '../dimension/open-hypertable.ts';

interface Options {
  readonly column_name: string | null;
  readonly kind: string | null;
  readonly number_partitions: number | null;
  readonly interval: string | null;
  readonly partitioning_func: string | null;
  readonly if_not_exists: boolean | null;
}

interface Added {
  readonly dimension_id: number;
  readonly schema_name: string;
  readonly table_name: string;
  readonly column_name: string;
  readonly created: boolean;
}

export const add_dimension = defineFunction({
  schema: '_tessera_functions',
  name: 'add_dimension',
  args: [
    { name: 'relation', type: 'bigint', doc: 'OID of the hypertable' },
    { name: 'options', type: 'jsonb', doc: 'the arguments of add_dimension() by name' },
  ],
  returns: returnsTable(
    { name: 'dimension_id', type: 'integer' },
    { name: 'schema_name', type: 'name' },
    { name: 'table_name', type: 'name' },
    { name: 'column_name', type: 'name' },
    { name: 'created', type: 'boolean' },
  ),
  volatility: 'volatile',
  summary: 'Adds a hash dimension; the work behind both forms of add_dimension().',
  privileges: 'owner of the hypertable',
  handler: (oid: bigint | null, o: Options): Added[] => {
    const { hypertable, root } = openOwnHypertable(oid);
    if (o.column_name === null) throw nullArgument('column_name');
    refusePartitionFunction(root, o.column_name, o.partitioning_func);
    const same = hypertable.dimensions.find((d) => d.column_name === o.column_name);
    const answer = {
      schema_name: hypertable.schema_name,
      table_name: hypertable.table_name,
      column_name: o.column_name,
    };
    if (same !== undefined) {
      if (o.if_not_exists !== true) throw duplicateDimension(o.column_name);
      notice(`column "${o.column_name}" of "${displayed(root)}" is already a dimension, skipping`);
      return [{ dimension_id: same.id, ...answer, created: false }];
    }
    if (o.kind === null && (o.number_partitions === null) === (o.interval === null)) throw bothOrNeither();
    const hashed = hypertable.dimensions.find((d) => d.num_slices !== null);
    if (o.kind === 'range' || o.interval !== null)
      throw secondRange(displayed(root), o.column_name, hashed !== undefined);
    const column = findColumn(root, o.column_name);
    const dimension = hashDimension(column.name, column.type, o.number_partitions);
    if (hashed !== undefined) throw secondHash(displayed(root), column.name, hashed.column_name);
    checkUniqueIndexes(root, [column.name]);
    const { dimension_id } = request<{ dimension_id: number }>('add_dimension', {
      hypertable_id: hypertable.id,
      column_name: dimension.column_name,
      num_slices: dimension.num_slices,
    });
    return [{ dimension_id, ...answer, created: true }];
  },
});
