import { fail, type PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const tableGone = (shard: bigint): PgError =>
  fail(SQLSTATE.undefinedTable, `the table of shard ${shard} was dropped during the move`);
export const targetGone = (at: string): PgError =>
  fail(SQLSTATE.objectNotInPrerequisiteState, `node ${at} was removed or disabled during the move`);
