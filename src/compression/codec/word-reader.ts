import { CorruptPayload } from './corrupt-payload.ts';

/** Walks over the words of a payload; nothing is read, and nothing allocated, beyond what is there. */
export class WordReader {
  readonly words: Int32Array;
  position: number;

  constructor(words: Int32Array, position: number) {
    this.words = words;
    this.position = position;
  }

  /** Steps over `count` words and returns where they begin. */
  take(count: number): number {
    const start = this.position;
    if (!(count <= this.words.length - start))
      throw new CorruptPayload(`a section of ${count} words begins at word ${start} of ${this.words.length}`);
    this.position = start + count;
    return start;
  }

  signed(): number {
    return this.words[this.take(1)]!;
  }

  unsigned(): number {
    return this.signed() >>> 0;
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    const start = this.take(Math.ceil(length / 4));
    return new Uint8Array(this.words.buffer, this.words.byteOffset + start * 4, length);
  }

  end(): void {
    if (this.position !== this.words.length)
      throw new CorruptPayload(`${this.words.length - this.position} words are left after the last section`);
  }
}
