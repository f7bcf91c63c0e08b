/** Grows a payload of 32-bit words, the unit in which every section of the format is laid out. */
export class WordWriter {
  words = new Int32Array(64);
  length = 0;

  /** Makes room for `count` words at the end and returns where they begin. */
  reserve(count: number): number {
    const start = this.length;
    this.length += count;
    if (this.length > this.words.length) {
      const grown = new Int32Array(Math.max(this.length, this.words.length * 2));
      grown.set(this.words);
      this.words = grown;
    }
    return start;
  }

  word(value: number): void {
    const at = this.reserve(1);
    this.words[at] = value;
  }

  append(source: Int32Array, count: number): void {
    const at = this.reserve(count);
    this.words.set(source.subarray(0, count), at);
  }

  /** The bytes up to a whole word; what is left of the last word is zero. */
  appendBytes(bytes: Uint8Array): void {
    const at = this.reserve((bytes.length + 3) >>> 2);
    new Uint8Array(this.words.buffer).set(bytes, at * 4);
  }

  /** Takes back all words from `length` on. */
  truncate(length: number): void {
    this.words.fill(0, length, this.length);
    this.length = length;
  }

  /** A view: a copy would double the memory that long texts take in a backend. */
  finish(): Int32Array {
    return this.words.subarray(0, this.length);
  }
}
