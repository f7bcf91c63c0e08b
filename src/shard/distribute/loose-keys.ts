import { hasSqlState, one } from '../../engine/spi.ts';
import type { Relation } from '../../hypertable/index.ts';
import { displayed, literal, type RelationName } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import type { FoundKey } from '../definition/definition.ts';
import type { Distribution } from './distribution.ts';
import { findDistributed } from '../table/distributed-table.ts';
import { rowsBreakKeys } from './failures.ts';
import { foreignKeyCall, NOT_VALID } from '../key/key-plan.ts';
import { setAsideTriggers } from '../key/set-aside.ts';

const nameOf = (oid: bigint): string =>
  one<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1::int8::oid`,
    [oid],
  ).name;

/** Of a table that may have stepped aside by now. */
const typed = ({ schema, name }: RelationName): string =>
  one<{ name: string }>(`select format('%I.%I', $1::text, $2::text) as name`, [schema, name]).name;

const typedName = (name: string): string => one<{ name: string }>('select quote_ident($1) as name', [name]).name;

/** The call that distributes a table so. */
export const distributeCall = (table: Relation, d: Distribution): string => {
  const beside = /^\d+$/.test(d.with) ? nameOf(BigInt(d.with)) : d.with;
  const options = [
    ...(beside === 'default' ? [] : [`, colocate_with => ${literal(beside)}`]),
    ...(d.shardCount === null ? [] : [`, shard_count => ${d.shardCount}`]),
  ].join('');
  return `select create_distributed_table(${literal(typed(table))}, ${d.column === null ? 'null' : literal(d.column)}${options});`;
};

/** Statements that do without a key of a table, as long as it is what it is now. */
const dropCall = (table: Relation, k: FoundKey): string => {
  const trigger = setAsideTriggers(table.oid).get(k.name);
  if (trigger !== undefined) return `drop trigger ${typedName(trigger)} on ${typed(table)};`;
  return findDistributed(table.oid) === undefined
    ? `alter table ${typed(table)} drop constraint ${typedName(k.name)};`
    : `select drop_distributed_constraint(${literal(typed(table))}, ${literal(k.name)});`;
};

/**
 * Moves rows to shards that have the keys already. PostgreSQL asks each new row, and rows that were there before a key which is NOT
 * VALID need not fit it; the shards could get it after their rows only from sessions that wait for these to be committed.
 */
export const movingRows = (table: Relation, d: Distribution, keys: readonly FoundKey[], move: () => void): void => {
  const loose = keys.filter((k) => k.kind === 'f' && k.definition.endsWith(NOT_VALID));
  if (loose.length === 0) {
    move();
    return;
  }
  const name = typed(table);
  const statements = [
    ...loose.map((k) => dropCall(table, k)),
    findDistributed(table.oid) === undefined ? distributeCall(table, d) : '/* the same call again */',
    ...loose.map((k) =>
      foreignKeyCall({
        ...k,
        table: name,
        target: k.referenced === table.oid ? name : nameOf(k.referenced as bigint),
      }),
    ),
  ];
  try {
    move();
  } catch (e) {
    if (!hasSqlState(e, SQLSTATE.foreignKeyViolation)) throw e;
    throw rowsBreakKeys(
      displayed(table),
      loose.map((k) => k.name),
      e,
      statements.join(' '),
    );
  }
};
