import { query, run } from '../../engine/spi.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { readDefinition } from '../definition/definition.ts';
import { distributedTables } from '../table/distributed-table.ts';
import type { ShardDefinition } from '../table/shard-ddl.ts';

/** All that matters of columns but their numbers. */
const columns = (d: ShardDefinition): string => canonicalJson(d.columns.map(({ number: _, ...c }) => c));

const within = <T>(some: readonly T[], all: readonly T[]): boolean => {
  const known = new Set(all.map(canonicalJson));
  return some.every((x) => known.has(canonicalJson(x)));
};

/**
 * Whether a table lacks nothing of its definition but what a dump creates last. Numbers of columns may differ: in a dump
 * they close up.
 */
export const isBeingRestored = (now: ShardDefinition, wanted: ShardDefinition): boolean =>
  columns(now) === columns(wanted) &&
  now.replicaIdentity === wanted.replicaIdentity &&
  within(now.checks, wanted.checks) &&
  within(now.indexes, wanted.indexes) &&
  within(now.statistics, wanted.statistics);

/** Definitions that came with a dump have the numbers of columns and types from there. */
export const adoptTables = (): void => {
  for (const t of distributedTables()) {
    const now = readDefinition(t.relid);
    if (columns(now) !== columns(t.definition)) continue;
    run(
      'update _tessera_catalog.pg_dist_partition set definition = $2::text::jsonb where logicalrelid::oid = $1::int8::oid',
      [t.relid, JSON.stringify({ ...t.definition, columns: now.columns, types: now.types })],
    );
  }
  // Built-in jobs are not part of a dump.
  if (query('select from _tessera_catalog.pg_dist_node limit 1').length > 0)
    run('select _tessera_functions.switch_cluster_job(true)');
};
