import { inMaintenance } from '../../engine/session.ts';
import { maybeOne, run } from '../../engine/spi.ts';
import { qualified } from '../../lib/quote.ts';
import type { Compressed } from '../segment/open-chunk.ts';

const DEAD = '_ts_meta_dead is not null and _tessera_functions.is_done(_ts_meta_dead)';
const ABORTED = (column: string): string => `pg_xact_status(${column}) = 'aborted'`;
/** FrozenTransactionId: committed for ever, without a record that could be truncated. */
const FROZEN = `'2'::xid8`;

/** Marks whose transactions have ended need not be asked about any more; and the record of these is not kept for ever. */
export const needsSettling = ({ parts }: Compressed): boolean =>
  maybeOne(
    `select from (
       (select from ${qualified(parts.residue)} where _ts_meta_born <> ${FROZEN} or _ts_meta_dead is not null limit 1)
       union all (select from ${qualified(parts.segments)} where _ts_meta_dead is not null limit 1)) x limit 1`,
  ) !== undefined;

/** Deletes what is dead for good, forgets what was not done, and notes that the rest is. */
export const settleChunk = (compressed: Compressed): void => {
  if (needsSettling(compressed)) inMaintenance(() => settle(compressed));
};

const settle = (compressed: Compressed): void => {
  const residue = qualified(compressed.parts.residue);
  const segments = qualified(compressed.parts.segments);
  run(`delete from ${residue} where ${DEAD} or ${ABORTED('_ts_meta_born')}`);
  run(`delete from ${segments} where ${DEAD}`);
  for (const table of [residue, segments])
    run(`update ${table} set _ts_meta_dead = null where ${ABORTED('_ts_meta_dead')}`);
  run(
    `update ${residue} set _ts_meta_born = ${FROZEN}
     where _ts_meta_born <> ${FROZEN} and pg_xact_status(_ts_meta_born) = 'committed'`,
  );
};
