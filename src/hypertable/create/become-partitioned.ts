import { one, query, run } from '../../engine/spi.ts';
import { ident, literal, qualified, type RelationName } from '../../lib/quote.ts';
import {
  readColumns,
  readConstraints,
  readGrants,
  readIncomingForeignKeys,
  readIndexes,
  readPolicies,
  readSequences,
  readStatistics,
  readTable,
  readTriggers,
  readViews,
  type Grants,
} from '../table/read-table.ts';
import { findRelation, relationOid, type Relation } from '../table/relation.ts';

/** What the table was, read before it is renamed away. */
export interface Snapshot {
  readonly table: ReturnType<typeof readTable>;
  readonly columns: ReturnType<typeof readColumns>;
  readonly constraints: ReturnType<typeof readConstraints>;
  readonly indexes: ReturnType<typeof readIndexes>;
  readonly triggers: ReturnType<typeof readTriggers>;
  readonly incoming: ReturnType<typeof readIncomingForeignKeys>;
  readonly grants: ReturnType<typeof readGrants>;
  readonly policies: ReturnType<typeof readPolicies>;
  readonly sequences: ReturnType<typeof readSequences>;
  readonly views: ReturnType<typeof readViews>;
  readonly statistics: ReturnType<typeof readStatistics>;
}

export const takeSnapshot = (table: Relation): Snapshot => ({
  table: readTable(table.oid),
  columns: readColumns(table.oid),
  constraints: readConstraints(table.oid),
  indexes: readIndexes(table.oid),
  triggers: readTriggers(table.oid),
  incoming: readIncomingForeignKeys(table.oid),
  grants: readGrants(table.oid),
  policies: readPolicies(table.oid, qualified(table)),
  sequences: readSequences(table.oid),
  views: readViews(table.oid),
  statistics: readStatistics(table.oid),
});

export const comment = (kind: string, target: string, text: string | null): void => {
  if (text !== null) run(`comment on ${kind} ${target} is ${literal(text)}`);
};

/** Renames the table and everything whose name its successor needs out of the way. */
const moveAside = (table: Relation, s: Snapshot): RelationName => {
  for (const key of s.incoming) run(`alter table ${key.child} drop constraint ${ident(key.name)}`);
  for (const index of s.indexes)
    run(`alter index ${qualified(index)} rename to ${ident(`tessera_replaced_${index.oid}`)}`);
  for (const sequence of s.sequences)
    if (sequence.dependency === 'i')
      run(`alter sequence ${qualified(sequence)} rename to ${ident(`tessera_replaced_${sequence.oid}`)}`);
  for (const st of s.statistics)
    run(`alter statistics ${qualified(st)} rename to ${ident(`tessera_replaced_${st.oid}`)}`);
  const name = `tessera_replaced_${table.oid}`;
  // Its policies would hide rows from the owner who moves them.
  if (s.table.forceRowSecurity) run(`alter table ${qualified(table)} no force row level security`);
  run(`alter table ${qualified(table)} rename to ${ident(name)}`);
  return { schema: table.schema, name };
};

/** The partitioned successor with the columns, defaults, checks and identities of the old table. */
const createRoot = (table: Relation, old: RelationName, partitionBy: string | null, s: Snapshot): void => {
  run(
    `create table ${qualified(table)} (like ${qualified(old)} including all excluding indexes excluding statistics)` +
      (partitionBy === null ? '' : ` partition by ${partitionBy}`) +
      (table.tablespace === null ? '' : ` tablespace ${ident(table.tablespace)}`),
  );
  for (const c of s.columns) {
    if (c.statistics >= 0)
      run(`alter table ${qualified(table)} alter column ${ident(c.name)} set statistics ${c.statistics}`);
    if (c.options !== null)
      run(`alter table ${qualified(table)} alter column ${ident(c.name)} set (${c.options.join(', ')})`);
  }
  comment('table', qualified(table), s.table.comment);
};

/** Identity and serial go on counting where they were, under their old names. */
const moveSequences = (table: Relation, s: Snapshot): void => {
  for (const sequence of s.sequences) {
    if (sequence.dependency === 'a') {
      run(`alter sequence ${qualified(sequence)} owned by ${qualified(table)}.${ident(sequence.column)}`);
      continue;
    }
    const created = one<{ name: string; short: string }>(
      `select s as name, (select relname from pg_class where oid = s::regclass) as short
       from pg_get_serial_sequence($1, $2) s`,
      [qualified(table), sequence.column],
    );
    const replaced = `${ident(sequence.schema)}.${ident(`tessera_replaced_${sequence.oid}`)}`;
    run(`select setval(${literal(created.name)}::regclass, last_value, is_called) from ${replaced}`);
    if (created.short !== sequence.name) run(`alter sequence ${created.name} rename to ${ident(sequence.name)}`);
  }
};

