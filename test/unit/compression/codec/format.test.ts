import { expect, test } from 'vitest';
import type { Value } from '../../../../src/compression/codec/column.ts';
import { decode } from '../../../../src/compression/codec/decode.ts';
import { type Codec, encode } from '../../../../src/compression/codec/encode.ts';
import { toArray } from '../../../../src/compression/codec/rows.ts';

const times = <T>(count: number, make: (row: number) => T): T[] => Array.from({ length: count }, (_, row) => make(row));

/** Bytes as releases have written them. They must be readable for ever; a change of the format needs another version. */
const VERSION_1: readonly (readonly [name: string, codec: Codec, rows: readonly (Value | null)[], hex: string])[] = [
  [
    'delta-delta of int8, the example of the README',
    { kind: 'int8', algorithm: 'delta-delta' },
    [10n, 20n, 30n, 45n],
    '01040200 04000000 38000000 86598e6a 2d000000 00000000 0f000000 00000000 04000000 01000000 05000000 00000000 14000500 00000000',
  ],
  [
    'delta-delta of int8 beyond 2^53',
    { kind: 'int8', algorithm: 'delta-delta' },
    [10n, 20n, 30n, 2n ** 63n - 1n],
    '01040200 04000000 40000000 8e868557 ffffffff ffffff7f e1ffffff ffffff7f 04000000 02000000 ec000000 00000000 14000000 00000000 aeffffff ffffffff',
  ],
  [
    'delta-delta of int4 with a null',
    { kind: 'int4', algorithm: 'delta-delta' },
    [5, null, 5, -1],
    '01040101 04000000 50000000 fbf58ab4 04000000 01000000 01000000 00000000 02000000 00000000 ffffffff ffffffff faffffff ffffffff 03000000 01000000 04000000 00000000 9a0b0000 00000000',
  ],
  [
    'delta-delta in runs',
    { kind: 'int4', algorithm: 'delta-delta' },
    times(100, (row) => row * 3),
    '01040100 64000000 40000000 23d35801 29010000 00000000 03000000 00000000 64000000 02000000 f3000000 00000000 30000000 00000000 00000000 f0040000',
  ],
  [
    'gorilla of float8',
    { kind: 'float8', algorithm: 'gorilla' },
    [1, 1, Number.NaN, -0, Math.PI],
    '01030400 05000000 88000000 ce3ba851 182d4454 fb210940 05000000 01000000 01000000 00000000 1d000000 00000000 04000000 01000000 01000000 00000000 0f000000 00000000 01000000 18000000 42000000 00000000 04000000 01000000 06000000 00000000 0ad3f400 00000000 02000000 20000000 ff07e0ff 1f2d4454 fb2109c0 00000000',
  ],
  [
    'gorilla of float4',
    { kind: 'float4', algorithm: 'gorilla' },
    [1, -0, null, 2],
    '01030301 04000000 98000000 c2dfadd2 04000000 01000000 01000000 00000000 04000000 00000000 00000040 00000000 03000000 01000000 01000000 00000000 07000000 00000000 03000000 01000000 01000000 00000000 03000000 00000000 01000000 0c000000 22080000 00000000 02000000 01000000 04000000 00000000 97000000 00000000 01000000 19000000 ffbf8001 00000000',
  ],
  [
    'decimals above a base',
    { kind: 'float8', algorithm: 'gorilla' },
    [12.5, 12.5, 12.6, 12.4],
    '01060400 04000000 34000000 92d04d17 01000000 7c000000 00000000 04000000 01000000 02000000 00000000 25000000 00000000',
  ],
  [
    'decimals as deltas',
    { kind: 'float8', algorithm: 'gorilla' },
    times(40, (row) => 1000 + row * (row % 3) + 0.25),
    '01060400 28000000 74000000 b5337445 02000000 b9860100 00000000 28000000 09000000 a9aabbbb 0b000000 00900119 0090a10f 00c02b40 0600e803 98080014 05af0000 4086d400 c076a00f 00009808 f8110000 c4095014 0000f00a a8160000 1c0c0019 0000480d 581b0000 740eb01d 00000000',
  ],
  [
    'booleans',
    { kind: 'bool', algorithm: 'boolean' },
    [true, null, false, true],
    '01050501 04000000 40000000 8c50c1f6 04000000 01000000 01000000 00000000 02000000 00000000 03000000 01000000 01000000 00000000 05000000 00000000',
  ],
  [
    'an array of texts',
    { kind: 'text', algorithm: 'array' },
    ['a', '', 'üb', null, '🎉'],
    '01010601 05000000 4c000000 42acaa2e 05000000 01000000 01000000 00000000 08000000 00000000 04000000 01000000 03000000 00000000 c1080000 00000000 08000000 61c3bc62 f09f8e89',
  ],
  [
    'a dictionary',
    { kind: 'text', algorithm: 'dictionary' },
    times(40, (row) => (row % 2 === 0 ? 'stopped' : 'started')),
    '01020600 28000000 58000000 249cbd53 02000000 28000000 01000000 01000000 00000000 aaaaaaaa aa000000 02000000 01000000 03000000 00000000 3f000000 00000000 0e000000 73746f70 70656473 74617274 65640000',
  ],
  [
    'numerics',
    { kind: 'text', algorithm: 'decimal' },
    times(12, (row) => `-${100 + row}.50`),
    '01060600 0c000000 3c000000 0fd46d9b 02020000 00000000 00000000 0c000000 02000000 1b000000 00000000 834ebc4d 00000000 00000000 00000000',
  ],
  [
    'an array of bytes',
    { kind: 'bytes', algorithm: 'array' },
    [Uint8Array.of(1, 255), new Uint8Array(0)],
    '01010700 02000000 30000000 2ebc5534 02000000 01000000 02000000 00000000 02000000 00000000 02000000 01ff0000',
  ],
  [
    'uuids',
    { kind: 'uuid', algorithm: 'array' },
    ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    '01010800 01000000 3c000000 1ed19411 01000000 01000000 05000000 00000000 10000000 00000000 10000000 a0eebc99 9c0b4ef8 bb6d6bb9 bd380a11',
  ],
];

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

for (const [name, codec, rows, hex] of VERSION_1) {
  const bytes = hex.replaceAll(' ', '');
  test(`version 1 of ${name} is still read`, () =>
    expect(toArray(decode(Uint8Array.from(Buffer.from(bytes, 'hex'))))).toStrictEqual(rows));
  test(`version 1 of ${name} is still written`, () => expect(hexOf(encode(codec, rows)!)).toBe(bytes));
}
