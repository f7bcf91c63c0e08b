import { withSettings } from '../../engine/session.ts';
import { isCancel, one, query, run, subtransaction } from '../../engine/spi.ts';
import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import { gapfillForm } from '../gapfill-form-plan.ts';
import { gapfillStatement, type OutputColumn } from '../gapfill-statement-plan.ts';

const columnsOf = (text: string): OutputColumn[] =>
  query<OutputColumn>(
    `select c as name, pg_catalog.quote_ident(c) as quoted, _tessera_functions.gapfill_column_type($1, c)::text as type
     from pg_catalog.unnest(_tessera_functions.gapfill_columns($1)) with ordinality as u(c, place) order by place`,
    [text],
  );

/**
 * Planning the statement may run functions, which must be with the rights of who sent it: inside a function of somebody else
 * it is not looked at.
 */
const sentByCaller = (): boolean => one<{ same: boolean }>('select session_user = current_user as same').same;

const rewritten = (sent: string, path: string, type: string, zoned: boolean): string | undefined => {
  const form = gapfillForm(sent, zoned);
  if (form === undefined || !sentByCaller()) return undefined;
  return subtransaction(() =>
    withSettings({ search_path: path }, () => {
      const statement = gapfillStatement(form, type, columnsOf(form.query));
      // PostgreSQL says whether it is one that works.
      if (statement !== undefined) run(`explain ${statement}`);
      return statement;
    }),
  );
};

export const gapfill_hint = defineFunction({
  schema: '_tessera_functions',
  name: 'gapfill_hint',
  args: [
    { name: 'sent', type: 'text', doc: 'what the client sent' },
    { name: 'path', type: 'text', doc: 'search path by which its names are found' },
    { name: 'bucket_type', type: 'text', doc: 'type of the buckets' },
    { name: 'zoned', type: 'boolean', doc: 'time_bucket_gapfill() was called with a time zone' },
  ],
  returns: returnsScalar('text'),
  volatility: 'volatile',
  summary:
    'A statement that calls time_bucket_gapfill() in GROUP BY rewritten to gapfill() or gapfill_integer(); null where that is not simple.',
  privileges: 'anybody',
  handler: (sent: string | null, path: string, type: string, zoned: boolean): string | null => {
    try {
      return sent === null ? null : (rewritten(sent, path, type, zoned) ?? null);
    } catch (e) {
      // There is an error to be told already; this one would only bury it.
      if (isCancel(e)) throw e;
      return null;
    }
  },
});
