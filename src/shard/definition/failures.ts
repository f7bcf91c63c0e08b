import { fail, type PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const extensionTypeMissing = (type: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `base type ${type} cannot be made on nodes`,
    undefined,
    'Install on each node what defines the type.',
  );
export const strayTable = (name: string, at: string): PgError =>
  fail(
    SQLSTATE.duplicateTable,
    `relation ${name} already exists on node ${at}`,
    'It does not belong to a shard that this database knows there.',
    'Give every database that distributes tables nodes of its own, or drop the relation there.',
  );
export const oldTypeOnNode = (type: string): PgError =>
  fail(
    SQLSTATE.duplicateObject,
    `type ${type} on the node is another one`,
    undefined,
    `If nothing uses it there, drop it: select * from run_command_on_workers('drop type ${type}');`,
  );
