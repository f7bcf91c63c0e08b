/** The command `tessera refresh`: what refresh_continuous_aggregate() does, watched from a second connection. */
import type pg from 'pg';

export interface Refresh {
  readonly client: pg.ClientBase;
  /** Reads how far the client is. */
  readonly watcher: pg.ClientBase;
  readonly view: string;
  /** Undefined leaves the side open. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly force: boolean;
  readonly bucketsPerBatch?: number | undefined;
  readonly progress: (p: RefreshProgress) => void;
  readonly everyMs?: number;
}

export interface RefreshProgress {
  readonly done: number;
  /** 0 until the batches are planned, and where nothing is stale. */
  readonly total: number;
}

const look = async (watcher: pg.ClientBase, pid: number): Promise<RefreshProgress | undefined> => {
  const { rows } = await watcher.query<RefreshProgress>(
    'select done, batches as total from tessera_information.continuous_aggregate_refreshes where pid = $1',
    [pid],
  );
  return rows[0];
};

/** Resolves when all is refreshed; what failed rejects with PostgreSQL's own error, and batches before it stay. */
export const refreshAggregate = async (r: Refresh): Promise<RefreshProgress> => {
  const { rows } = await r.client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pid = rows[0]?.pid ?? 0;
  let state: RefreshProgress = { done: 0, total: 0 };
  let ended = false;
  const call = r.client
    .query('call refresh_continuous_aggregate($1::regclass, $2::text, $3::text, $4::boolean, $5::jsonb)', [
      r.view,
      r.from ?? null,
      r.to ?? null,
      r.force,
      r.bucketsPerBatch === undefined ? null : JSON.stringify({ buckets_per_batch: r.bucketsPerBatch }),
    ])
    .finally(() => {
      ended = true;
    });
  const watch = async (): Promise<void> => {
    while (!ended) {
      const seen = await look(r.watcher, pid);
      if (seen !== undefined && (seen.done !== state.done || seen.total !== state.total)) {
        state = seen;
        r.progress(state);
      }
      await Promise.race([call.catch(() => undefined), new Promise((wake) => setTimeout(wake, r.everyMs ?? 200))]);
    }
  };
  // Both to their end, whichever fails: nobody may go on with their connections before.
  for (const outcome of await Promise.allSettled([call, watch()]))
    if (outcome.status === 'rejected') throw outcome.reason;
  state = { done: state.total, total: state.total };
  r.progress(state);
  return state;
};

const WIDTH = 30;

/** One line: bar, batches, and how long it will take at the pace so far. */
export const formatRefresh = (p: RefreshProgress, elapsedMs: number): string => {
  const filled = Math.round((p.total === 0 ? 1 : p.done / p.total) * WIDTH);
  const left =
    p.done === 0 || p.done === p.total
      ? ''
      : `  ${Math.ceil(((elapsedMs / p.done) * (p.total - p.done)) / 1000)} s left`;
  return `[${'#'.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${p.done}/${p.total} batches${left}`;
};
