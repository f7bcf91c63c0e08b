import { withoutSemicolon } from '../lib/view-text.ts';
import { withSettings } from './session.ts';
import { one } from './spi.ts';

/** The text of a view, in which every name that is not PostgreSQL's own has its schema. */
export const viewText = (view: bigint): string =>
  withoutSemicolon(one<{ text: string }>('select pg_get_viewdef($1::int8::oid) as text', [view]).text);

/** What PostgreSQL has parsed the query of a view into. */
export const viewTree = (view: bigint): string =>
  one<{ tree: string }>('select ev_action::text as tree from pg_rewrite where ev_class = $1::int8::oid', [view]).tree;

/**
 * Where a relation is to be created whose name a user has given, with its schema or to be put into the first one of a search path.
 * The schema is null where that has none; undefined for what is no such name.
 */
export const placeOf = (
  given: string,
  searchPath: string,
): { readonly schema: string | null; readonly name: string } | undefined => {
  const [first, second, more] = one<{ parts: string[] }>('select parse_ident($1) as parts', [given]).parts;
  if (first === undefined || more !== undefined) return undefined;
  if (second !== undefined) return { schema: first, name: second };
  const schema = withSettings(
    { search_path: searchPath },
    () => one<{ name: string | null }>('select current_schema()::text as name').name,
  );
  return { schema, name: first };
};
