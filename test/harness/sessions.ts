import type pg from 'pg';
import type { Database } from './database.ts';
import { waitUntil } from './wait-until.ts';

export const backendPid = async (client: pg.Client): Promise<number> =>
  (await client.query('select pg_backend_pid() as pid')).rows[0].pid as number;

/** Waits until the session waits for a lock. */
export const blocked = (db: Database, pid: number): Promise<void> =>
  waitUntil(`backend ${pid} waits for a lock`, async () =>
    Boolean(
      await db.value(`select exists (select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock')`, [pid]),
    ),
  );
