import { describe, expect, test } from 'vitest';
import type { ArrayKind } from '../../../../src/compression/codec/array.ts';
import { decode } from '../../../../src/compression/codec/decode.ts';
import { encode } from '../../../../src/compression/codec/encode.ts';
import { open } from '../../../../src/compression/codec/header.ts';
import { toArray } from '../../../../src/compression/codec/rows.ts';
import { NULL_SHAPES, TEXT_SHAPES, generator, series, withNulls } from './series.ts';

const LENGTHS = [1, 2, 64, 1000, 5000];
const back = (
  kind: ArrayKind,
  algorithm: 'array' | 'dictionary',
  rows: readonly (string | Uint8Array | null)[],
): unknown[] => toArray(decode(encode({ kind, algorithm }, rows)!, { kind, rows: rows.length }));
const usedAlgorithm = (rows: readonly string[]): string =>
  open(encode({ kind: 'text', algorithm: 'dictionary' }, rows)!).header.algorithm;

describe('array and dictionary', () => {
  for (const shape of TEXT_SHAPES)
    test(`text comes back exactly: ${shape[0]}`, () => {
      for (const algorithm of ['array', 'dictionary'] as const)
        for (const length of LENGTHS)
          for (const [n, nulls] of NULL_SHAPES.entries()) {
            const values = withNulls(series(shape, length, length + n), nulls, length);
            if (values.some((v) => v !== null)) expect(back('text', algorithm, values)).toEqual(values);
          }
    });

  test('very long texts come back', () => {
    const values = ['a'.repeat(3_000_000), '', 'ü'.repeat(700_000), '🎉'.repeat(300_000), 'z'];
    expect(back('text', 'array', values)).toEqual(values);
    expect(back('text', 'dictionary', [...values, ...values])).toEqual([...values, ...values]);
  });

  test('every code point comes back, lone surrogates included', () => {
    const values: string[] = [];
    for (let point = 0; point <= 0x10ffff; point += point < 0x3000 ? 1 : 251) values.push(String.fromCodePoint(point));
    values.push('\ud800', '\udfff', '\udc00\ud800', 'a\ud83c');
    expect(back('text', 'array', values)).toEqual(values);
  });

  test('bytes come back, of one length and of many', () => {
    const random = generator(5);
    const fixed = Array.from({ length: 500 }, () => Uint8Array.from({ length: 6 }, () => random() * 256));
    const varying = Array.from({ length: 500 }, () => Uint8Array.from({ length: random() * 30 }, () => random() * 256));
    for (const values of [fixed, varying, [...fixed.slice(0, 9), ...fixed.slice(0, 9)], [new Uint8Array(0)]])
      for (const algorithm of ['array', 'dictionary'] as const)
        expect(back('bytes', algorithm, [...values, null])).toEqual([...values, null]);
  });

  test('bytes do not share memory with the payload', () => {
    const payload = encode({ kind: 'bytes', algorithm: 'array' }, [Uint8Array.of(1, 2, 3)])!;
    const values = toArray(decode(payload));
    payload.fill(0);
    expect(values).toEqual([Uint8Array.of(1, 2, 3)]);
  });

  test('uuids come back in 16 bytes each', () => {
    const random = generator(3);
    const hex = (n: number): string => Array.from({ length: n }, () => Math.floor(random() * 16).toString(16)).join('');
    const values = Array.from({ length: 1000 }, () => `${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`);
    const withNull = [...values.slice(0, 10), null, ...values.slice(10)];
    expect(back('uuid', 'dictionary', withNull)).toEqual(withNull);
    expect(encode({ kind: 'uuid', algorithm: 'dictionary' }, values)!.length).toBeLessThan(16_060);
  });

  test('a uuid in another form than the one PostgreSQL prints is refused', () => {
    for (const bad of ['', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'a0eebc999c0b4ef8bb6d6bb9bd380a11', 'ü'.repeat(36)])
      expect(() => encode({ kind: 'uuid', algorithm: 'array' }, [bad])).toThrow(
        expect.objectContaining({ sqlstate: 'XX000' }),
      );
  });

  test('a dictionary gives way to an array where it does not pay', () => {
    expect(usedAlgorithm(series(TEXT_SHAPES[2]!, 1000, 1))).toBe('dictionary');
    expect(usedAlgorithm(series(TEXT_SHAPES[3]!, 1000, 1))).toBe('array');
    expect(usedAlgorithm(['a'])).toBe('array');
    expect(usedAlgorithm(['a', 'b', 'a', 'b'])).toBe('array');
  });

  test('values that only the operator of the type calls equal stay apart', () => {
    const values = ['1.0', '1.00', '1 day', '24:00:00', 'é', 'e\u0301', '1.0'];
    expect(back('text', 'dictionary', values)).toEqual(values);
  });

  test('low cardinality costs the bits of the number', () => {
    expect(encode({ kind: 'text', algorithm: 'dictionary' }, series(TEXT_SHAPES[2]!, 1000, 1))!.length).toBeLessThan(
      550,
    );
  });
});
