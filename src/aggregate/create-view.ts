import { backendPid, withSettings } from '../engine/session.ts';
import { hasSqlState, notice, one, run, subtransaction } from '../engine/spi.ts';
import { placeOf, viewText } from '../engine/view.ts';
import { displayed, qualified, type RelationName } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { hasSeveralStatements, withoutSemicolon } from '../lib/view-text.ts';
import { badName, severalStatements } from './failures.ts';
import type { SplitText } from './split-plan.ts';
import { noticeRows, splitView } from './split-query.ts';

const oidOf = (name: string): bigint => one<{ oid: bigint }>('select $1::regclass::oid::int8 as oid', [name]).oid;

const checkedQuery = (text: string): string => {
  if (hasSeveralStatements(text)) throw severalStatements();
  return withoutSemicolon(text);
};

export interface NewView {
  readonly name: string;
  readonly query: string;
  /** By which the names in the query, and the place of the view, are found. */
  readonly searchPath: string;
  readonly ifNotExists: boolean;
}

/** Columns of some types have no equality, which DISTINCT needs. */
const replaceBy = (view: RelationName, { text, distinct }: SplitText): void => {
  const define = (as: string): void => void run(`create or replace view ${qualified(view)} as ${as}`);
  if (distinct !== null)
    try {
      subtransaction(() => define(distinct));
      return;
    } catch (e) {
      if (!hasSqlState(e, SQLSTATE.undefinedFunction)) throw e;
    }
  define(text);
};

/** PostgreSQL parses the query as the view itself, which then is given another one of the same columns. */
export const createAggregateView = (o: NewView): bigint | null => {
  const place = placeOf(o.name, o.searchPath);
  if (place === undefined || place.schema === null) throw badName(o.name);
  const target = { schema: place.schema, name: place.name };
  const query = checkedQuery(o.query);
  const there = one<{ there: boolean }>('select to_regclass($1) is not null as there', [qualified(target)]).there;
  if (there && o.ifNotExists) {
    notice(`relation "${displayed(target)}" already exists, skipping`);
    return null;
  }
  withSettings({ search_path: o.searchPath }, () => run(`create view ${qualified(target)} as ${query}`));
  const view = oidOf(qualified(target));
  const split = splitView(view);
  if (split !== null) {
    replaceBy(target, split);
    noticeRows(displayed(target), split.text);
  }
  return view;
};

/** The SQL that answers one query from the parts, in which every name that is not PostgreSQL's own has its schema. */
export const answerOf = (query: string, searchPath: string): string => {
  const name = `tessera_query_${backendPid()}`;
  withSettings({ search_path: searchPath }, () => run(`create temp view ${name} as ${checkedQuery(query)}`));
  const view = oidOf(`pg_temp.${name}`);
  const text = splitView(view)?.text ?? viewText(view);
  run(`drop view pg_temp.${name}`);
  return text;
};
