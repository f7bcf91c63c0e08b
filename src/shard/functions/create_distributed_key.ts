import { request } from '../../catalog/catalog-writer.ts';
import { one, run } from '../../engine/spi.ts';
import { openColumn } from '../../hypertable/index.ts';
import { displayed, ident, qualified } from '../../lib/quote.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { openOwnDistributed } from '../table/distributed-table.ts';
import { nullArgument } from '../../lib/failures.ts';
import { noColumns, referenceTableKeys } from '../change/failures.ts';
import { badKeyKind } from '../key/failures.ts';

const kindOf = (text: string | null): 'p' | 'u' => {
  if (text === null) throw nullArgument('kind');
  const kind = text.trim().toLowerCase().replaceAll(/\s+/g, ' ');
  if (kind === 'primary key') return 'p';
  if (kind === 'unique') return 'u';
  throw badKeyKind(text);
};

export const create_distributed_key = defineFunction({
  schema: 'api',
  name: 'create_distributed_key',
  args: [
    { name: 'table_name', type: 'regclass', doc: 'a distributed table' },
    { name: 'columns', type: 'name[]', doc: 'the columns of the key; the distribution column must be one of them' },
    {
      name: 'kind',
      type: 'text',
      default: `'unique'`,
      doc: 'unique, or primary key, which makes the columns NOT NULL',
    },
    {
      name: 'constraint_name',
      type: 'name',
      default: 'null',
      doc: 'name of the constraint; null for a name as PostgreSQL would choose it',
    },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary:
    'Adds a unique constraint or a primary key to a distributed table, whose shards watch over it; ALTER TABLE cannot. All shards get it, or none.',
  privileges: 'owner of the table',
  locks: 'ACCESS EXCLUSIVE on the table',
  errors:
    '0A000 the distribution column is not among the columns, 23505 rows are not unique, 23502 columns of a primary key have nulls, 42P16 there is a primary key, 42710 the name is taken, 25001 the table was used in this transaction, 55P03 shards of its group are being moved',
  handler: (table: string | null, columns: (string | null)[] | null, kind: string | null, name: string | null) => {
    const oid = table === null ? null : one<{ oid: bigint }>('select $1::regclass::oid::int8 as oid', [table]).oid;
    const { table: t, root } = openOwnDistributed(oid);
    if (t.model === 't') throw referenceTableKeys(displayed(root));
    if (columns === null || columns.length === 0 || columns.includes(null)) throw noColumns('columns');
    const letter = kindOf(kind);
    run(`lock table only ${qualified(root)} in access exclusive mode`);
    const nullable = columns.filter((c) => c !== null && !openColumn(root, c).notNull) as string[];
    if (letter === 'p' && nullable.length > 0)
      run(`alter table ${qualified(root)} ${nullable.map((c) => `alter column ${ident(c)} set not null`).join(', ')}`);
    request('shard.create_key', { relid: root.oid, columns, kind: letter, name });
  },
});
