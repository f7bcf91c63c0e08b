import { query, run } from '../../engine/spi.ts';
import { ident, qualified, type RelationName } from '../../lib/quote.ts';

interface ViewColumn {
  readonly name: string;
  readonly type: string;
  readonly collation: string | null;
}

interface DependentView extends RelationName {
  readonly text: string;
  readonly options: string | null;
  readonly columns: readonly ViewColumn[];
}

/** Views that read foreign tables by their own names, as those of create_aggregate_view() do. */
const viewsOver = (locals: readonly bigint[]): DependentView[] =>
  query<DependentView>(
    `select n.nspname as schema, v.relname as name, rtrim(pg_get_viewdef(v.oid), ';') as text, array_to_string(v.reloptions, ', ') as options,
       (select array_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
           'collation', case when a.attcollation <> 0 then (select format('%I.%I', cn.nspname, c.collname) from pg_collation c
             join pg_namespace cn on cn.oid = c.collnamespace where c.oid = a.attcollation) end) order by a.attnum)
         from pg_attribute a where a.attrelid = v.oid and a.attnum > 0) as columns
     from pg_class v join pg_namespace n on n.oid = v.relnamespace
     where v.relkind = 'v' and v.oid in (
       select r.ev_class from pg_rewrite r join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
       where d.refclassid = 'pg_class'::regclass and d.refobjid::int8 = any($1::int8[]))
     order by v.oid`,
    [locals],
  );

const define = (v: DependentView, text: string): void => {
  const options = v.options === null ? '' : ` with (${v.options})`;
  run(`create or replace view ${qualified(v)}${options} as ${text}`);
};

const columnOf = (c: ViewColumn): string =>
  `null::${c.type}${c.collation === null ? '' : ` collate ${c.collation}`} as ${ident(c.name)}`;

/**
 * Runs the body while no view depends on the foreign tables; it makes others of the same names, which the views read then.
 * Both happen in one subtransaction, under the locks of both, so the text of a view means what it meant.
 */
export const withoutViews = (locals: readonly bigint[], body: () => void): void => {
  const views = viewsOver(locals);
  for (const v of views) define(v, `select ${v.columns.map(columnOf).join(', ')}`);
  body();
  for (const v of views) define(v, v.text);
};
