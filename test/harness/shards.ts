import { columnOptions } from '../../src/lib/column-options.ts';
import { expect } from 'vitest';
import type { Cluster, NodeDatabase } from './cluster.ts';
import type { Row } from './database.ts';
import { waitUntil } from './wait-until.ts';

/** Everything about a table that shards have to follow, as a query of one jsonb; alike on all servers. */
const shape = (oid: number): string => `
  set local search_path to pg_catalog; set local timezone to UTC;
  select jsonb_build_object(
    'columns', (select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
        'collation', case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end,
        'notNull', a.attnotnull, 'generated', case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end,
        'storage', a.attstorage, 'compression', a.attcompression, 'target', nullif(a.attstattarget, -1), 'options', ${columnOptions('a.attoptions')}) order by a.attnum)
      from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped),
    'checks', (select jsonb_object_agg(conname, pg_get_constraintdef(oid)) from pg_constraint
      where conrelid = r.oid and contype = 'c' and conname <> 'tessera_row_belongs_to_shard'),
    'indexes', (select jsonb_object_agg((select relname from pg_class where oid = i.indexrelid), regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING ', 'USING '))
      from pg_index i where i.indrelid = r.oid and not i.indisunique and not i.indisexclusion),
    'statistics', (select jsonb_object_agg(stxname, pg_get_statisticsobjdef_columns(oid) || coalesce(nullif(stxstattarget, -1), 0))
      from pg_statistic_ext where stxrelid = r.oid and stxname !~ '^tessera_reads_'),
    'keys', (select jsonb_object_agg(conname, pg_get_constraintdef(oid)) from pg_constraint where conrelid = r.oid and contype in ('p', 'u', 'x', 'f')),
    'unique', (select jsonb_object_agg((select relname from pg_class where oid = i.indexrelid), regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING ', 'USING '))
      from pg_index i where i.indrelid = r.oid and i.indisunique and not exists (select from pg_constraint c where c.conindid = i.indexrelid)),
    'identity', r.relreplident) as shape
  from pg_class r where r.oid = ${oid}`;

const readShape = async (on: Pick<NodeDatabase, 'query' | 'value'>, table: string): Promise<Row> => {
  const [row] = (await on.query(shape(await on.value('select $1::regclass::oid', [table])))) as [Row];
  return row.shape as Row;
};

/** Names on a shard end with its number, the texts of keys quote more or less, and foreign keys name the other shard. */
const plain = (found: Row, shard?: string): Row => {
  const name = (n: string): string =>
    shard !== undefined && n.endsWith(`_${shard}`) ? n.slice(0, -shard.length - 1) : n;
  const text = (t: string): string =>
    t.replace(/ REFERENCES .*?\(/, ' REFERENCES %s(').replaceAll(/"([a-z_][a-z0-9_]*)"/g, '$1');
  const named = (o: Record<string, string> | null): Record<string, string> =>
    Object.fromEntries(Object.entries(o ?? {}).map(([n, t]) => [name(n), text(t)]));
  return {
    ...found,
    checks: named(found.checks),
    indexes: named(found.indexes),
    statistics: named(found.statistics),
    keys: named(found.keys),
    unique: named(found.unique),
  };
};

/** No transaction is prepared on a node any more. */
export const settled = (nodes: readonly NodeDatabase[]): Promise<void> =>
  waitUntil('nothing is prepared on the nodes', async () => {
    const counts = await Promise.all(
      nodes.map((n) => n.value('select count(*)::int from pg_prepared_xacts where database = current_database()')),
    );
    return counts.every((c) => c === 0);
  });

/** All shards of a table, on all nodes, look like the table and what the catalog says of its keys. */
export const expectShardsFollow = async ({ db, nodes }: Cluster, table: string): Promise<void> => {
  await settled(nodes);
  const root = await readShape(db, table);
  const keys = await db.query(
    `select name, kind, definition from _tessera_catalog.pg_dist_key where logicalrelid = $1::regclass`,
    [table],
  );
  const ofKind = (unique: boolean): Record<string, string> =>
    Object.fromEntries(keys.filter((k) => (k.kind === 'i') === unique).map((k) => [k.name, k.definition]));
  const wanted = plain({ ...root, keys: ofKind(false), unique: ofKind(true) });
  const shards = await db.query(
    `select s.shardid::text as id, format('%I.%I', s.shard_schema, s.shard_name) as name, n.nodeport as port
     from _tessera_catalog.pg_dist_shard s join _tessera_catalog.pg_dist_placement p using (shardid) join _tessera_catalog.pg_dist_node n using (groupid)
     where s.logicalrelid = $1::regclass`,
    [table],
  );
  expect(shards.length).toBeGreaterThan(0);
  await Promise.all(
    shards.map(async (s) => {
      const node = nodes.find((n) => n.port === s.port) as NodeDatabase;
      expect(plain(await readShape(node, s.name), s.id), `shard ${s.name} on ${s.port}`).toEqual(wanted);
    }),
  );
  await expectCatalog(db, table, wanted);
};

/** What the catalog says shards look like is what they look like. */
const expectCatalog = async (db: Cluster['db'], table: string, wanted: Row): Promise<void> => {
  const definition = await db.value(
    'select definition from _tessera_catalog.pg_dist_partition where logicalrelid = $1::regclass',
    [table],
  );
  const named = (all: { name: string; definition: string }[]): Row =>
    Object.fromEntries(all.map((x) => [x.name, x.definition]));
  expect(definition.columns.map((c: Row) => [c.name, c.type, c.notNull, c.generated, c.target])).toEqual(
    wanted.columns.map((c: Row) => [c.name, c.type, c.notNull, c.generated, c.target]),
  );
  expect(plain({ checks: named(definition.checks), indexes: named(definition.indexes) })).toMatchObject({
    checks: wanted.checks,
    indexes: wanted.indexes,
  });
};

/** Names of all tables on the nodes but those by which shards check their rows. */
export const tablesOnNodes = async (nodes: readonly NodeDatabase[]): Promise<string[]> =>
  (
    await Promise.all(
      nodes.map((n) =>
        n.query(
          `select format('%I.%I', schemaname, tablename) as name from pg_tables
           where schemaname not in ('pg_catalog', 'information_schema', 'tessera_shards')`,
        ),
      ),
    )
  )
    .flat()
    .map((r) => r.name as string)
    .sort();

/** After a cleanup nodes have the placements of the catalog and no other table. */
export const expectNothingLeft = async ({ db, nodes }: Cluster): Promise<void> => {
  await settled(nodes);
  await db.query('call citus_cleanup_orphaned_resources()');
  expect(await db.value('select count(*)::int from _tessera_catalog.pg_dist_cleanup')).toBe(0);
  expect(await tablesOnNodes(nodes)).toEqual(
    (
      await db.column(
        `select format('%I.%I', s.shard_schema, s.shard_name) from _tessera_catalog.pg_dist_shard s
         join _tessera_catalog.pg_dist_placement p using (shardid) where p.groupid <> 0`,
      )
    ).sort(),
  );
};
