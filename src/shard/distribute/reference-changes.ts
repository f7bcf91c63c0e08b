import { ownerServer, primaryOfGroup, queueCommand, type Node } from '../../cluster/index.ts';
import { query, run } from '../../engine/spi.ts';
import { findRelation, type Relation } from '../../hypertable/index.ts';
import { ident, identList, literal, qualified, type RelationName } from '../../lib/quote.ts';
import { keysOf } from '../definition/definition.ts';
import { findDistributed, shardsOf, type DistributedTable, type Shard } from '../table/distributed-table.ts';
import { lockReferences } from '../table/locks.ts';

/** Rows that one statement on a node carries. */
const BATCH = 1000;

interface Run {
  readonly relid: bigint;
  readonly kind: string;
  /** Literals of text arrays of rows. */
  readonly olds: string | null;
  readonly news: string | null;
}

/**
 * Changes that have to come in a later statement than the one before them: a row that was updated twice. Its second old
 * state is its first new one.
 */
const breaks = (): bigint[] => {
  let start = 0n;
  const found: bigint[] = [];
  for (const c of query<{ id: bigint; prior: bigint }>(
    `select c.change_id as id, max(p.change_id) as prior from _tessera_catalog.reference_change c
     join _tessera_catalog.reference_change p on p.transaction_id = c.transaction_id and p.relid = c.relid
       and p.new_row = c.old_row and p.change_id < c.change_id
     where c.kind = 'u' and c.transaction_id = pg_current_xact_id() group by 1 order by 1`,
  )) {
    if (c.prior < start) continue;
    start = c.id;
    found.push(c.id);
  }
  return found;
};

/** Changes of this transaction, in their order, those of the same kind next to each other taken together. */
const takeRuns = (): Run[] => {
  const runs = query<Run>(
    `with mine as (
       select change_id, relid, kind, old_row, new_row,
         sum(case when relid = before_relid and kind = before_kind and not change_id = any($1::int8[]) then 0 else 1 end) over (order by change_id) as run
       from (
         select c.*, lag(relid) over w as before_relid, lag(kind) over w as before_kind
         from _tessera_catalog.reference_change c where c.transaction_id = pg_current_xact_id() window w as (order by change_id)) x),
     numbered as (select *, row_number() over (partition by run order by change_id) as n from mine)
     select relid::int8 as relid, kind::text as kind, array_agg(old_row order by change_id)::text as olds,
       array_agg(new_row order by change_id)::text as news
     from numbered group by run, relid, kind, (n - 1) / ${BATCH} order by min(change_id)`,
    [breaks()],
  );
  run('delete from _tessera_catalog.reference_change where transaction_id = pg_current_xact_id()');
  return runs;
};

/** The statement that puts rows, given as text, into a copy. */
export const insertRows = (t: Pick<DistributedTable, 'definition'>, copy: RelationName, list: string): string => {
  const columns = t.definition.columns.filter((c) => c.generated === null).map((c) => c.name);
  if (columns.length === 0)
    return `insert into ${qualified(copy)} select from pg_catalog.unnest(${list}::pg_catalog.text[])`;
  const fields = columns.map((c) => `(q.r).${ident(c)}`).join(', ');
  return `insert into ${qualified(copy)} (${identList(columns)}) select ${fields}
    from (select u.r::${qualified(copy)} as r, u.n from pg_catalog.unnest(${list}::pg_catalog.text[]) with ordinality u(r, n)) q order by q.n`;
};

const rows = (copy: RelationName, list: string | null, name: string): string =>
  `(select u.r::${qualified(copy)} as ${name}, u.n from pg_catalog.unnest(${literal(list ?? '{}')}::pg_catalog.text[]) with ordinality u(r, n))`;

/**
 * How a row is found on the copy: by the primary key, or where there is none by everything it has, each of several equal
 * rows once.
 */
const found = (t: DistributedTable, copy: RelationName, list: string | null): string => {
  const key = keysOf(t.relid).find((k) => k.kind === 'p');
  const table = qualified(copy);
  if (key !== undefined)
    return `select c.ctid as at, o.n from ${table} c join ${rows(copy, list, 'r')} o on (${key.columns
      .map((k) => `c.${ident(k)} = (o.r).${ident(k)}`)
      .join(' and ')})`;
  return `select c.at, o.n from (select x.ctid as at, (x.*)::text as r, pg_catalog.row_number() over (partition by (x.*)::text) as i from ${table} x) c
    join (select y.r::text as r, y.n, pg_catalog.row_number() over (partition by y.r::text order by y.n) as i from ${rows(copy, list, 'r')} y) o
    on o.r = c.r and o.i = c.i`;
};

const statement = (t: DistributedTable, copy: RelationName, r: Run): string => {
  const table = qualified(copy);
  const columns = t.definition.columns.filter((c) => c.generated === null).map((c) => c.name);
  const fields = columns.map((c) => `(q.r).${ident(c)}`).join(', ');
  switch (r.kind) {
    case 'i':
      return insertRows(t, copy, literal(r.news ?? '{}'));
    case 'd':
      return `delete from ${table} where ctid = any (array(select f.at from (${found(t, copy, r.olds)}) f))`;
    case 'u':
      return `update ${table} t set (${identList(columns)}) = row (${fields}) from (${found(t, copy, r.olds)}) f
        join ${rows(copy, r.news, 'r')} q on q.n = f.n where t.ctid = f.at`;
    default:
      return `truncate ${table}`;
  }
};

/** Queues what this transaction did to reference tables for each of their copies. */
export const queueReferenceChanges = (): void => {
  const runs = takeRuns();
  if (runs.length === 0) return;
  // Copies see the changes of all transactions in the same order, that of their commits.
  lockReferences();
  for (const relid of new Set(runs.map((r) => r.relid))) {
    const table = findDistributed(relid);
    const root = findRelation(relid);
    if (table === undefined || root === undefined) continue;
    for (const shard of shardsOf(relid)) queueFor(table, root, shard, runs);
  }
};

const queueFor = (table: DistributedTable, root: Relation, shard: Shard, runs: readonly Run[]): void => {
  for (const group of shard.groups.filter((g) => g !== 0)) {
    const node = primaryOfGroup(group) as Node;
    for (const r of runs)
      if (r.relid === table.relid) queueCommand(node, ownerServer(node, root.owner), statement(table, shard, r));
  }
};
