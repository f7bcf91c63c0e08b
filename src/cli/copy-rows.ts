/** The command `tessera copy`: COPY in batches, each a transaction of its own, over one connection or several. */
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { formatBytes } from './convert-chunks.ts';
import { rowBatches, type Batch, type RowFormat } from './row-batches.ts';

export interface Copy {
  /** Each takes batches as they come. */
  readonly clients: readonly pg.ClientBase[];
  readonly source: AsyncIterable<Buffer>;
  readonly table: string;
  /** Null for all of the table. */
  readonly columns: readonly string[] | null;
  readonly format: RowFormat;
  readonly delimiter: string | undefined;
  readonly nullText: string | undefined;
  readonly progress: (p: CopyProgress) => void;
}

export interface CopyProgress {
  readonly rows: number;
  readonly bytes: number;
}

/** A batch that was not taken, and what of the others was. */
export class CopyFailed extends Error {
  /** Rows from the first on that are all committed: a further call may leave them out. */
  readonly skip: number;

  constructor(batch: Batch, cause: unknown, skip: number) {
    super(`rows ${batch.first} to ${batch.first + batch.rows - 1} were not copied: ${(cause as Error).message}`);
    this.skip = skip;
  }
}

const statementOf = async (c: Copy): Promise<string> => {
  const [client] = c.clients;
  if (client === undefined) throw new Error('no connection to copy over');
  // The server says what the table is called, so that what is put into the statement is a name and nothing else.
  const { rows } = await client.query<{ name: string }>('select $1::regclass::text as name', [c.table]);
  const columns = c.columns === null ? '' : ` (${c.columns.map((n) => pg.escapeIdentifier(n)).join(', ')})`;
  const options = [
    `format ${c.format.csv ? 'csv' : 'text'}`,
    ...(c.delimiter === undefined ? [] : [`delimiter ${pg.escapeLiteral(c.delimiter)}`]),
    ...(c.nullText === undefined ? [] : [`null ${pg.escapeLiteral(c.nullText)}`]),
  ];
  return `copy ${rows[0]?.name}${columns} from stdin (${options.join(', ')})`;
};

/**
 * Rows whose chunk is absent are written twice, the first time into the default partition: in batches those are the rows of one
 * batch for each chunk. Ends with the first batch that fails, when those under way have ended.
 */
export const copyRows = async (c: Copy): Promise<CopyProgress> => {
  const statement = await statementOf(c);
  const batches = rowBatches(c.source, c.format);
  let state: CopyProgress = { rows: 0, bytes: 0 };
  const failed: { readonly batch: Batch; readonly cause: unknown }[] = [];
  const work = async (client: pg.ClientBase): Promise<void> => {
    while (failed.length === 0) {
      const { value: batch, done } = await batches.next();
      if (done === true) return;
      try {
        await pipeline(Readable.from(batch.data), client.query(copyFrom(statement)));
      } catch (cause) {
        failed.push({ batch, cause });
        return;
      }
      state = { rows: state.rows + batch.rows, bytes: state.bytes + batch.bytes };
      c.progress(state);
    }
  };
  await Promise.all(c.clients.map(work));
  const [first] = failed.sort((a, b) => a.batch.first - b.batch.first);
  // Batches behind it may be in as well; everything before it is.
  if (first !== undefined) throw new CopyFailed(first.batch, first.cause, first.batch.first - 1);
  return state;
};

export const formatCopy = (p: CopyProgress, elapsedMs: number): string => {
  const pace = elapsedMs > 0 ? Math.round((p.rows * 1000) / elapsedMs) : 0;
  return `${p.rows} rows  ${formatBytes(p.bytes)}  ${pace} rows/s`;
};
