import { describe, expect, test } from 'vitest';
import { CRC_START, crc32c } from '../../../../src/compression/codec/checksum.ts';
import type { Column } from '../../../../src/compression/codec/column.ts';
import { CorruptPayload } from '../../../../src/compression/codec/corrupt-payload.ts';
import { decode } from '../../../../src/compression/codec/decode.ts';
import { encode } from '../../../../src/compression/codec/encode.ts';
import { PgError } from '../../../../src/lib/pg-error.ts';
import { everyKind, generator } from './series.ts';

/** Every kind, small enough to try each byte. */
const samples = everyKind(60, 11).map(([kind, algorithm, rows]) => ({
  kind,
  payload: encode({ kind, algorithm }, rows)!,
}));

/** A checksum that fits, as an attacker or a fault in our own encoder would leave it. */
const reseal = (payload: Uint8Array): Uint8Array => {
  const sealed = payload.slice(0, payload.length & ~3);
  const words = new Int32Array(sealed.buffer);
  words[0] = (words[0]! & ~255) | 1;
  words[2] = sealed.length;
  words[3] = ~crc32c(crc32c(CRC_START, words, 0, 3), words, 4, words.length);
  return sealed;
};

/** Whatever the bytes: rows as many as the header says, or the one error. Without expect(), which is slow a million times. */
const decodesOrRefuses = (payload: Uint8Array): Column | undefined => {
  try {
    const column = decode(payload);
    if (column.values.length !== column.rows || (column.nulls?.length ?? column.rows) !== column.rows)
      throw new Error(`${column.values.length} values for ${column.rows} rows`);
    return column;
  } catch (error) {
    if (!(error instanceof CorruptPayload)) throw error;
    return undefined;
  }
};

describe('CRC-32C', () => {
  test('has the published check value for the digits 1 to 9', () => {
    const bytes = Uint8Array.from('123456789', (c) => c.charCodeAt(0));
    // The ninth digit is no whole word: the eight before it, then one step by hand through a word of its own.
    let crc = crc32c(CRC_START, new Int32Array(bytes.buffer.slice(0, 8)), 0, 2) ^ bytes[8]!;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    expect(~crc >>> 0).toBe(0xe3069283);
  });

  test('of 32 zero bytes is the one in RFC 3720', () => {
    expect(~crc32c(CRC_START, new Int32Array(8), 0, 8) >>> 0).toBe(0x8a9136aa);
  });

  test('is the same in steps of four and of eight bytes', () => {
    const words = Int32Array.from({ length: 9 }, (_, i) => Math.imul(i + 1, 0x9e3779b9));
    const whole = crc32c(CRC_START, words, 0, 9);
    expect(crc32c(crc32c(CRC_START, words, 0, 3), words, 3, 9)).toBe(whole);
    let single = CRC_START;
    for (let i = 0; i < 9; i++) single = crc32c(single, words, i, i + 1);
    expect(single).toBe(whole);
  });
});

describe('a corrupt payload', () => {
  test('is a PgError with SQLSTATE XX001, a detail and a hint', () => {
    const error = new CorruptPayload('a detail');
    expect(error).toBeInstanceOf(PgError);
    expect(error).toMatchObject({ sqlstate: 'XX001', detail: 'a detail' });
    expect(error.hint).toBeTruthy();
  });

  test('cut at any byte is refused', () => {
    for (const { payload } of samples)
      for (let length = 0; length < payload.length; length++)
        if (decodesOrRefuses(payload.subarray(0, length)) !== undefined)
          expect.fail(`${length} of ${payload.length} bytes`);
  });

  test('with bytes after its end is refused', () => {
    for (const { payload } of samples)
      for (const more of [1, 3, 4, 8])
        expect(() => decode(Uint8Array.from([...payload, ...new Uint8Array(more)]))).toThrow(CorruptPayload);
  });

  test('with any one bit changed is refused', () => {
    for (const { payload } of samples)
      for (let bit = 0; bit < 8 * payload.length; bit++) {
        payload[bit >> 3]! ^= 1 << (bit & 7);
        if (decodesOrRefuses(payload) !== undefined) expect.fail(`bit ${bit} of ${8 * payload.length}`);
        payload[bit >> 3]! ^= 1 << (bit & 7);
      }
  });

  test('of random bytes is refused', () => {
    const random = generator(77);
    for (let i = 0; i < 3000; i++) {
      const bytes = Uint8Array.from({ length: random() * 200 }, () => random() * 256);
      if (bytes.length > 0) bytes[0] = 1;
      expect(() => decode(bytes)).toThrow(CorruptPayload);
    }
  });

  test('cut at any word, with a checksum that fits, ends in rows or a refusal', () => {
    for (const { payload } of samples)
      for (let length = 16; length < payload.length; length += 4)
        expect(decodesOrRefuses(reseal(payload.subarray(0, length)))).toBeUndefined();
  });

  test('with any one bit changed and a checksum that fits ends in rows or a refusal', () => {
    for (const { payload } of samples)
      for (let bit = 0; bit < 8 * payload.length; bit++) {
        const changed = payload.slice();
        changed[bit >> 3]! ^= 1 << (bit & 7);
        decodesOrRefuses(reseal(changed));
      }
  });

  test('with random words and a checksum that fits ends in rows or a refusal, soon and in little memory', () => {
    const random = generator(99);
    const before = process.memoryUsage();
    for (let round = 0; round < 20_000; round++) {
      const { payload } = samples[round % samples.length]!;
      const changed = payload.slice();
      const words = new Int32Array(changed.buffer);
      for (let n = 1 + random() * 3; n >= 1; n--) {
        const extreme = [-1, 0, 0x7fffffff, -0x80000000, 65_536, 65_537][Math.floor(random() * 12)];
        words[Math.floor(random() * words.length)] = extreme ?? random() * 4_294_967_296;
      }
      decodesOrRefuses(reseal(changed));
    }
    const after = process.memoryUsage();
    expect(after.rss - before.rss).toBeLessThan(300 * 2 ** 20);
  });

  test('of random sections behind a sound header ends in rows or a refusal', () => {
    const random = generator(123);
    for (let round = 0; round < 20_000; round++) {
      const { payload } = samples[round % samples.length]!;
      const changed = Uint8Array.from({ length: 16 + 4 * Math.floor(random() * 40) }, () =>
        random() < 0.6 ? random() * 4 : random() * 256,
      );
      changed.set(payload.subarray(0, 16));
      decodesOrRefuses(reseal(changed));
    }
  });

  test('of another version is refused by its number', () => {
    const { payload } = samples[0]!;
    const changed = payload.slice();
    changed[0] = 2;
    expect(() => decode(changed)).toThrow(expect.objectContaining({ detail: expect.stringContaining('version 2') }));
  });

  test('of other rows or another kind than the segment says is refused', () => {
    for (const { kind, payload } of samples) {
      expect(decode(payload, { kind, rows: 60 }).rows).toBe(60);
      expect(() => decode(payload, { rows: 61 })).toThrow(CorruptPayload);
      expect(() => decode(payload, { kind: kind === 'int4' ? 'int8' : 'int4' })).toThrow(CorruptPayload);
    }
  });

  test('is told from a sound one that begins at an odd address', () => {
    for (const { payload } of samples) {
      const shifted = new Uint8Array(payload.length + 1);
      shifted.set(payload, 1);
      expect(decode(shifted.subarray(1))).toEqual(decode(payload));
    }
  });
});
