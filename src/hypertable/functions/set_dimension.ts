import { request } from '../../catalog/catalog-writer.ts';
import { maybeOne, warning } from '../../engine/spi.ts';
import { isIntegerTime, timeTypeOf } from '../../lib/internal-time.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { chunkInterval } from '../dimension/chunk-interval.ts';
import { timeDimension } from '../dimension/dimensions.ts';
import { chooseDimension } from '../dimension/dimension-choice.ts';
import { hashDimension, parseInterval } from '../dimension/dimension-input.ts';
import {
  integerNowExists,
  integerNowMissing,
  integerNowUnsuitable,
  integerNowWrongTime,
  noExecute,
} from '../dimension/failures.ts';
import { nullArgument } from '../../lib/failures.ts';
import { oidOf, openOwnHypertable } from '../dimension/open-hypertable.ts';

const relation = { name: 'relation', type: 'bigint', doc: 'OID of the hypertable' } as const;

export const set_chunk_time_interval = defineFunction({
  schema: '_tessera_functions',
  name: 'set_chunk_time_interval',
  args: [
    relation,
    { name: 'chunk_interval', type: 'text', doc: 'the interval as text' },
    { name: 'interval_type', type: 'text', doc: 'its type' },
    { name: 'dimension_name', type: 'name', doc: 'column of the dimension; null for the only one' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Sets the width of chunks that will be created; the work behind set_chunk_time_interval().',
  privileges: 'owner of the hypertable',
  handler: (oid: bigint | null, text: string | null, type: string | null, name: string | null): void => {
    const { hypertable } = openOwnHypertable(oid);
    if (text === null) throw nullArgument('chunk_time_interval');
    const dimension = chooseDimension(hypertable, 'range', name);
    const interval = chunkInterval(parseInterval(text, type), timeDimension(hypertable).type);
    if (interval.warning !== undefined) warning(`${interval.warning.message}. ${interval.warning.hint}`);
    request('set_dimension', {
      hypertable_id: hypertable.id,
      dimension_id: dimension.id,
      interval_length: interval.length,
    });
  },
});

export const set_number_partitions = defineFunction({
  schema: 'api',
  name: 'set_number_partitions',
  args: [
    { name: 'hypertable', type: 'regclass', doc: 'the hypertable' },
    { name: 'number_partitions', type: 'integer', doc: '1 to 32767' },
    {
      name: 'dimension_name',
      type: 'name',
      default: 'null',
      doc: 'column of the hash dimension; null for the only one',
    },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Sets the number of hash partitions of chunks that will be created. Existing chunks stay as they are.',
  errors: 'TS001 not a hypertable, TS002 no such dimension, 22023 number out of range',
  privileges: 'owner of the hypertable',
  handler: (table: string | null, partitions: number | null, name: string | null): void => {
    const { hypertable } = openOwnHypertable(oidOf(table));
    const dimension = chooseDimension(hypertable, 'hash', name);
    hashDimension(dimension.column_name, dimension.column_type, partitions);
    request('set_dimension', { hypertable_id: hypertable.id, dimension_id: dimension.id, num_slices: partitions });
  },
});

interface NowFunction {
  readonly schema: string;
  readonly name: string;
  readonly arguments: number;
  readonly volatility: string;
  readonly returns: string;
  readonly allowed: boolean;
}

export const set_integer_now_func = defineFunction({
  schema: 'api',
  name: 'set_integer_now_func',
  args: [
    { name: 'hypertable', type: 'regclass', doc: 'a hypertable whose time column is an integer' },
    {
      name: 'integer_now_func',
      type: 'regproc',
      doc: 'a STABLE function without arguments that returns the type of the column',
    },
    { name: 'replace_if_exists', type: 'boolean', default: 'false', doc: 'replace a function that was set before' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  strict: true,
  summary: 'Says what "now" is for an integer time column; policies measure ages from it.',
  errors:
    'TS001 not a hypertable, 0A000 the time column is no integer, 42883 no such function, 22023 unsuitable function, 42710 set already, 42501 no EXECUTE',
  privileges: 'owner of the hypertable, EXECUTE on the function',
  handler: (table: string, functionName: string, replace: boolean): void => {
    const { hypertable } = openOwnHypertable(oidOf(table));
    const dimension = timeDimension(hypertable);
    if (!isIntegerTime(dimension.type)) throw integerNowWrongTime(dimension.column_name);
    if (dimension.integer_now_func !== null && !replace) throw integerNowExists(dimension.integer_now_func);
    const f = maybeOne<NowFunction>(
      `select n.nspname as schema, p.proname as name, p.pronargs::int as arguments, p.provolatile::text as volatility,
         format_type(p.prorettype, null) as returns, has_function_privilege(p.oid, 'execute') as allowed
       from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.oid = $1::text::regproc`,
      [functionName],
    );
    if (f === undefined) throw integerNowMissing(functionName);
    if (f.arguments > 0 || f.volatility === 'v' || timeTypeOf(f.returns) !== dimension.type)
      throw integerNowUnsuitable(functionName, dimension.column_type);
    if (!f.allowed) throw noExecute(functionName);
    request('set_dimension', {
      hypertable_id: hypertable.id,
      dimension_id: dimension.id,
      integer_now_func_schema: f.schema,
      integer_now_func: f.name,
    });
  },
});
