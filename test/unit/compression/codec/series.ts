import type { Algorithm } from '../../../../src/compression/codec/header.ts';
import type { Rows, ValueKind } from '../../../../src/compression/codec/column.ts';

/** Mulberry32 by T. Ettinger: the same numbers for the same seed everywhere. */
export const generator = (seed: number): (() => number) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const word = (random: () => number): number => Math.floor(random() * 4_294_967_296);
export const anyInt8 = (random: () => number): bigint =>
  BigInt.asIntN(64, (BigInt(word(random)) << 32n) | BigInt(word(random)));

const MIN8 = -(2n ** 63n);
const MAX8 = 2n ** 63n - 1n;
const pick = <T>(random: () => number, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;

type Shape<T> = readonly [name: string, value: (row: number, random: () => number) => T];

export const INT8_SHAPES: readonly Shape<bigint>[] = [
  ['constant', () => 2n ** 53n + 1n],
  ['zero', () => 0n],
  ['monotone', (row) => 757_382_400_000_000n + BigInt(row) * 10_000_000n],
  ['falling', (row) => -5n - BigInt(row) * 3n],
  ['jittered', (row, random) => 757_382_400_000_000n + BigInt(row * 10_000_000 + Math.floor(random() * 1_000_000))],
  ['random', (_, random) => anyInt8(random)],
  ['random width', (_, random) => anyInt8(random) >> BigInt(Math.floor(random() * 64))],
  ['extremes', (_, random) => pick(random, [MIN8, MAX8, 0n, -1n, 1n, MIN8 + 1n, MAX8 - 1n])],
  ['alternating signs', (row) => (row % 2 === 0 ? 1n : -1n) * BigInt(row) ** 5n],
  ['deltas that wrap', (row) => (row % 2 === 0 ? MIN8 : MAX8)],
  ['around 2^53', (row) => 2n ** 53n - 500n + BigInt(row)],
  ['runs', (row) => BigInt(Math.floor(row / 70) * 1000)],
  ['infinite timestamps', (row, random) => pick(random, [MIN8, MAX8, 757_382_400_000_000n + BigInt(row)])],
];

export const INT4_SHAPES: readonly Shape<number>[] = [
  ['constant', () => -7],
  ['counter', (row) => row * 11],
  ['random', (_, random) => word(random) | 0],
  ['random width', (_, random) => (word(random) | 0) >> Math.floor(random() * 32)],
  ['extremes', (_, random) => pick(random, [-2_147_483_648, 2_147_483_647, 0, -1, 1])],
  ['deltas that wrap 32 bits', (row) => (row % 2 === 0 ? -2_147_483_648 : 2_147_483_647)],
  [
    'dates with both infinities',
    (row) => (row % 9 === 0 ? 2_147_483_647 : row % 9 === 4 ? -2_147_483_648 : 8766 + row),
  ],
];

/** Bit patterns, so that no engine gets to normalise a NaN. */
export const FLOAT8_BITS: readonly Shape<bigint>[] = [
  ['any bits', (_, random) => anyInt8(random)],
  ['constant', () => 0x4045400000000000n],
  ['zeros of both signs', (_, random) => (random() < 0.5 ? 0n : 2n ** 63n)],
  [
    'NaN with payloads, infinities, subnormals',
    (_, random) =>
      pick(random, [
        0x7ff8000000000000n,
        0xfff8000000000000n,
        0x7ff0000000000001n,
        0xffffffffffffffffn,
        0x7ff4dead_beef1234n,
        0x7ff0000000000000n,
        0xfff0000000000000n,
        1n,
        0x8000000000000001n,
        0x000fffffffffffffn,
        0x7fefffffffffffffn,
        0n,
      ]),
  ],
  ['one bit', (_, random) => 1n << BigInt(Math.floor(random() * 64))],
  ['window of any place', (_, random) => BigInt(Math.floor(random() * 65_536)) << BigInt(Math.floor(random() * 48))],
];

export const FLOAT8_SHAPES: readonly Shape<number>[] = [
  ['tenths', (row, random) => Math.round(500 + 100 * Math.sin(row / 50) + 20 * random()) / 10],
  ['whole numbers', (_, random) => Math.floor(random() * 1000)],
  ['noise', (_, random) => random() * 1e6 - 5e5],
  ['steps', (row) => Math.floor(row / 40) * 0.5],
  ['extremes', (_, random) => pick(random, [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, -0, 0, 1e-300])],
];

export const TEXT_SHAPES: readonly Shape<string>[] = [
  ['one value', () => 'ok'],
  ['empty', () => ''],
  ['few values', (_, random) => `state ${Math.floor(random() * 7)}`],
  ['all different', (row) => `message number ${row} of a long series`],
  ['empty or not', (_, random) => (random() < 0.5 ? '' : 'x')],
  ['scripts and emoji', (row, random) => pick(random, ['Größe', '温度', 'Ωμέγα', '👩🏽‍🚀🎉', 'é', '\u{10ffff}']) + row],
  ['two bytes and one', (row, random) => (random() < 0.5 ? 'ÿ' : 'y').repeat(row % 40)],
  ['json', (row) => JSON.stringify({ id: row, tags: ['a', "b'c"], n: null })],
];

/** Every how many rows a null stands; 0 for none. */
export const NULL_SHAPES: readonly Shape<boolean>[] = [
  ['no nulls', () => false],
  ['first null', (row) => row === 0],
  ['every second null', (row) => row % 2 === 1],
  ['all null but one', (row) => row !== 3],
  ['nulls in runs', (row) => Math.floor(row / 100) % 2 === 1],
  ['nulls anywhere', (_, random) => random() < 0.3],
];

export const series = <T>(shape: Shape<T>, rows: number, seed: number): T[] => {
  const random = generator(seed);
  return Array.from({ length: rows }, (_, row) => shape[1](row, random));
};

export const withNulls = <T>(values: readonly T[], shape: Shape<boolean>, seed: number): (T | null)[] => {
  const random = generator(seed);
  return values.map((value, row) => (shape[1](row, random) ? null : value));
};

const floatsOf = (bits: readonly bigint[]): Float64Array => new Float64Array(BigInt64Array.from(bits).buffer);

/** One column of each kind, for tests that go over all of them. */
export const everyKind = (rows: number, seed: number): [kind: ValueKind, algorithm: Algorithm, Rows][] => {
  const random = generator(seed);
  const some = <T>(shape: Shape<T>): (T | null)[] => withNulls(series(shape, rows, seed), NULL_SHAPES[5]!, seed);
  const list = <T>(make: (row: number) => T): T[] => Array.from({ length: rows }, (_, row) => make(row));
  return [
    ['int8', 'array', some(INT8_SHAPES[4]!)],
    ['int8', 'array', series(INT8_SHAPES[2]!, rows, seed)],
    ['int8', 'array', series(INT8_SHAPES[5]!, rows, seed)],
    ['int4', 'array', some(INT4_SHAPES[1]!)],
    ['float8', 'array', floatsOf(series(FLOAT8_BITS[0]!, rows, seed))],
    ['float8', 'array', some(FLOAT8_SHAPES[0]!)],
    ['float4', 'array', some(FLOAT8_SHAPES[1]!)],
    ['bool', 'array', list((row) => (row % 5 === 0 ? null : random() < 0.5))],
    ['text', 'dictionary', some(TEXT_SHAPES[2]!)],
    ['text', 'dictionary', some(TEXT_SHAPES[3]!)],
    ['text', 'array', some(TEXT_SHAPES[5]!)],
    ['text', 'decimal', some(['amounts', (row) => (row * 1.37 - 500).toFixed(2)])],
    ['bytes', 'dictionary', list((row) => Uint8Array.of(row & 3, 255, 0))],
    ['bytes', 'array', list((row) => new Uint8Array(row % 7).fill(row))],
    ['uuid', 'dictionary', list((row) => `0190a4b2-7c3d-7000-8abc-${(row * 7919).toString(16).padStart(12, '0')}`)],
  ];
};
