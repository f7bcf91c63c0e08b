import type pg from 'pg';

export const backendPid = async (client: pg.Client): Promise<number> =>
  (await client.query('select pg_backend_pid() as pid')).rows[0].pid as number;
