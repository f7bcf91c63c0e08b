import { request } from '../../catalog/catalog-writer.ts';
import { one, run } from '../../engine/spi.ts';
import { displayed, ident, qualified } from '../../lib/quote.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { keysOf, type FoundKey } from '../definition/definition.ts';
import { commentKey, undistribute } from '../distribute/distribute.ts';
import { findDistributed, openOwnDistributed, type OpenTable } from '../table/distributed-table.ts';
import { connectedTables, requireUnrelated } from '../distribute/rebuild-checks.ts';

interface Severed {
  readonly table: OpenTable;
  readonly keys: readonly FoundKey[];
}

/** Takes the foreign keys between tables of a set away. */
const sever = (tables: readonly OpenTable[]): Severed[] =>
  tables.map((table) => {
    const { relid } = table.table;
    const keys = keysOf(relid).filter(
      (k) => k.kind === 'f' && k.referenced !== relid && findDistributed(k.referenced as bigint)?.model === 's',
    );
    for (const k of keys) request('shard.drop_key', { relid, name: k.name });
    return { table, keys };
  });

/** Undistributes all tables that foreign keys connect, and gives them these keys again. */
const undistributeConnected = (relid: bigint): void => {
  const tables = connectedTables(relid).map(openOwnDistributed);
  for (const t of tables) run(`lock table only ${qualified(t.root)} in access exclusive mode`);
  const severed = sever(tables);
  for (const t of tables) undistribute(t.table.relid);
  const nameOf = (oid: bigint): string => qualified((tables.find((t) => t.table.relid === oid) as OpenTable).root);
  for (const { table, keys } of severed)
    for (const k of keys) {
      run(
        `alter table ${qualified(table.root)} add constraint ${ident(k.name)} ${k.definition.replace(
          ' REFERENCES %s(',
          () => ` REFERENCES ${nameOf(k.referenced as bigint)}(`,
        )}`,
      );
      commentKey(table.root, k);
    }
};

export const undistribute_table = defineFunction({
  schema: 'api',
  name: 'undistribute_table',
  args: [
    { name: 'table_name', type: 'regclass', doc: 'a distributed or reference table' },
    {
      name: 'cascade_via_foreign_keys',
      type: 'boolean',
      default: 'false',
      doc: 'whether distributed tables that foreign keys connect with it are undistributed as well; null for no',
    },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary:
    'Brings all rows of a distributed table back to the coordinator and makes it a plain table again, with its keys. A reference table loses its copies.',
  privileges: 'owner of the table, and of the others where it cascades',
  locks: 'ACCESS EXCLUSIVE on the table',
  errors:
    '42P16 the table is not distributed, 2BP01 a foreign key connects it to another table or something depends on it, 0A000 it has rules, TS101 it is published, 25001 it was used in this transaction',
  handler: (table: string | null, cascade: boolean | null) => {
    const oid = table === null ? null : one<{ oid: bigint }>('select $1::regclass::oid::int8 as oid', [table]).oid;
    const { table: t, root } = openOwnDistributed(oid);
    if (cascade === true && t.model === 's' && connectedTables(t.relid).length > 1) {
      undistributeConnected(t.relid);
      return;
    }
    requireUnrelated(
      t.relid,
      displayed(root),
      t.model === 't'
        ? 'Drop the foreign keys of distributed tables with drop_distributed_constraint() first.'
        : 'Pass cascade_via_foreign_keys => true to undistribute all tables that are connected, or drop the foreign key with drop_distributed_constraint().',
    );
    undistribute(t.relid);
  },
});
