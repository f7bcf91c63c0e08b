/**
 * Bytes and nanoseconds a value of each codec, on segments of 1000 rows: `npx tsx bench/codec.ts`. Sizes and times are
 * printed as ratios too: sizes against PostgreSQL's own width of the value, times against JSON of the same values.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Value } from '../src/compression/codec/column.ts';
import { decode } from '../src/compression/codec/decode.ts';
import { type Codec, encode } from '../src/compression/codec/encode.ts';
import { toArray } from '../src/compression/codec/rows.ts';
import type { Measurement } from './measurement.ts';

const SEGMENT = 1000;
const INTEGER: Codec = { kind: 'int4', algorithm: 'delta-delta' };
const BIGINT: Codec = { kind: 'int8', algorithm: 'delta-delta' };
const DOUBLE: Codec = { kind: 'float8', algorithm: 'gorilla' };
const REAL: Codec = { kind: 'float4', algorithm: 'gorilla' };
const TEXT: Codec = { kind: 'text', algorithm: 'dictionary' };
const NUMERIC: Codec = { kind: 'text', algorithm: 'decimal' };

interface Series {
  readonly name: string;
  readonly codec: Codec;
  readonly values: readonly Value[];
}

let seed = 42n;
/** 53 random bits from two draws of a 64-bit linear congruential generator's upper half (Knuth's MMIX constants). */
const draw = (): number => {
  seed = BigInt.asUintN(64, seed * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n);
  return Number(seed >> 32n);
};
const random = (): number => ((draw() >>> 5) * 67_108_864 + (draw() >>> 6)) / 9_007_199_254_740_992;

const times = <T>(make: (row: number) => T): T[] => Array.from({ length: SEGMENT }, (_, row) => make(row));