export const createStatistics = (s: Snapshot): void => {
  for (const st of s.statistics) {
    run(st.definition);
    if (st.target >= 0) run(`alter statistics ${qualified(st)} set statistics ${st.target}`);
    comment('statistics', qualified(st), st.comment);
  }
};

const TRIGGER_STATES: Readonly<Record<string, string>> = { D: 'disable', A: 'enable always', R: 'enable replica' };

export const createTriggersAndPolicies = (table: Relation, s: Snapshot): void => {
  const root = qualified(table);
  for (const t of s.triggers) {
    run(t.definition);
    const state = TRIGGER_STATES[t.enabled];
    if (state !== undefined) run(`alter table ${root} ${state} trigger ${ident(t.name)}`);
    comment('trigger', `${ident(t.name)} on ${root}`, t.comment);
  }
  for (const p of s.policies) {
    run(p.ddl);
    comment('policy', `${ident(p.name)} on ${root}`, p.comment);
  }
  if (s.table.rowSecurity) run(`alter table ${root} enable row level security`);
  if (s.table.forceRowSecurity) run(`alter table ${root} force row level security`);
  if (table.replicaIdentity === 'f') run(`alter table ${root} replica identity full`);
  if (table.replicaIdentity === 'n') run(`alter table ${root} replica identity nothing`);
};

/** New tables and sequences have what ALTER DEFAULT PRIVILEGES gave them; their predecessor may have been older than that. */
const revokeDefaults = (kind: 'table' | 'sequence', name: string): void => {
  for (const { grantee } of query<{ grantee: string }>(
    `select distinct case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end as grantee
     from pg_class c, aclexplode(c.relacl) x where c.oid = $1::regclass`,
    [name],
  ))
    run(`revoke all on ${kind} ${name} from ${grantee}`);
};

const giveRights = (kind: 'table' | 'sequence', name: string, owner: string, grants: Grants): void => {
  revokeDefaults(kind, name);
  run(
    `${grants.explicit ? 'revoke' : 'grant'} all on ${kind} ${name} ${grants.explicit ? 'from' : 'to'} ${ident(owner)}`,
  );
  for (const g of grants.list)
    run(
      `grant ${g.privilege}${g.column === null ? '' : ` (${ident(g.column)})`} on ${kind} ${name} to ${g.grantee}${g.grantable ? ' with grant option' : ''}`,
    );
};

/** Once it belongs to its owner. */
export const createGrants = (table: Relation, s: Snapshot): void => {
  giveRights('table', qualified(table), table.owner, s.grants);
  // The others are the same sequences as before.
  for (const sequence of s.sequences)
    if (sequence.dependency === 'i') {
      giveRights('sequence', qualified(sequence), table.owner, sequence.grants);
      comment('sequence', qualified(sequence), sequence.comment);
    }
};

export const replaceViews = (s: Snapshot): void => {
  for (const v of s.views) {
    const options = v.options === null ? '' : ` with (${v.options.join(', ')})`;
    run(`create or replace view ${v.name}${options} as ${v.definition}`);
  }
};

export const createForeignKeysToIt = (s: Snapshot): void => {
  for (const key of s.incoming) {
    run(`alter table ${key.child} add constraint ${ident(key.name)} ${key.definition}`);
    comment('constraint', `${ident(key.name)} on ${key.child}`, key.comment);
  }
};

/** Steps from one table to its successor, partitioned or (null) plain. The caller holds ACCESS EXCLUSIVE and has checked everything. */
export const replaceByRoot = (
  table: Relation,
  partitionBy: string | null,
  s: Snapshot,
): { readonly root: Relation; readonly old: RelationName } => {
  const old = moveAside(table, s);
  createRoot(table, old, partitionBy, s);
  moveSequences(table, s);
  const oid = relationOid(table.schema, table.name);
  const root = oid === undefined ? undefined : findRelation(oid);
  if (root === undefined) throw new Error(`successor of ${qualified(table)} was not created`);
  return { root: { ...root, replicaIdentity: table.replicaIdentity }, old };
};
