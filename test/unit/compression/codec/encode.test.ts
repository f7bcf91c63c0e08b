import { describe, expect, test } from 'vitest';
import { chooseAlgorithm } from '../../../../src/compression/codec/choose-algorithm.ts';
import { decode } from '../../../../src/compression/codec/decode.ts';
import { encode } from '../../../../src/compression/codec/encode.ts';
import { backward, forward, toArray } from '../../../../src/compression/codec/rows.ts';
import { everyKind } from './series.ts';

describe('encode and decode', () => {
  for (const rows of [1, 7, 1000, 5000])
    test(`every kind of ${rows} rows comes back forward, backward and as an array`, () => {
      for (const [kind, algorithm, values] of everyKind(rows, rows)) {
        const payload = encode({ kind, algorithm }, values);
        if (payload === null) continue;
        const column = decode(payload, { kind, rows });
        const given = Array.from(values);
        expect(Array.from(forward(column))).toEqual(given);
        expect(Array.from(backward(column))).toEqual(given.reverse());
        expect(toArray(column).reverse()).toEqual(given);
      }
    });

  test('no rows, and rows that are all null, give null', () => {
    for (const [kind, algorithm] of everyKind(1, 1)) {
      expect(encode({ kind, algorithm }, [])).toBeNull();
      expect(encode({ kind, algorithm }, [null, undefined, null])).toBeNull();
    }
  });

  test('the same rows give the same bytes', () => {
    for (const [kind, algorithm, values] of everyKind(500, 4))
      expect(encode({ kind, algorithm }, values)).toEqual(encode({ kind, algorithm }, values));
  });

  test('booleans take a bit and their nulls another', () => {
    const values = Array.from({ length: 1000 }, (_, i) => (i % 7 === 0 ? null : i % 3 === 0));
    const payload = encode({ kind: 'bool', algorithm: 'boolean' }, values)!;
    expect(toArray(decode(payload))).toEqual(values);
    expect(payload.length).toBeLessThan(330);
  });

  test('more rows than a segment may have are refused', () => {
    expect(() => encode({ kind: 'int4', algorithm: 'delta-delta' }, new Int32Array(65_537))).toThrow(
      /larger than 65536/,
    );
    expect(decode(encode({ kind: 'int4', algorithm: 'delta-delta' }, new Int32Array(65_536))!).rows).toBe(65_536);
  });
});

describe('chooseAlgorithm', () => {
  for (const [name, hashable, kind, algorithm] of [
    ['smallint', true, 'int4', 'delta-delta'],
    ['integer', true, 'int4', 'delta-delta'],
    ['bigint', true, 'int8', 'delta-delta'],
    ['date', true, 'int4', 'delta-delta'],
    ['timestamp without time zone', true, 'int8', 'delta-delta'],
    ['timestamp with time zone', true, 'int8', 'delta-delta'],
    ['real', true, 'float4', 'gorilla'],
    ['double precision', true, 'float8', 'gorilla'],
    ['numeric', true, 'text', 'decimal'],
    ['boolean', true, 'bool', 'boolean'],
    ['uuid', true, 'uuid', 'dictionary'],
    ['bytea', true, 'bytes', 'dictionary'],
    ['text', true, 'text', 'dictionary'],
    ['jsonb', true, 'text', 'dictionary'],
    ['json', false, 'text', 'array'],
    ['point', false, 'text', 'array'],
    ['integer[]', true, 'text', 'dictionary'],
    ['public.mood', true, 'text', 'dictionary'],
    ['public.integer', false, 'text', 'array'],
  ] as const)
    test(`${name}${hashable ? '' : ' without a hash'} is ${kind} under ${algorithm}`, () =>
      expect(chooseAlgorithm({ name, hashable })).toEqual({ kind, algorithm }));
});
