/** What the tests ran on, for the note of `make test`: the setup of the tests knows the server, test/run.ts the counts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { project } from '../../server/cluster.ts';

export const ENGINE_FILE = join(project, 'dist/test-engine.txt');

/** The version that our own handler calls itself: no release of plv8 has that. */
const OWN_HANDLER = /\.99$/;

const SQL = `select current_setting('server_version') as server, e.extversion as plv8,
    (select a.default_version from pg_available_extensions a where a.name = 'pg_cron') as cron
  from pg_extension e
  where e.extname = 'plv8'`;

const REAL = 'TESSERA_TEST_REAL_PLV8';

/** Whether the tests run on the handler in server/plv8; else on a plv8 that somebody released. */
export const onOwnHandler = process.env[REAL] !== 'yes';

/** On a connection to a database with plv8. */
export const noteEngine = async (client: pg.Client, cronFits: boolean): Promise<void> => {
  const { rows } = await client.query<{ server: string; plv8: string; cron: string | null }>(SQL);
  const { server, plv8, cron } = rows[0] ?? { server: '?', plv8: '?', cron: null };
  if (!OWN_HANDLER.test(plv8)) process.env[REAL] = 'yes';
  const handler = OWN_HANDLER.test(plv8) ? 'the handler in server/plv8' : 'a real plv8';
  const idle = cronFits ? '' : ' (starts no workers: not loaded, or older than 1.5)';
  const jobs = cron === null ? 'no pg_cron' : `pg_cron ${cron}${idle}`;
  writeFileSync(ENGINE_FILE, `PostgreSQL ${server.split(' ')[0]}, plv8 ${plv8} (${handler}), ${jobs}`);
};
