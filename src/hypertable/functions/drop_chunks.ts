import { debug, info, maybeOne, query, run } from '../../engine/spi.ts';
import { withLockRetry } from '../../engine/lock-retry.ts';
import { inMaintenance } from '../../engine/session.ts';
import { displayed, qualified, type RelationName } from '../../lib/quote.ts';
import { defineFunction, returnsSetof } from '../../udf/define-function.ts';
import { resolveBounds, selectChunks, type BoundArguments } from '../chunk-bounds.ts';
import { dropBoundNeeded } from '../failures.ts';
import { openOwnHypertable } from '../open-hypertable.ts';
import { partNames } from '../partition-ddl.ts';

interface DropOptions extends BoundArguments {
  readonly verbose: boolean | null;
  readonly cascade_to_materializations: boolean | null;
  readonly cascade: boolean | null;
}

/** The partitions of the root to which chunks belong: the chunks themselves, or the parents of their hash partitions. */
const partitionsOf = (root: bigint, chunks: readonly bigint[]): RelationName[] =>
  query<RelationName>(
    `select n.nspname as schema, c.relname as name
     from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
     where i.inhparent = $1::int8::oid
       and exists (select from pg_partition_tree(i.inhrelid) t where t.isleaf and t.relid::oid::int8 = any($2::int8[]))
     order by c.oid`,
    [root, chunks],
  );

export const drop_chunks = defineFunction({
  schema: '_tessera_functions',
  name: 'drop_chunks',
  args: [
    { name: 'relation', type: 'bigint', doc: 'OID of the hypertable' },
    {
      name: 'options',
      type: 'jsonb',
      doc: 'the arguments of drop_chunks() by name, bounds as text with their common type',
    },
  ],
  returns: returnsSetof('text'),
  volatility: 'volatile',
  summary: 'Drops the chunks inside the bounds; the work behind drop_chunks().',
  privileges: 'owner of the hypertable',
  locks: 'ACCESS EXCLUSIVE on the root, the default partition and each chunk, with a short lock_timeout and retries',
  handler: (oid: bigint | null, options: DropOptions): string[] => {
    const { hypertable, root } = openOwnHypertable(oid);
    const bounds = resolveBounds(hypertable, options);
    if (bounds.older === null && bounds.newer === null && bounds.before === null && bounds.after === null)
      throw dropBoundNeeded();
    const chunks = selectChunks(hypertable, bounds);
    if (chunks.length === 0) return [];
    // A partition that a foreign key points at must be detached first: that checks that no row is referenced.
    const referenced =
      maybeOne(`select from pg_constraint where confrelid = $1::int8::oid and contype = 'f' limit 1`, [root.oid]) !==
      undefined;
    inMaintenance(() =>
      withLockRetry(() => {
        run(`lock table only ${qualified(root)} in access exclusive mode`);
        run(`lock table only ${qualified(partNames(hypertable).defaultPartition)} in access exclusive mode`);
        for (const partition of partitionsOf(
          root.oid,
          chunks.map((c) => c.oid),
        )) {
          (options.verbose === true ? info : debug)(`dropping chunk ${displayed(partition)}`);
          if (referenced) run(`alter table ${qualified(root)} detach partition ${qualified(partition)}`);
          run(`drop table ${qualified(partition)}${options.cascade === true ? ' cascade' : ''}`);
        }
      }),
    );
    return chunks.map((c) => displayed(c));
  },
});
