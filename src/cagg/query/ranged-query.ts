import { query } from '../../engine/spi.ts';
import { viewText } from '../../engine/view.ts';
import { typedLiteral } from '../../hypertable/index.ts';
import { maximumOf, minimumOf, type TimeType, type Range } from '../../lib/internal-time.ts';
import { ident, identList, qualified, type RelationName } from '../../lib/quote.ts';
import { unrestorable } from './failures.ts';
import { replaceRelation } from '../../lib/view-text.ts';

/** A view over a hypertable, or over the view of another continuous aggregate. */
export interface SourcedView {
  readonly view: bigint;
  readonly source: RelationName & { readonly oid: bigint };
  readonly timeColumn: string;
}

/** Columns of the source that the view reads; other columns may come and go. */
const columnsRead = (v: SourcedView): string[] =>
  query<{ name: string }>(
    `select a.attname as name from pg_attribute a
     where a.attrelid = $2::int8::oid and a.attnum > 0 and not a.attisdropped
       and (a.attname = $3 or exists (
         select from pg_depend d join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass
         where r.ev_class = $1::int8::oid and d.refobjid = a.attrelid and d.refobjsubid = a.attnum))
     order by a.attnum`,
    [v.view, v.source.oid, v.timeColumn],
  ).map((r) => r.name);

/** SQL of the rows of a source that satisfy a condition, where they are not read by its name. */
export type RowsOf = (columns: string, condition: string) => string;

/** The query of the view with `from` in place of its source. */
const replaced = (v: SourcedView, from: string): string => {
  const { text, count } = replaceRelation(viewText(v.view), v.source, from);
  if (count !== 1) throw unrestorable(`"${v.source.name}" is found ${count} times where tables are named.`);
  return text;
};

/**
 * The query of the view over those rows of its source that satisfy a condition on the time. The condition stands beside
 * the table itself, whatever the query does with the rows, so that the planner has it for each chunk.
 */
export const queryWhere = (v: SourcedView, condition: (time: string) => string, rows?: RowsOf): string => {
  const read: RowsOf = rows ?? ((columns, where) => `select ${columns} from ${qualified(v.source)} where ${where}`);
  return replaced(v, `(${read(identList(columnsRead(v)), condition(ident(v.timeColumn)))})`);
};

/** What lies outside of the type is no bound; below its first value there is minus infinity alone. */
export const insideRange = (column: string, range: Range, type: TimeType): string => {
  const [least, most] = [minimumOf(type), maximumOf(type)];
  const parts: string[] = [];
  if (range.start > least) parts.push(`${column} >= ${typedLiteral(range.start, type)}`);
  if (range.end <= most) parts.push(`${column} < ${typedLiteral(range.end > least ? range.end : least, type)}`);
  return parts.length === 0 ? 'true' : parts.join(' and ');
};

/** A query of the same columns that reads nothing: what of it still depends on the source was named beside FROM. */
export const queryOverNothing = (v: SourcedView): string => {
  const columns = query<{ name: string; type: string; collation: string | null }>(
    `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
       case when a.attcollation <> 0 then format('%I.%I', n.nspname, l.collname) end as collation
     from pg_attribute a left join pg_collation l on l.oid = a.attcollation left join pg_namespace n on n.oid = l.collnamespace
     where a.attrelid = $1::int8::oid and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [v.source.oid],
  ).map((c) => `null::${c.type}${c.collation === null ? '' : ` collate ${c.collation}`} as ${ident(c.name)}`);
  return replaced(v, `(select ${columns.join(', ')})`);
};