const generated = (): Series[] => {
  const start = 757_382_400_000_000n;
  let counter = 0;
  let gauge = 50;
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
  return [
    { name: 'timestamps every 10 s', codec: BIGINT, values: times((row) => start - BigInt(row) * 10_000_000n) },
    {
      name: 'timestamps every 10 s, 1 ms jitter',
      codec: BIGINT,
      values: times((row) => start + BigInt(row * 10_000_000 + Math.floor(random() * 1000))),
    },
    { name: 'int8 at random', codec: BIGINT, values: times(() => BigInt.asIntN(64, BigInt(`0x${hex(16)}`))) },
    { name: 'int4 constant', codec: INTEGER, values: times(() => 7) },
    {
      name: 'int4 counter',
      codec: INTEGER,
      values: times(() => {
        counter += Math.floor(random() * 20);
        return counter;
      }),
    },
    { name: 'float8 constant', codec: DOUBLE, values: times(() => 42.5) },
    { name: 'float8 whole percent', codec: DOUBLE, values: times(() => Math.floor(random() * 100)) },
    {
      name: 'float8 gauge in tenths',
      codec: DOUBLE,
      values: times(() => {
        gauge += random() - 0.5;
        return Math.round(gauge * 10) / 10;
      }),
    },
    { name: 'float8 at random', codec: DOUBLE, values: times(() => random() * 100) },
    { name: 'float4 at random', codec: REAL, values: times(() => Math.fround(random() * 100)) },
    { name: 'bool, one in ten', codec: { kind: 'bool', algorithm: 'boolean' }, values: times(() => random() < 0.1) },
    { name: 'text of 8 values', codec: TEXT, values: times(() => `status_${Math.floor(random() * 8)}`) },
    { name: 'text, all different', codec: TEXT, values: times((row) => `message ${row}: ${hex(12)}`) },
    { name: 'numeric(6,2) at random', codec: NUMERIC, values: times(() => (random() * 1000).toFixed(2)) },
    {
      name: 'numeric of 20 digits',
      codec: NUMERIC,
      values: times(() => `0.${Math.floor(random() * 1e10)}${Math.floor(random() * 1e10)}`),
    },
    {
      name: 'uuid at random',
      codec: { kind: 'uuid', algorithm: 'dictionary' },
      values: times(() => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`),
    },
  ];
};

const folder = new URL('../node_modules/vega-datasets/data/', import.meta.url);
const lines = (name: string, from: number): string[][] =>
  readFileSync(new URL(name, folder), 'utf8')
    .trim()
    .split('\n')
    .slice(from, from + SEGMENT)
    .map((line) => line.split(','));

const real = (): Series[] => {
  const weather = lines('seattle-weather-hourly-normals.csv', 2000);
  const daily = lines('seattle-weather.csv', 1);
  const shares = lines('sp500-2000.csv', 1);
  const flights = (
    JSON.parse(readFileSync(new URL('flights-20k.json', folder), 'utf8')) as {
      date: string;
      delay: number;
      origin: string;
    }[]
  ).slice(0, SEGMENT);
  return [
    {
      name: 'weather: hours',
      codec: BIGINT,
      values: weather.map((r) => BigInt(Date.parse(`${r[0]}Z`)) * 1000n),
    },
    { name: 'weather: pressure', codec: DOUBLE, values: weather.map((r) => Number(r[1])) },
    { name: 'weather: temperature', codec: DOUBLE, values: weather.map((r) => Number(r[2])) },
    { name: 'weather: kind', codec: TEXT, values: daily.map((r) => r[5]!) },
    { name: 'shares: days', codec: INTEGER, values: shares.map((r) => Date.parse(r[0]!) / 86_400_000) },
    { name: 'shares: closing price', codec: DOUBLE, values: shares.map((r) => Number(r[4])) },
    { name: 'shares: volume', codec: BIGINT, values: shares.map((r) => BigInt(r[6]!)) },
    {
      name: 'flights: departure',
      codec: BIGINT,
      values: flights.map((f) => BigInt(Date.parse(f.date.replaceAll('/', '-').replace(' ', 'T') + 'Z')) * 1000n),
    },
    { name: 'flights: delay', codec: INTEGER, values: flights.map((f) => f.delay) },
    { name: 'flights: origin', codec: TEXT, values: flights.map((f) => f.origin) },
  ];
};

/** The least time of a call, in nanoseconds; a shared machine only ever adds to it. */
const leastTime = (work: () => unknown): number => {
  for (let i = 0; i < 300; i++) work();
  let least = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < 20; batch++) {
    const began = process.hrtime.bigint();
    for (let i = 0; i < 20; i++) work();
    least = Math.min(least, Number(process.hrtime.bigint() - began) / 20);
  }
  return least;
};

const WIDTH: Readonly<Record<string, number>> = { int4: 4, int8: 8, float4: 4, float8: 8, bool: 1, uuid: 16 };

const widthOf = ({ codec, values }: Series): number =>
  WIDTH[codec.kind] ?? values.reduce((sum: number, v) => sum + Buffer.byteLength(v as string) + 1, 0) / values.length;

interface Result {
  readonly series: Series;
  readonly bytes: number;
  readonly encode: number;
  readonly decode: number;
  readonly array: number;
  readonly stringify: number;
  readonly parse: number;
}

const measure = (series: Series): Result => {
  const { codec, values } = series;
  const payload = encode(codec, values)!;
  const plain = values.map((v) => (typeof v === 'bigint' ? Number(v) : v));
  const json = JSON.stringify(plain);
  return {
    series,
    bytes: payload.length,
    encode: leastTime(() => encode(codec, values)),
    decode: leastTime(() => decode(payload)),
    array: leastTime(() => toArray(decode(payload))),
    stringify: leastTime(() => JSON.stringify(plain)),
    parse: leastTime(() => JSON.parse(json)),
  };
};

/** For `make bench`: decoding all series against JSON.parse of the same values. */
export const measureCodecs = (): Measurement[] => {
  const results = [...generated(), ...real()].map(measure);
  const sum = (of: (r: Result) => number): number => results.reduce((total, r) => total + of(r), 0) / 1e6;
  return [
    {
      name: `${results.length} segments of 1000 rows decoded, against JSON.parse`,
      anchor: sum((r) => r.parse),
      ours: sum((r) => r.array),
      goal: 1.5,
    },
    {
      name: `${results.length} segments of 1000 rows encoded, against JSON.stringify`,
      anchor: sum((r) => r.stringify),
      ours: sum((r) => r.encode),
      goal: 2,
    },
  ];
};

const column = (value: number, digits: number, width: number): string => value.toFixed(digits).padStart(width);

const print = (): void => {
  const doubles = Float64Array.from({ length: SEGMENT }, random);
  const copy = leastTime(() => doubles.slice()) / SEGMENT;
  process.stdout.write(`a Float64Array of 1000 is copied in ${copy.toFixed(2)} ns a value\n\n`);
  process.stdout.write(
    `${''.padEnd(36)} bytes  of raw | ns: encode decode to array | of JSON: encode  decode to array\n`,
  );
  for (const series of [...generated(), ...real()]) {
    const r = measure(series);
    const rows = series.values.length;
    process.stdout.write(
      `${series.name.padEnd(36)}${column(r.bytes / rows, 2, 6)}${column((100 * r.bytes) / rows / widthOf(series), 0, 6)} %` +
        ` |${column(r.encode / rows, 1, 11)}${column(r.decode / rows, 1, 7)}${column(r.array / rows, 1, 9)}` +
        ` |${column(r.encode / r.stringify, 2, 16)}${column(r.decode / r.parse, 2, 8)}${column(r.array / r.parse, 2, 9)}\n`,
    );
  }
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) print();
