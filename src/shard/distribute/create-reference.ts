import { request } from '../../catalog/catalog-writer.ts';
import { requireReadCommitted } from '../../engine/isolation.ts';
import { inMaintenance } from '../../engine/session.ts';
import { run } from '../../engine/spi.ts';
import { findRelation } from '../../hypertable/index.ts';
import { displayed, ident, qualified, type RelationName } from '../../lib/quote.ts';
import { CAPTURE } from '../table/capture.ts';
import { readKeys } from '../definition/definition.ts';
import { checkDistributable } from './distribute.ts';
import { notTableOwner, relationMissing } from '../../lib/failures.ts';
import { keysSetAside } from '../key/set-aside.ts';

const call = 'execute function _tessera_functions.capture_reference()';

const captureDdl = (table: RelationName): string[] => [
  `create trigger ${ident(CAPTURE.insert)} after insert on ${qualified(table)} referencing new table as new_rows for each statement ${call}`,
  `create trigger ${ident(CAPTURE.delete)} after delete on ${qualified(table)} referencing old table as old_rows for each statement ${call}`,
  `create trigger ${ident(CAPTURE.update)} after update on ${qualified(table)} for each row when (old.* is distinct from new.*) ${call}`,
  `create trigger ${ident(CAPTURE.truncate)} after truncate on ${qualified(table)} for each statement ${call}`,
];

/** Makes a plain table a reference table. It stays what it is; nodes get copies. */
export const createReference = (oid: bigint): void => {
  const table = findRelation(oid);
  if (table === undefined) throw relationMissing(oid);
  if (!table.owned) throw notTableOwner(displayed(table));
  checkDistributable(table, 'reference table');
  requireReadCommitted();
  inMaintenance(() => {
    run(`lock table only ${qualified(table)} in share row exclusive mode`);
    request('open_schema', { relid: oid });
    request('shard.register', {
      relid: oid,
      column: null,
      model: 't',
      with: 'default',
      shardCount: null,
      keys: [...readKeys(oid), ...keysSetAside(oid)],
    });
    for (const ddl of captureDdl(table)) run(ddl);
  });
};
