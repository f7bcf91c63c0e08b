import { address, withNode, type Node, type Remote } from '../cluster/index.ts';
import { rightsOn, type Mode, type ReplicationRights } from '../shard/index.ts';
import { PgError } from '../lib/pg-error.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';

interface State {
  readonly wal: string;
  readonly slots: number;
  readonly senders: number;
  readonly workers: number;
  readonly free: number;
  readonly recovery: boolean;
  readonly rights: ReplicationRights;
}

const read = (remote: Remote): State => ({
  ...remote.one<Omit<State, 'rights'>>(
    `select pg_catalog.current_setting('wal_level') as wal,
       pg_catalog.current_setting('max_replication_slots')::int - (select pg_catalog.count(*)::int from pg_catalog.pg_replication_slots) as slots,
       pg_catalog.current_setting('max_wal_senders')::int - (select pg_catalog.count(*)::int from pg_catalog.pg_stat_replication) as senders,
       pg_catalog.current_setting('max_logical_replication_workers')::int as workers,
       pg_catalog.current_setting('max_prepared_transactions')::int as free, pg_catalog.pg_is_in_recovery() as recovery`,
  ),
  rights: rightsOn(remote),
});

/** A subscription has a slot of its own and one for each table it is copying. */
const SLOTS = 2;

const problemsOf = (node: Node, gives: boolean, takes: boolean, blocking: boolean): string[] => {
  let s: State;
  try {
    s = withNode(node, read);
  } catch (e) {
    if (!(e instanceof PgError)) throw e;
    return [`Node ${address(node)}: ${e.message}.`];
  }
  const is = (wrong: boolean, text: string): string[] => (wrong ? [`Node ${address(node)}: ${text}.`] : []);
  const general = [...is(s.recovery, 'it is a standby'), ...is(s.free === 0, 'max_prepared_transactions is 0')];
  // Rows that cannot be replicated come through the coordinator then.
  if (blocking) return general;
  const may = (right: boolean, what: string, statement: string | null): string[] =>
    is(
      !right,
      `role "${s.rights.role}" may not make ${what}${statement === null ? ', as PostgreSQL 15 lets superusers alone do' : `; run there: ${statement}`}`,
    );
  const { quoted, database } = s.rights;
  return [
    ...general,
    ...is(gives && s.wal !== 'logical', `wal_level is "${s.wal}", not "logical"`),
    ...may(!gives || s.rights.replication, 'replication slots', `alter role ${quoted} replication`),
    ...may(s.rights.create, 'publications and subscriptions', `grant create on database ${database} to ${quoted}`),
    ...may(!takes || s.rights.subscribe, 'subscriptions', s.rights.subscribing),
    ...is(
      gives && s.slots < SLOTS,
      `${Math.max(s.slots, 0)} replication slots are free, a move needs ${SLOTS}; raise max_replication_slots`,
    ),
    ...is(
      gives && s.senders < SLOTS,
      `${Math.max(s.senders, 0)} WAL senders are free, a move needs ${SLOTS}; raise max_wal_senders`,
    ),
    ...is(takes && s.workers < SLOTS, `max_logical_replication_workers is ${s.workers}, a move needs ${SLOTS}`),
  ];
};

/** Whatever would make a move fail later is said before the first one starts, all of it at once. */
export const preflight = (moves: readonly { readonly source: Node; readonly target: Node }[], mode: Mode): void => {
  const nodes = new Map([...moves.map((m) => m.source), ...moves.map((m) => m.target)].map((n) => [n.id, n]));
  const problems = [...nodes.values()].flatMap((n) =>
    problemsOf(
      n,
      moves.some((m) => m.source.id === n.id),
      moves.some((m) => m.target.id === n.id),
      mode === 'block_writes',
    ),
  );
  if (problems.length === 0) return;
  throw new PgError({
    sqlstate: SQLSTATE.objectNotInPrerequisiteState,
    message: `${moves.length} moves would be needed, but nodes are not ready for them`,
    detail: problems.join('\n'),
    hint: mode === 'block_writes' ? undefined : `Without replication: pass shard_transfer_mode => 'block_writes'.`,
  });
};
