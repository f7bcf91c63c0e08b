import { aside, enlistedForeign, ownerServer, type Node } from '../../cluster/index.ts';
import { ident, literal, qualified } from '../../lib/quote.ts';
import { LOCAL_SCHEMA, type DistributedTable, type Shard } from '../table/distributed-table.ts';
import { columnList } from '../table/shard-ddl.ts';

const foreignTable = (name: string, t: DistributedTable, shard: Shard, server: string): string => {
  const columns = t.definition.columns
    .filter((c) => c.generated === null)
    .map((c) => `${ident(c.name)} ${c.type}${c.collation === null ? '' : ` collate ${c.collation}`}`);
  return `create foreign table ${name} (${columns.join(', ')}) server ${ident(server)}
    options (schema_name ${literal(shard.schema)}, table_name ${literal(shard.name)})`;
};

/**
 * Copies the rows of shards that nobody writes, through this server: that needs no logical replication, which would wait
 * for the transactions of writers who wait for us. Foreign tables are there for the moment only, and the rows are committed
 * at once, for other sessions to make indexes.
 */
export const copyRows = (
  operation: bigint,
  parts: readonly { readonly table: DistributedTable; readonly shard: Shard; readonly owner: string }[],
  source: Node,
  target: Node,
): void => {
  aside(
    (session) => {
      for (const p of parts) {
        const from = qualified({ schema: LOCAL_SCHEMA, name: `tessera_from_${p.shard.id}` });
        const to = qualified({ schema: LOCAL_SCHEMA, name: `tessera_to_${p.shard.id}` });
        const columns = columnList(p.table.definition);
        session.exec(
          [
            foreignTable(from, p.table, p.shard, ownerServer(source, p.owner)),
            foreignTable(to, p.table, p.shard, ownerServer(target, p.owner)),
            // A row without columns has nothing that could be copied.
            ...(columns === '' ? [] : [`insert into ${to} (${columns}) select ${columns} from ${from}`]),
            `drop foreign table ${from}, ${to}`,
          ].join(';\n'),
        );
      }
    },
    `set tessera.maintenance = on; ${enlistedForeign(operation)}`,
  );
};
