import { expect, test } from 'vitest';
import { hasWorkers } from '../../harness/cluster.ts';
import { useDatabase } from '../../harness/database.ts';
import { serverAddress } from '../../harness/server.ts';

const db = useDatabase();

// As this server may have the extension, one that has not stands in for it.
test.runIf(hasWorkers())(
  'where pg_cron is loaded without its extension, the job that purges its log succeeds',
  async () => {
    const { workers, user } = serverAddress();
    await db.query('select tessera.set_loopback($1)', [`host=127.0.0.1 port=${workers?.[0]} user=${user}`]);
    expect(
      await db.column(`select x from _tessera_functions.in_cron_database($$select to_regnamespace('cron')::text$$) x`),
    ).toEqual([null]);
    expect(await db.value('select _tessera_functions.purge_cron_log()')).toBe(0n);
    await db.query('call run_job(2)');
  },
);
