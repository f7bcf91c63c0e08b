import { literal } from '../../lib/quote.ts';
import { chooseAlgorithm } from '../codec/choose-algorithm.ts';

/**
 * Values of enums, composites and what names objects are kept as PostgreSQL keeps them, by OID and attribute number. An
 * array of arrays would be one array of more dimensions, so arrays are put into a composite type of one attribute.
 */
export interface NativeStorage {
  /** element type of the array in the segments, qualified and quoted */
  readonly element: string;
  readonly holder: boolean;
}

/** What decides how a column is compressed and read. */
export interface CodecColumn {
  /** format_type() with its modifier, under search_path = pg_catalog */
  readonly type: string;
  /** the same without domains and modifier */
  readonly baseType: string;
  readonly hashable: boolean;
  readonly notNull: boolean;
  /** set where values are kept in arrays of PostgreSQL's, since the text of the type changes its meaning by DDL */
  readonly native: NativeStorage | null;
  /** collation to restore, qualified and quoted; null for the default of the type */
  readonly collation: string | null;
}

/** SQL around a column: to a payload, from a payload to arrays once per segment, from the arrays to the value of a row. */
export interface ColumnCodec {
  /** Type of the column in the segments. */
  readonly stored: string;
  /** Whether PostgreSQL's own compression gains nothing. */
  readonly packed: boolean;
  /** Aggregate of an SQL expression over the rows of a segment in the order in which they arrive. */
  encode(value: string): string;
  /** Expressions to be evaluated once per segment. */
  decode(payload: string): readonly string[];
  /** `parts` are the results of decode() by position; `row` counts from 1. */
  value(parts: readonly string[], row: string): string;
}

/**
 * Settings under which text made from any type can be read back as the same value; the loopback connection and whatever
 * encodes or decodes must have them alike.
 */
export const FOR_TEXT: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  extra_float_digits: '3',
  timezone: 'UTC',
  bytea_output: 'hex',
  lc_monetary: 'C',
  xmloption: 'content',
};

const fn = (name: string, ...args: string[]): string => `_tessera_functions.${name}(${args.join(', ')})`;

/** From the number that is decoded to the time. A pass through timestamptz at UTC is still half of an interval's product. */
const TIMES: Readonly<Record<string, (number: string) => string>> = {
  'timestamp with time zone': (n) => `to_timestamp(${n})`,
  'timestamp without time zone': (n) => `timezone('UTC'::text, to_timestamp(${n}))`,
  date: (n) => `('2000-01-01'::date + (${n}))`,
};

/** Microseconds between 1970 and 2000, from which PostgreSQL counts. */
const EPOCH = '946684800000000';

/** From the text of times, which is kept where one of a segment is too far from today. */
const FAR_TIMES: Readonly<Record<string, (text: string) => string>> = {
  'timestamp with time zone': (t) => fn('kept_time', t),
  'timestamp without time zone': (t) => `timezone('UTC'::text, ${fn('kept_time', t)})`,
  date: (t) => fn('kept_date', t),
};

const BY_NUMBER: Readonly<Record<string, string>> = {
  smallint: 'decode_int4',
  integer: 'decode_int4',
  bigint: 'decode_int8',
  real: 'decode_float4',
  'double precision': 'decode_float8',
  boolean: 'decode_int4',
};

/** Arrays that may hold nulls are unfolded, so that a subscript does not walk from the beginning. */
const numbers = (name: string, payload: string, notNull: boolean): string => {
  const array = fn(`${name}_plain`, payload);
  return notNull ? array : `_tessera_functions.unfolded(${array})`;
};

const finish = (value: string, column: CodecColumn): string => {
  const cast = `(${value})::${column.type}`;
  return column.collation === null ? cast : `${cast} collate ${column.collation}`;
};

/** Byte 2 of a payload says what its values are. */
const IS_TEXT = (payload: string): string => `get_byte(${payload}, 2) = 6`;

/** A column of times for the views of tessera_read: what goes by equal steps is not decoded but counted. */
export interface TimeReading {
  readonly decode: readonly string[];
  value(parts: readonly string[], row: string): string;
}

