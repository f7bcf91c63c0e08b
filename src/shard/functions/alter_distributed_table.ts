import { one } from '../../engine/spi.ts';
import { relationOid } from '../../hypertable/index.ts';
import { displayed } from '../../lib/quote.ts';
import { PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { redistribute } from '../distribute/distribute.ts';
import { openDistributed, openOwnDistributed, tablesOfGroup, type OpenTable } from '../table/distributed-table.ts';
import { badShardCount } from '../distribute/failures.ts';
import { cannotColocate } from '../table/failures.ts';
import { requireUnrelated } from '../distribute/rebuild-checks.ts';

interface Wanted {
  readonly column: string | null;
  readonly count: number | null;
  /** none, default, or the OID of a table. */
  readonly with: string | null;
  readonly cascade: boolean | null;
}

const refuse = (message: string, hint?: string): PgError =>
  new PgError({ sqlstate: SQLSTATE.invalidParameterValue, message, hint });

const isTable = (text: string | null): text is string => text !== null && /^\d+$/.test(text);

const shardCountOf = (group: number): number =>
  one<{ n: number }>('select shardcount as n from _tessera_catalog.pg_dist_colocation where colocationid = $1', [group])
    .n;

/** Arguments that say nothing, or exclude each other. */
const checkArguments = (w: Wanted): void => {
  if (w.column === null && w.count === null && w.with === null)
    throw refuse('distribution_column, shard_count or colocate_with must be given');
  if (w.count !== null && (w.count < 1 || w.count > 64000)) throw badShardCount(w.count);
  if (w.cascade === true && w.column !== null)
    throw refuse('cascade_to_colocated cannot be true with distribution_column');
  if (w.cascade === true && w.count === null && w.with === null)
    throw refuse('cascade_to_colocated cannot be true without shard_count or colocate_with');
  if (w.cascade === true && w.with === 'none')
    throw refuse('cascade_to_colocated cannot be true with colocate_with none');
};

const checkChange = ({ table: t, root }: OpenTable, w: Wanted, now: number, hasPeers: boolean): void => {
  const name = displayed(root);
  if ((w.column === null || w.column === t.key) && (w.count === null || w.count === now) && w.with === null)
    throw refuse(`nothing about the distribution of table "${name}" would change`);
  // With another key or another table it leaves the group in any case.
  const stays = w.column === null && !isTable(w.with);
  if (stays && w.count !== null && w.count !== now && hasPeers && w.cascade === null)
    throw refuse(
      'cascade_to_colocated must be given',
      'Pass true to give the colocated tables the same number of shards, false to leave them and the group.',
    );
  if (!isTable(w.with)) return;
  const other = openDistributed(BigInt(w.with));
  const count = shardCountOf(other.table.group);
  if (w.count !== null && w.count !== count)
    throw refuse(
      `shard_count ${w.count} is not that of table "${displayed(other.root)}"`,
      `It has ${count} shards; leave shard_count out.`,
    );
  if (other.table.group === t.group && (w.column === null || w.column === t.key))
    throw refuse(`table "${name}" is colocated with table "${displayed(other.root)}" already`);
};

const HINT = 'Drop the foreign key with drop_distributed_constraint() first, and make it again afterwards.';

/** The table first, in a group of its own or that of another table; those that were with it follow it there. */
const cascadeTo = ({ table: t, root }: OpenTable, w: Wanted, now: number): void => {
  const name = displayed(root);
  const peers = tablesOfGroup(t.group).filter((p) => p.relid !== t.relid);
  for (const p of peers) requireUnrelated(p.relid, displayed(openOwnDistributed(p.relid).root), HINT);
  redistribute(t.relid, {
    column: t.key,
    with: isTable(w.with) ? w.with : 'none',
    shardCount: isTable(w.with) ? null : (w.count ?? now),
  });
  const successor = String(relationOid(root.schema, root.name));
  for (const p of peers) {
    if (p.method !== 'h')
      throw cannotColocate(name, displayed(openDistributed(p.relid).root), 'It has no distribution column.');
    redistribute(p.relid, { column: p.key, with: successor, shardCount: null });
  }
};

export const alter_distributed_table = defineFunction({
  schema: '_tessera_functions',
  name: 'alter_distributed_table',
  args: [
    { name: 'relation', type: 'bigint', doc: 'OID of the table' },
    { name: 'distribution_column', type: 'text', doc: 'another hash key' },
    { name: 'shard_count', type: 'integer', doc: 'another number of shards' },
    { name: 'colocate_with', type: 'text', doc: 'default, none or the OID of a table' },
    { name: 'cascade_to_colocated', type: 'boolean', doc: 'whether tables of its group follow' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Distributes a table in another way; the work behind the function of the same name.',
  privileges: 'owner of the table',
  handler: (
    oid: bigint | null,
    column: string | null,
    count: number | null,
    other: string | null,
    cascade: boolean | null,
  ) => {
    const opened = openOwnDistributed(oid);
    const { table: t, root } = opened;
    const name = displayed(root);
    if (t.method !== 'h') throw refuse(`table "${name}" has no distribution column to alter`);
    const w: Wanted = { column, count, with: other, cascade };
    checkArguments(w);
    const hasPeers = tablesOfGroup(t.group).length > 1;
    const now = shardCountOf(t.group);
    checkChange(opened, w, now, hasPeers);
    requireUnrelated(t.relid, name, HINT);
    if (cascade === true && hasPeers) {
      cascadeTo(opened, w, now);
      return;
    }
    // Left by its group, a table must not take another number of shards to the next best one.
    const leaves = count !== null && count !== now && other === null && hasPeers;
    redistribute(t.relid, {
      column: column ?? t.key,
      with: leaves ? 'none' : (other ?? 'default'),
      shardCount: isTable(other) ? null : (count ?? now),
    });
  },
});
