import { request } from '../../catalog/catalog-writer.ts';
import { inMaintenance } from '../../engine/session.ts';
import { one, run } from '../../engine/spi.ts';
import { displayed, qualified } from '../../lib/quote.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { keysOf } from '../definition/definition.ts';
import { awaitReferences } from '../distribute/distribute.ts';
import { openOwnDistributed } from '../table/distributed-table.ts';
import { nullArgument } from '../../lib/failures.ts';
import { noColumns, referenceTableKeys } from '../change/failures.ts';
import { badAction } from '../key/failures.ts';
import { actionOf } from '../key/key-plan.ts';

const action = (argument: string, text: string | null): string => {
  if (text === null) throw nullArgument(argument);
  const letter = actionOf(text);
  if (letter === undefined) throw badAction(argument, text);
  return letter;
};

export const create_distributed_foreign_key = defineFunction({
  schema: 'api',
  name: 'create_distributed_foreign_key',
  args: [
    { name: 'table_name', type: 'regclass', doc: 'a distributed table' },
    { name: 'columns', type: 'name[]', doc: 'its columns that refer to the other table' },
    {
      name: 'referenced_table',
      type: 'regclass',
      doc: 'a reference table, a table colocated with it whose distribution column is paired with its own, or itself',
    },
    {
      name: 'referenced_columns',
      type: 'name[]',
      default: 'null',
      doc: 'columns of a unique key of that table; null for its primary key',
    },
    {
      name: 'on_delete',
      type: 'text',
      default: `'no action'`,
      doc: 'no action, restrict, cascade or set null',
    },
    { name: 'on_update', type: 'text', default: `'no action'`, doc: 'as on_delete' },
    {
      name: 'constraint_name',
      type: 'name',
      default: 'null',
      doc: 'name of the constraint; null for a name as PostgreSQL would choose it',
    },
    {
      name: 'not_valid',
      type: 'boolean',
      default: 'false',
      doc: 'whether rows that are there need not fit it, as with NOT VALID; null for no',
    },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary:
    'Adds a foreign key to a distributed table, whose shards watch over it; ALTER TABLE cannot. All shards get it, or none.',
  privileges: 'owner of the table, and REFERENCES on the referenced one',
  locks: 'SHARE ROW EXCLUSIVE on both tables',
  errors:
    '0A000 nodes could not watch over it, 42P16 the referenced table is not distributed, 42830 it has no such unique key, 23503 rows refer to what is not there, 55000 a node lacks its copy of the reference table, 25001 a table was used in this transaction, 55P03 shards of its group are being moved',
  handler: (
    table: string | null,
    columns: (string | null)[] | null,
    referenced: string | null,
    referencedColumns: (string | null)[] | null,
    on_delete: string | null,
    on_update: string | null,
    name: string | null,
    notValid: boolean | null,
  ) => {
    const oidOf = (text: string): bigint => one<{ oid: bigint }>('select $1::regclass::oid::int8 as oid', [text]).oid;
    const { table: t, root } = openOwnDistributed(table === null ? null : oidOf(table));
    if (t.model === 't') throw referenceTableKeys(displayed(root));
    if (columns === null) throw noColumns('columns');
    if (referenced === null) throw nullArgument('referenced_table');
    const [onDelete, onUpdate] = [action('on_delete', on_delete), action('on_update', on_update)];
    run(`lock table only ${qualified(root)} in share row exclusive mode`);
    request('shard.create_foreign_key', {
      relid: root.oid,
      columns,
      referenced: oidOf(referenced),
      referencedColumns,
      onDelete,
      onUpdate,
      name,
      notValid: notValid === true,
    });
    inMaintenance(() => awaitReferences(root, keysOf(root.oid)));
  },
});
