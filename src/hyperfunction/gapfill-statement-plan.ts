import { literal } from '../lib/quote.ts';
import { tokenize } from '../lib/sql-tokens.ts';
import type { GapfillForm } from './gapfill-form-plan.ts';

export interface OutputColumn {
  readonly name: string;
  /** As SQL writes it. */
  readonly quoted: string;
  readonly type: string;
}

const INTEGERS = ['smallint', 'integer', 'bigint'];

const dollarQuoted = (text: string): string | undefined => {
  const tag = ['$$', '$query$', '$of_gapfill$'].find((t) => !text.includes(t));
  return tag === undefined ? undefined : `${tag}${text}${tag}`;
};

/** A bound in a type by which gapfill() is found: a string alone is a timestamptz. */
const bound = (text: string, type: string): string => {
  if (INTEGERS.includes(type)) return text;
  const [only, more] = tokenize(text);
  if (only?.kind !== 'string' || more !== undefined) return `(${text})::${type}`;
  return type === 'timestamp with time zone' ? text : `${text}::${type}`;
};

const arrayOf = (columns: readonly OutputColumn[]): string =>
  literal(
    `{${columns.map((c) => (c.quoted === c.name ? c.name : `"${c.name.replace(/[\\"]/g, '\\$&')}"`)).join(',')}}`,
  );

/** The statement in its function form; `type` is that of the bucket, `columns` those of the query. */
export const gapfillStatement = (
  form: GapfillForm,
  type: string,
  columns: readonly OutputColumn[],
): string | undefined => {
  const text = dollarQuoted(form.query);
  const bucket = columns[form.bucket];
  const found = form.groups.map((g) => (typeof g === 'number' ? columns[g] : columns.find((c) => c.name === g)));
  if (text === undefined || bucket === undefined || found.includes(undefined)) return undefined;
  const groups = found.flatMap((c) => (c === undefined || c === bucket ? [] : [c]));
  const lines = form.interpolate.flatMap((at) => columns[at] ?? []);
  const args = [
    text,
    form.width,
    bound(form.start, type),
    bound(form.finish, type),
    ...(bucket.name === 'bucket' ? [] : [`bucket_column => ${literal(bucket.name)}`]),
    ...(groups.length === 0 ? [] : [`group_columns => ${arrayOf(groups)}`]),
    ...(lines.length === 0 ? [] : [`interpolate => ${arrayOf(lines)}`]),
    ...(form.zone === null ? [] : [`timezone => ${form.zone}`]),
  ];
  const name = INTEGERS.includes(type) ? 'gapfill_integer' : 'gapfill';
  const definition = columns.map((c) => `${c.quoted} ${c.type}`).join(', ');
  return `select * from ${name}(${args.join(', ')}) as t(${definition})${form.rest === '' ? '' : ` ${form.rest}`}`;
};
