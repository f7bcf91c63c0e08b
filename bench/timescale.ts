import pg from 'pg';

/** A database with TimescaleDB, made for one run. */
export interface Timescale {
  readonly client: pg.Client;
  readonly version: string;
  readonly drop: () => Promise<void>;
}

const NAME = 'tessera_bench_timescale';

/**
 * On the server that TESSERA_BENCH_TIMESCALE names by a DSN, or on the benchmark's own if it has Debian's
 * package of it; undefined where there is none. It must be in shared_preload_libraries there.
 */
export const findTimescale = async (own: pg.ClientConfig): Promise<Timescale | undefined> => {
  const dsn = process.env.TESSERA_BENCH_TIMESCALE;
  const named = dsn === undefined ? { ...own, database: 'postgres' } : { connectionString: dsn };
  const admin = new pg.Client(named);
  await admin.connect();
  const { rows } = await admin.query<{ version: string; loaded: boolean }>(
    `select default_version as version, current_setting('shared_preload_libraries') ~ '\\mtimescaledb\\M' as loaded
     from pg_available_extensions where name = 'timescaledb'`,
  );
  const found = rows[0];
  if (!found?.loaded) {
    await admin.end();
    if (dsn !== undefined || found !== undefined)
      throw new Error(
        `${dsn === undefined ? 'the server' : 'the server of TESSERA_BENCH_TIMESCALE'} ${
          found === undefined ? 'does not have TimescaleDB' : 'needs timescaledb in shared_preload_libraries'
        }`,
      );
    return undefined;
  }
  await admin.query(`drop database if exists ${NAME} with (force)`);
  await admin.query(`create database ${NAME} template template0 encoding 'UTF8'`);
  // The DSN says how to reach the server; the database in it is another.
  const { host, port, user, password } = admin;
  const client = new pg.Client({ host, port, ...(user && { user }), ...(password && { password }), database: NAME });
  await client.connect();
  await client.query('create extension timescaledb');
  return {
    client,
    version: found.version,
    drop: async () => {
      await client.end();
      await admin.query(`drop database ${NAME} with (force)`);
      await admin.end();
    },
  };
};
