import type { Hypertable } from '../../catalog/hypertable.ts';
import { withSettings } from '../../engine/session.ts';
import { notice, one, query, run } from '../../engine/spi.ts';
import { makeHypertable, timeDimension, watchResults } from '../../hypertable/index.ts';
import { maximumOf } from '../../lib/internal-time.ts';
import { displayed, ident, qualified, type RelationName } from '../../lib/quote.ts';

export const INTERNAL_SCHEMA = '_tessera_internal';

export interface InternalNames {
  readonly mat: RelationName;
  readonly partial: RelationName;
  readonly direct: RelationName;
}

export const internalNames = (id: number): InternalNames => ({
  mat: { schema: INTERNAL_SCHEMA, name: `_materialized_hypertable_${id}` },
  partial: { schema: INTERNAL_SCHEMA, name: `_partial_view_${id}` },
  direct: { schema: INTERNAL_SCHEMA, name: `_direct_view_${id}` },
});

/** Aggregates are fewer than the rows they come from, so their chunks reach further. */
const CHUNKS = 10n;

const chunkInterval = (raw: Hypertable, period: bigint): bigint => {
  const { interval, type } = timeDimension(raw);
  const largest = maximumOf(type) / 2n + 1n;
  const wanted = interval * CHUNKS > period ? interval * CHUNKS : period;
  return wanted < largest ? wanted : interval;
};

/** Creates the materialization hypertable, empty, with the columns of the partial view. */
export const createMatTable = (
  id: number,
  names: InternalNames,
  bucketColumn: string,
  raw: Hypertable,
  period: bigint,
  interval: bigint | null,
): void => {
  run(`create table ${qualified(names.mat)} as select * from ${qualified(names.partial)} with no data`);
  // A refresh deletes results, which a publication of all tables would refuse.
  run(`alter table ${qualified(names.mat)} replica identity full`);
  const { oid } = one<{ oid: bigint }>('select $1::regclass::oid::int8 as oid', [qualified(names.mat)]);
  // What a table needs to become a hypertable is of no interest to whoever made a view.
  const said = one<{ level: string }>(`select current_setting('client_min_messages') as level`).level;
  const quiet = said === 'error' ? said : 'warning';
  withSettings({ client_min_messages: quiet }, () =>
    makeHypertable(oid, {
      time_column: bucketColumn,
      interval: String(interval ?? chunkInterval(raw, period)),
      interval_type: 'bigint',
      create_default_indexes: true,
      id,
    }),
  );
  watchResults(
    query<RelationName>(
      `select n.nspname as schema, c.relname as name
       from pg_partition_tree($1::regclass) t join pg_class c on c.oid = t.relid join pg_namespace n on n.oid = c.relnamespace`,
      [qualified(names.mat)],
    ),
  );
};

/** An index for each grouped column, as dashboards ask for one device over some time. */
export const createGroupIndexes = (mat: RelationName, columns: readonly string[], bucketColumn: string): void => {
  const indexable = query<{ name: string }>(
    `select a.attname as name from pg_attribute a
     where a.attrelid = $1::regclass and a.attname = any($2::text[])
       and exists (select from pg_opclass o join pg_am m on m.oid = o.opcmethod
         join pg_type t on t.oid = a.atttypid
         where m.amname = 'btree' and o.opcdefault
           and (o.opcintype in (t.oid, t.typbasetype) or exists (select from pg_cast c
             where c.castsource = t.oid and c.casttarget = o.opcintype and c.castmethod = 'b' and c.castcontext = 'i')
             or t.typcategory = 'A' and o.opcintype = 'anyarray'::regtype or t.typtype = 'e' and o.opcintype = 'anyenum'::regtype))
     order by a.attnum`,
    [qualified(mat), columns],
  );
  for (const { name } of indexable) {
    run(`create index on ${qualified(mat)} (${ident(name)}, ${ident(bucketColumn)} desc)`);
    notice(`adding index on ${displayed(mat)} (${name}, ${bucketColumn} desc)`);
  }
};
