import type { Hypertable } from '../../catalog/hypertable.ts';
import { maybeOne, run } from '../../engine/spi.ts';
import { partNames, placeFunctionDdl, TRUNCATED_TRIGGER, truncatedTriggerDdl } from '../table/partition-ddl.ts';
import type { Relation } from '../table/relation.ts';

/** Hypertables of earlier versions get the trigger with their next chunk, under the lock that this needs. */
export const ensureTruncatedTrigger = (h: Hypertable, root: Relation): void => {
  const known = maybeOne('select from pg_trigger where tgrelid = $1::int8::oid and tgname = $2', [
    root.oid,
    TRUNCATED_TRIGGER,
  ]);
  if (known !== undefined) return;
  const parts = partNames(h);
  run(placeFunctionDdl(h.id, parts));
  for (const ddl of truncatedTriggerDdl(root, parts)) run(ddl);
};
