import { one } from '../../engine/spi.ts';
import { displayed } from '../../lib/quote.ts';
import { PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { redistribute, undistribute } from '../distribute.ts';
import { findDistributed, openOwnDistributed, tablesOfGroup } from '../distributed-table.ts';
import { badShardCount, cannotColocate } from '../failures.ts';
import { keysOf } from '../definition.ts';

const refuse = (message: string, hint?: string): PgError =>
  new PgError({ sqlstate: SQLSTATE.invalidParameterValue, message, hint });

const referencing = (relid: bigint): bigint =>
  one<{ n: bigint }>(
    `select count(*) as n from _tessera_catalog.pg_dist_key where referenced::oid = $1::int8::oid and logicalrelid::oid <> $1::int8::oid`,
    [relid],
  ).n;

const requireUnrelated = (relid: bigint, name: string): void => {
  const local = (oid: bigint): boolean => findDistributed(oid)?.model === 't';
  const out = keysOf(relid).find(
    (k) => k.kind === 'f' && k.referenced !== null && k.referenced !== relid && !local(k.referenced),
  );
  if (out !== undefined || referencing(relid) > 0n)
    throw new PgError({
      sqlstate: SQLSTATE.dependentObjectsStillExist,
      message: `table "${name}" cannot be rebuilt because it ${out === undefined ? 'is referenced by a foreign key' : 'has a foreign key'}`,
      hint: `Drop the foreign key with drop_distributed_constraint() first.`,
    });
};

export const undistribute_table = defineFunction({
  schema: 'api',
  name: 'undistribute_table',
  args: [
    { name: 'table_name', type: 'regclass', doc: 'a distributed table' },
    {
      name: 'cascade_via_foreign_keys',
      type: 'boolean',
      default: 'false',
      doc: 'must be false: foreign keys have to be dropped first',
    },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Brings all rows of a distributed table back to the coordinator and makes it a plain table again.',
  privileges: 'owner of the table',
  locks: 'ACCESS EXCLUSIVE on the table',
  errors: '42P16 the table is not distributed, 2BP01 a foreign key connects it to another table',
  handler: (table: string | null) => {
    const oid = table === null ? null : one<{ oid: bigint }>('select $1::regclass::oid::int8 as oid', [table]).oid;
    const { table: t, root } = openOwnDistributed(oid);
    requireUnrelated(t.relid, displayed(root));
    undistribute(t.relid);
  },
});

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
    const { table: t, root } = openOwnDistributed(oid);
    const name = displayed(root);
    if (t.method !== 'h') throw refuse(`table "${name}" has no distribution column to alter`);
    if (column === null && count === null && other === null)
      throw refuse('distribution_column, shard_count or colocate_with must be given');
    if (count !== null && (count < 1 || count > 64000)) throw badShardCount(count);
    if (cascade === true && column !== null)
      throw refuse('cascade_to_colocated cannot be true with distribution_column');
    const peers = tablesOfGroup(t.group).filter((p) => p.relid !== t.relid);
    const now = one<{ n: number }>(
      'select shardcount as n from _tessera_catalog.pg_dist_colocation where colocationid = $1',
      [t.group],
    ).n;
    if ((column === null || column === t.key) && (count === null || count === now) && other === null)
      throw refuse(`nothing about the distribution of table "${name}" would change`);
    if (count !== null && peers.length > 0 && cascade === null)
      throw refuse(
        'cascade_to_colocated must be given',
        'Pass true to give the colocated tables the same number of shards, false to leave them and the group.',
      );
    requireUnrelated(t.relid, name);
    const key = column ?? t.key;
    const target = other ?? (column === null && count === null ? String(t.group) : 'default');
    if (cascade === true && peers.length > 0) {
      redistribute(t.relid, { column: key, with: 'none', shardCount: count ?? now });
      const first = one<{ oid: bigint }>('select to_regclass($1)::oid::int8 as oid', [name]).oid;
      for (const p of peers) {
        const peer = openOwnDistributed(p.relid);
        requireUnrelated(p.relid, displayed(peer.root));
        if (p.method !== 'h') throw cannotColocate(name, displayed(peer.root), 'It has no distribution column.');
        redistribute(p.relid, { column: p.key, with: String(first), shardCount: null });
      }
      return;
    }
    redistribute(t.relid, {
      column: key,
      with: count !== null && count !== now && other === null && peers.length > 0 ? 'none' : target,
      shardCount: /^\d+$/.test(target) ? null : (count ?? now),
    });
  },
});
