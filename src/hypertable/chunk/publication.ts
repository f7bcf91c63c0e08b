import type { Slice } from '../../catalog/dimension-slice.ts';
import type { Hypertable } from '../../catalog/hypertable.ts';
import { maybeOne, one, run } from '../../engine/spi.ts';
import { identList, qualified, type RelationName } from '../../lib/quote.ts';
import { attachSlices, prepareSlice } from './create-chunk.ts';
import { timeDimension } from '../dimension/dimensions.ts';
import { deleteMoved, withoutUserTriggers } from './fresh-heap.ts';
import { attachPartition, partNames } from '../table/partition-ddl.ts';
import { storedColumns, type Relation } from '../table/relation.ts';
import { insideSql } from '../table/time-sql.ts';

/**
 * How a publication reaches the default partition: by name, its own or that of the hypertable, or because it takes in
 * whatever there is, in the database or a schema.
 */
export const publishedBy = (h: Hypertable, root: Relation): 'name' | 'everything' | undefined => {
  const { schema, name } = partNames(h).defaultPartition;
  const { every, named } = one<{ every: boolean; named: boolean }>(
    `select count(*) > 0 as named, coalesce(bool_or(p.puballtables or exists (
       select from pg_publication_namespace s join pg_namespace n on n.oid = s.pnnspid
       where s.pnpubid = p.oid and n.nspname in ($1, $3))), false) as every
     from pg_publication_tables t join pg_publication p on p.pubname = t.pubname
     where (t.schemaname, t.tablename) in (($1, $2), ($3, $4))`,
    [schema, name, root.schema, root.name],
  );
  return every ? 'everything' : named ? 'name' : undefined;
};

/**
 * A published table without replica identity refuses to have rows deleted, and those that wait for chunks must go. What
 * is needed is that of the default partition alone, whatever the hypertable says of its other parts.
 */
const letDelete = (table: RelationName): void => {
  const identified = maybeOne(
    `select from pg_class c where c.oid = $1::regclass and (c.relreplident = 'f' or exists (
       select from pg_index i where i.indrelid = c.oid and i.indisvalid
         and case c.relreplident when 'd' then i.indisprimary when 'i' then i.indisreplident else false end))`,
    [qualified(table)],
  );
  if (identified === undefined) run(`alter table only ${qualified(table)} replica identity full`);
};

/**
 * Moves rows so that whoever subscribes to the hypertable hears nothing of it: a table that is no partition is not in the
 * publication, so chunks get their rows before they are one, and the default partition loses them while it is none.
 */
export const moveUnheard = (h: Hypertable, root: Relation, slices: readonly Slice[]): number => {
  const source = partNames(h).defaultPartition;
  const prepared = slices.map((slice) => prepareSlice(h, root, slice, source));
  run(`alter table ${qualified(root)} detach partition ${qualified(source)}`);
  deleteMoved(h, slices);
  attachSlices(h, root, prepared);
  run(attachPartition(root, source, 'default'));
  return prepared.reduce((sum, p) => sum + p.rows, 0);
};

/**
 * Where a publication takes in every table there is, rows leave and come back for whoever subscribes to the hypertable.
 * What a table holds when it becomes a partition is sent by no name of the hypertable, so chunks are attached empty. In
 * between, the rows are in an unlogged table, which nothing publishes; not everybody may have temporary ones.
 */
export const movePublished = (h: Hypertable, root: Relation, slices: readonly Slice[]): number => {
  const time = timeDimension(h);
  const source = partNames(h).defaultPartition;
  const aside: RelationName = { schema: source.schema, name: `tessera_moved_${h.id}` };
  const columns = identList(storedColumns(root.oid));
  const inside = slices.map((s) => `(${insideSql(time.column_name, s, time.type)})`).join(' or ');
  letDelete(source);
  const moved = run(
    `create unlogged table ${qualified(aside)} as select ${columns} from only ${qualified(source)} where ${inside}`,
  );
  deleteMoved(h, slices);
  const prepared = slices.map((slice) => prepareSlice(h, root, slice));
  attachSlices(h, root, prepared);
  for (const { partition, slice, chunks } of prepared) {
    const fill = (): void =>
      void run(
        `insert into ${qualified(partition)} (${columns}) overriding system value select ${columns} from ${qualified(aside)}
         where ${insideSql(time.column_name, slice, time.type)}`,
      );
    chunks.reduceRight((body, chunk) => (): void => withoutUserTriggers(chunk.name, body), fill)();
  }
  run(`drop table ${qualified(aside)}`);
  return moved;
};
