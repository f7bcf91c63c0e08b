import { startWorker, type RunningWorker } from '../../src/cli/worker.ts';
import type { Database } from './database.ts';
import { loginAs, profile, serverAddress } from './server.ts';
import { waitUntil } from './wait-until.ts';

export type Driver = 'pg_cron' | 'node';

/** Set up by global-setup, which says so on stderr when the server has no pg_cron that can keep workers going. */
export const hasCron = process.env.TESSERA_TEST_CRON !== 'no';
export const DRIVERS: readonly Driver[] = hasCron ? ['pg_cron', 'node'] : ['node'];

/** Scheduler and workers of a test's database, started the one way or the other. */
export class Workers {
  private readonly db: Database;
  private readonly driver: Driver;
  private node: RunningWorker | undefined;
  private readonly role: string | undefined;
  readonly log: string[] = [];

  /** role: whom the command tessera worker logs in as, the owner of the extension unless given. */
  constructor(db: Database, driver: Driver, role?: string) {
    this.db = db;
    this.driver = driver;
    this.role = role;
  }

  async start(): Promise<void> {
    if (this.driver === 'pg_cron') {
      const { host, user, password } = serverAddress();
      if (profile() === 'managed')
        await this.db.query(`select tessera.set_loopback('host=${host} user=${user} password=${password}')`);
      if (!(await this.db.value('select start_background_workers()')))
        throw new Error('this server does not load pg_cron');
    } else {
      await this.db.query(`select tessera.set_setting('background_workers', 'on')`);
      const { host, port, user } = serverAddress();
      const connection = { host, port, ...loginAs(this.role ?? user) };
      this.node = startWorker({
        connection: { ...connection, database: this.db.name },
        database: this.db.name,
        lookEvery: 300,
        log: (line) => void this.log.push(line),
      });
    }
    await waitUntil('the scheduler runs', () => this.db.value('select running from tessera_information.scheduler'));
  }

  async stop(): Promise<void> {
    await this.node?.stop();
    this.node = undefined;
    if (this.role !== undefined) return;
    await this.db.query('select stop_background_workers()');
  }
}