/** `steps` is what decode_steps() gives; undefined for a column whose values are no times. */
export const timeReading = (column: CodecColumn, payload: string, steps: string): TimeReading | undefined => {
  const { baseType, native, notNull } = column;
  const time = TIMES[baseType];
  const name = time === undefined ? BY_NUMBER[baseType] : baseType === 'date' ? 'decode_int4' : 'decode_time';
  if (native !== null || name === undefined || !['decode_int4', 'decode_int8', 'decode_time'].includes(name))
    return undefined;
  if (baseType === 'boolean') return undefined;
  const far = FAR_TIMES[baseType];
  const start = name === 'decode_time' ? `${steps}[1] + ${EPOCH}` : `${steps}[1]`;
  const decode = [
    start,
    `${steps}[2]`,
    `case when ${steps} is null then ${numbers(name, payload, notNull)} end`,
    ...(time === undefined
      ? []
      : [
          `case when ${steps} is null and ${IS_TEXT(payload)}
             then _tessera_functions.unfolded(${fn('decode_text', payload)}) end`,
        ]),
  ];
  // One of the two is null, which greatest() passes over; where CASE does so no rows could be made beside it.
  const value: TimeReading['value'] = ([first = '', step = '', number = '', text = ''], row) => {
    const counted = `${first} + ${step} * ${row}`;
    if (time === undefined || far === undefined)
      return finish(`greatest((${counted})::${baseType}, ${number}[${row}])`, column);
    const one = name === 'decode_time' ? `(${counted}) / 1000000` : `(${counted})::integer`;
    return finish(`greatest(${time(`greatest(${one}, ${number}[${row}])`)}, ${far(`${text}[${row}]`)})`, column);
  };
  return { decode, value };
};

const nativeCodec = (column: CodecColumn, { element, holder }: NativeStorage): ColumnCodec => ({
  stored: `${element}[]`,
  packed: false,
  encode: (value) => `array_agg(${holder ? `row(${value})` : `(${value})`}::${element})`,
  decode: (array) => [`_tessera_functions.unfolded(${array})`],
  value: ([array = ''], row) => finish(holder ? `(${array}[${row}]).v` : `${array}[${row}]`, column),
});

export const columnCodec = (column: CodecColumn): ColumnCodec => {
  const { baseType, notNull, native } = column;
  if (native !== null) return nativeCodec(column, native);
  const codec = chooseAlgorithm({ name: baseType, hashable: column.hashable });
  const stored = 'bytea';
  const packed = codec.kind !== 'text' && codec.kind !== 'bytes' && codec.algorithm !== 'gorilla';
  const time = TIMES[baseType];
  const far = FAR_TIMES[baseType];
  const asText = codec.kind === 'text';
  const encode = (value: string): string =>
    fn(
      'encode_values',
      // A domain would send itself; its base type is what the codec knows.
      `array_send(array_agg((${value})::${asText ? 'text' : baseType}))`,
      literal(codec.kind),
      literal(codec.algorithm),
      time === undefined ? 'false' : 'true',
    );
  if (time !== undefined && far !== undefined) {
    return {
      stored,
      packed,
      encode,
      decode: (payload) => [
        numbers(baseType === 'date' ? 'decode_int4' : 'decode_time', payload, notNull),
        `case when ${IS_TEXT(payload)} then _tessera_functions.unfolded(${fn('decode_text', payload)}) end`,
      ],
      value: ([number = '', text = ''], row) =>
        finish(
          `case when ${text} is not null then ${far(`${text}[${row}]`)} else ${time(`${number}[${row}]`)} end`,
          column,
        ),
    };
  }
  const byNumber = BY_NUMBER[baseType];
  if (byNumber !== undefined)
    return {
      stored,
      packed,
      encode,
      decode: (payload) => [numbers(byNumber, payload, notNull)],
      value: ([array = ''], row) => finish(`${array}[${row}]${baseType === 'boolean' ? ' = 1' : ''}`, column),
    };
  const decoder = codec.kind === 'bytes' ? 'decode_bytes' : 'decode_text';
  return {
    stored,
    packed,
    encode,
    decode: (payload) => [`_tessera_functions.unfolded(${fn(decoder, payload)})`],
    value: ([array = ''], row) => finish(`${array}[${row}]`, column),
  };
};
