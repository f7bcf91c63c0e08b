/** Text or CSV as COPY reads it, cut between rows. */

export interface RowFormat {
  readonly csv: boolean;
  /** First rows that are left out: a header, and what is there already. */
  readonly skip: number;
  readonly batchRows: number;
}

export interface Batch {
  readonly data: readonly Buffer[];
  /** Number of the first row, from 1, those left out included. */
  readonly first: number;
  readonly rows: number;
  readonly bytes: number;
}

const NEWLINE = 10;
const QUOTE = 34;
const BACKSLASH = 92;

/** Where rows end. A line break does not end one between the quotes of CSV, nor behind a backslash of text. */
class RowEnds {
  private quoted = false;
  private escaped = false;
  /** The next one in the piece that is read; looked for once, since it may be far away. */
  private quote = -1;
  private readonly csv: boolean;

  constructor(csv: boolean) {
    this.csv = csv;
  }

  /** Positions behind the line breaks that end rows. */
  *in(chunk: Buffer): Generator<number> {
    let from = 0;
    this.quote = this.csv ? chunk.indexOf(QUOTE) : -1;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) {
      this.read(chunk, from, at);
      from = at;
      if (!this.quoted && !this.escaped) yield at + 1;
    }
    this.read(chunk, from, chunk.length);
  }

  private read(chunk: Buffer, from: number, to: number): void {
    if (this.csv)
      while (this.quote >= 0 && this.quote < to) {
        this.quoted = !this.quoted;
        this.quote = chunk.indexOf(QUOTE, this.quote + 1);
      }
    else if (to > from) {
      let slashes = 0;
      while (to - slashes > from && chunk[to - slashes - 1] === BACKSLASH) slashes++;
      this.escaped = slashes === to - from && this.escaped ? slashes % 2 === 0 : slashes % 2 === 1;
    }
  }
}

/** What comes in, in batches of whole rows; the last row need not end in a line break. */
export async function* rowBatches(source: AsyncIterable<Buffer>, format: RowFormat): AsyncGenerator<Batch> {
  const ends = new RowEnds(format.csv);
  let row = 1;
  let first = 1;
  let data: Buffer[] = [];
  let bytes = 0;
  const take = (piece: Buffer): void => {
    if (piece.length === 0 || row <= format.skip) return;
    data.push(piece);
    bytes += piece.length;
  };
  const batch = (rows: number): Batch => {
    const done = { data, first, rows, bytes };
    [data, bytes] = [[], 0];
    return done;
  };
  for await (const chunk of source) {
    let from = 0;
    for (const end of ends.in(chunk)) {
      row++;
      if (row - 1 <= format.skip) [from, first] = [end, row];
      else if (row - first >= format.batchRows) {
        take(chunk.subarray(from, end));
        from = end;
        yield batch(row - first);
        first = row;
      }
    }
    take(chunk.subarray(from));
  }
  if (bytes > 0) yield batch(row - first + (data.at(-1)?.at(-1) === NEWLINE ? 0 : 1));
}
