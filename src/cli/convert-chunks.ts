/** The commands `tessera compress` and `tessera decompress`: chunk by chunk, each in a transaction of its own. */
import type pg from 'pg';

export interface Conversion {
  readonly client: pg.ClientBase;
  readonly hypertable: string;
  readonly action: 'compress' | 'decompress';
  /** An interval, or for an integer time column a number; undefined takes all chunks. */
  readonly olderThan?: string | undefined;
  readonly progress: (p: Progress) => void;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** Bytes of the chunks that are done, before and after. */
  readonly before: number;
  readonly after: number;
  readonly failed: readonly { readonly chunk: string; readonly message: string }[];
}

const listChunks = async ({ client, hypertable, olderThan }: Conversion): Promise<string[]> => {
  const bound =
    olderThan === undefined ? '' : `, older_than => $2::${/^-?\d+$/.test(olderThan) ? 'bigint' : 'interval'}`;
  const { rows } = await client.query<{ chunk: string }>(
    `select c::text as chunk from show_chunks($1::regclass${bound}) c`,
    olderThan === undefined ? [hypertable] : [hypertable, olderThan],
  );
  return rows.map((r) => r.chunk);
};

const sizeOf = async (client: pg.ClientBase, chunk: string): Promise<number> => {
  const { rows } = await client.query<{ bytes: string }>(
    'select sum(pg_total_relation_size(r))::text as bytes from _tessera_functions.heaps_of($1::regclass) r',
    [chunk],
  );
  return Number(rows[0]?.bytes ?? 0);
};

/** Goes on after a chunk that fails, and says so in the end. */
export const convertChunks = async (conversion: Conversion): Promise<Progress> => {
  const { client, action, progress } = conversion;
  const chunks = await listChunks(conversion);
  let state: Progress = { done: 0, total: chunks.length, before: 0, after: 0, failed: [] };
  progress(state);
  for (const chunk of chunks) {
    const before = await sizeOf(client, chunk);
    try {
      await client.query(`select ${action}_chunk($1::regclass, true)`, [chunk]);
      await client.query(`analyze ${chunk}`);
      state = { ...state, before: state.before + before, after: state.after + (await sizeOf(client, chunk)) };
    } catch (e) {
      state = { ...state, failed: [...state.failed, { chunk, message: (e as Error).message }] };
    }
    state = { ...state, done: state.done + 1 };
    progress(state);
  }
  return state;
};

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

export const formatBytes = (bytes: number): string => {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
};

const WIDTH = 30;

/** One line: bar, chunks, sizes, and how long it will take at the pace so far. */
export const formatProgress = (p: Progress, elapsedMs: number): string => {
  const part = p.total === 0 ? 1 : p.done / p.total;
  const filled = Math.round(part * WIDTH);
  const left =
    p.done === 0 || p.done === p.total
      ? ''
      : `  ${Math.ceil(((elapsedMs / p.done) * (p.total - p.done)) / 1000)} s left`;
  const failed = p.failed.length === 0 ? '' : `  ${p.failed.length} failed`;
  return `[${'#'.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${p.done}/${p.total} chunks  ${formatBytes(p.before)} -> ${formatBytes(p.after)}${failed}${left}`;
};
