import { expect, test } from 'vitest';
import { encode } from '../../../../src/compression/codec/encode.ts';
import { writeGorilla } from '../../../../src/compression/codec/gorilla.ts';
import { HEADER_WORDS } from '../../../../src/compression/codec/header.ts';
import { WordWriter } from '../../../../src/compression/codec/word-writer.ts';
import { FLOAT8_BITS, FLOAT8_SHAPES, INT8_SHAPES, NULL_SHAPES, series, withNulls } from './series.ts';

/** Reads payloads slowly, in BigInt, from the tables of src/compression/README.md alone. */
class Reference {
  readonly view: DataView;
  at = 16;

  constructor(payload: Uint8Array) {
    this.view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  }

  word(): number {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }

  double(): bigint {
    const low = BigInt(this.word());
    return low | (BigInt(this.word()) << 32n);
  }

  numbers(): bigint[] {
    const widths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 21, 32, 64];
    const count = this.word();
    const blocks = this.word();
    const selectors = Array.from({ length: Math.ceil(blocks / 16) }, () => this.double());
    const numbers: bigint[] = [];
    for (let b = 0; b < blocks; b++) {
      const selector = Number((selectors[b >> 4]! >> BigInt(4 * (b % 16))) & 15n);
      const data = this.double();
      if (selector === 15) for (let i = data >> 36n; i > 0n; i--) numbers.push(data & (2n ** 36n - 1n));
      else {
        const width = widths[selector]!;
        for (let k = 0; k < Math.floor(64 / width); k++) numbers.push(BigInt.asUintN(width, data >> BigInt(k * width)));
      }
    }
    expect(numbers.length - count).toBeGreaterThanOrEqual(0);
    return numbers.slice(0, count);
  }

  bits(): (count: number) => bigint {
    const buckets = this.word();
    const inLast = this.word();
    let all = 0n;
    for (let b = 0; b < buckets; b++) all |= this.double() << BigInt(64 * b);
    let left = buckets === 0 ? 0 : 64 * (buckets - 1) + inLast;
    return (count) => {
      const value = BigInt.asUintN(count, all);
      all >>= BigInt(count);
      left -= count;
      expect(left).toBeGreaterThanOrEqual(0);
      return value;
    };
  }

  deltaDelta(): bigint[] {
    const lastValue = this.double();
    const lastDelta = this.double();
    let value = 0n;
    let delta = 0n;
    const values = this.numbers().map((z) => {
      delta += (z >> 1n) ^ -(z & 1n);
      value += delta;
      return BigInt.asIntN(64, value);
    });
    expect([BigInt.asUintN(64, value), BigInt.asUintN(64, delta)]).toEqual([lastValue, lastDelta]);
    return values;
  }

  gorilla(): bigint[] {
    const last = this.double();
    const tag0 = this.numbers();
    const tag1 = this.numbers();
    const leading = this.bits();
    const used = this.numbers();
    const xors = this.bits();
    let value = 0n;
    let lead = 0;
    let width = 0;
    const values = tag0.map((changed) => {
      if (changed === 1n) {
        if (tag1.shift() === 1n) {
          lead = Number(leading(6));
          width = Number(used.shift());
        }
        value ^= xors(width) << BigInt(64 - lead - width);
      }
      return value;
    });
    expect(value).toBe(last);
    return values;
  }

  end(): void {
    expect(this.at).toBe(this.view.byteLength);
  }
}

for (const shape of INT8_SHAPES)
  test(`a reader made from the README reads delta-delta: ${shape[0]}`, () => {
    for (const nulls of NULL_SHAPES) {
      const rows = withNulls(series(shape, 400, 3), nulls, 3);
      const reference = new Reference(encode({ kind: 'int8', algorithm: 'delta-delta' }, rows)!);
      if (rows.includes(null)) expect(reference.numbers()).toEqual(rows.map((row) => (row === null ? 1n : 0n)));
      expect(reference.deltaDelta()).toEqual(rows.filter((row) => row !== null));
      reference.end();
    }
  });

for (const shape of [...FLOAT8_BITS, ...FLOAT8_SHAPES])
  test(`a reader made from the README reads gorilla: ${shape[0]}`, () => {
    const values = series<bigint | number>(shape, 400, 3);
    const words = BigUint64Array.from(values, (v) =>
      typeof v === 'bigint' ? v : new BigUint64Array(Float64Array.of(v).buffer)[0]!,
    );
    const out = new WordWriter();
    out.reserve(HEADER_WORDS);
    writeGorilla(out, new Float64Array(words.buffer));
    const reference = new Reference(new Uint8Array(out.words.buffer, 0, 4 * out.length));
    expect(reference.gorilla()).toEqual([...words]);
    reference.end();
  });
