/**
 * The command `tessera worker`: does by client connections what pg_cron does by background workers. It keeps one session
 * that runs the scheduler and one session per worker slot in every database that has the extension, each as the role
 * that owns the work; logged in as a role that has no say over the extension, it works for that role alone. Everything else is
 * the same procedures in the server.
 */
import pg from 'pg';

export interface WorkerOptions {
  /** Host, port, password and so on; the user must be a member of the role that owns the extension. */
  readonly connection: pg.ClientConfig;
  /** Only this database; every database with the extension when undefined. */
  readonly database?: string;
  /** Milliseconds between looks for databases that gained the extension. */
  readonly lookEvery?: number;
  readonly log?: (line: string) => void;
}

export interface RunningWorker {
  readonly stop: () => Promise<void>;
}

const RESTART_AFTER = 1000;
/** How long it lets a role be whose password it does not have. */
const REFUSED_FOR = 30_000;

/** Server said no to the login itself, not to what was asked of it. */
const isRefusal = (e: unknown): boolean => e instanceof pg.DatabaseError && (e.code ?? '').startsWith('28');

/** A password is that of one role; those of others are in the password file, where the driver looks by itself. */
const as = (config: pg.ClientConfig, user: string): pg.ClientConfig => {
  if (user === config.user) return config;
  const { password: _, ...rest } = config;
  return { ...rest, user };
};

const connect = async (config: pg.ClientConfig): Promise<pg.Client> => {
  const client = new pg.Client({ application_name: 'tessera worker', ...config });
  client.on('error', () => undefined); // a lost session is reported by the statement that runs in it
  try {
    await client.connect();
  } catch (e) {
    // One that waits for a password would keep DROP DATABASE waiting for a minute.
    client.end().catch(() => undefined);
    throw e;
  }
  return client;
};

const backendPid = async (client: pg.Client): Promise<number> =>
  ((await client.query('select pg_backend_pid() as pid')).rows[0] as { pid: number }).pid;

/** Sleeps that end at once when the worker is stopped. */
class Stop {
  stopped = false;
  private readonly wakers = new Set<() => void>();

  sleep(ms: number): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.wakers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.wakers.add(wake);
    });
  }

  now(): void {
    this.stopped = true;
    for (const wake of this.wakers) wake();
  }
}

interface Slot {
  readonly slot: number;
  readonly owner: string;
}

/** Scheduler and workers of one database. */
class DatabaseWorkers {
  private readonly config: pg.ClientConfig;
  private readonly log: (line: string) => void;
  private readonly stop = new Stop();
  private readonly slots = new Map<string, Promise<void>>();
  private readonly sessions = new Set<pg.Client>();
  private wanted = new Set<string>();
  private control: pg.Client | undefined;
  private asking: Promise<unknown> = Promise.resolve();
  private own = false;
  readonly done: Promise<void>;
  ended = false;

  constructor(config: pg.ClientConfig, log: (line: string) => void) {
    this.config = config;
    this.log = (line) => log(`${config.database}: ${line}`);
    this.done = this.run().finally(() => {
      this.ended = true;
    });
  }

  async end(): Promise<void> {
    this.stop.now();
    for (const session of this.sessions) await session.end().catch(() => undefined);
    await this.done;
    await Promise.all(this.slots.values());
  }

  private async open(config: pg.ClientConfig): Promise<pg.Client> {
    const client = await connect(config);
    this.sessions.add(client);
    return client;
  }

  private async close(client: pg.Client): Promise<void> {
    this.sessions.delete(client);
    await client.end().catch(() => undefined);
  }

  /** Until the scheduler leaves: workers are switched off, or somebody wants the database for himself. */
  private async run(): Promise<void> {
    try {
      this.control = await this.open(this.config);
      const { rows } = await this.ask<{ admin: boolean }>(
        `select pg_has_role(_tessera_functions.extension_owner(), 'USAGE') as admin`,
      );
      this.own = rows[0]?.admin !== true;
      if (this.own) {
        await this.workForOneself();
        return;
      }
      const arrange = (): void => void this.arrange().catch((e: Error) => this.log(e.message));
      this.control.on('notification', arrange);
      await this.ask('listen tessera_workers');
      const scheduler = await this.open(this.config);
      await scheduler.query('set statement_timeout = 0');
      arrange();
      await scheduler.query(`call _tessera_functions.scheduler('node')`);
    } catch (e) {
      if (!this.stop.stopped) this.log((e as Error).message);
    }
    this.control = undefined;
    this.wanted = new Set();
    this.stop.now();
    for (const client of [...this.sessions]) await this.close(client);
  }

  /** The scheduler is somebody else's: a session that takes slots when it gets some, made anew whenever it ends. */
  private async workForOneself(): Promise<void> {
    while (!this.stop.stopped && (await probe(this.config))) {
      await this.work('call _tessera_functions.own_worker()', this.config);
      await this.stop.sleep(RESTART_AFTER);
    }
  }

  /** One statement at a time goes over the control session. */
  private ask<R extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<pg.QueryResult<R>> {
    const answer = this.asking.then(() => {
      if (this.control === undefined) throw new Error('the control session has ended');
      return this.control.query<R>(text, [...values]);
    });
    this.asking = answer.catch(() => undefined);
    return answer;
  }

  private async report(pid: number, e: pg.DatabaseError): Promise<void> {
    await this.ask('select _tessera_functions.report_run_failure($1, $2, $3, $4, $5, $6)', [
      pid,
      e.code,
      e.message,
      e.detail,
      e.hint,
      e.where,
    ]).catch((problem: Error) => this.log(problem.message));
  }

  private async arrange(): Promise<void> {
    const { rows } = await this.ask<Slot>(
      `select w.slot, r.rolname as owner from _tessera_catalog.worker_slot w join pg_roles r on r.oid = w.owner`,
    );
    this.wanted = new Set(rows.map((r) => `${r.slot} ${r.owner}`));
    for (const row of rows) {
      const key = `${row.slot} ${row.owner}`;
      if (this.slots.has(key) || this.stop.stopped) continue;
      this.slots.set(
        key,
        this.keep(row, key).finally(() => this.slots.delete(key)),
      );
    }
  }

  /** One slot: its session is made anew whenever it ends, as long as the slot is wanted. */
  private async keep(slot: Slot, key: string): Promise<void> {
    while (this.wanted.has(key) && !this.stop.stopped) {
      const refused = await this.work(`call _tessera_functions.worker(${slot.slot})`, as(this.config, slot.owner));
      if (refused) await this.letBe(slot.owner);
      await this.stop.sleep(RESTART_AFTER);
    }
  }

  /** Runs a procedure that works, in a session of its own, to its end; true when the server let nobody in. */
  private async work(call: string, config: pg.ClientConfig): Promise<boolean> {
    let session: pg.Client | undefined;
    let pid = 0;
    try {
      session = await this.open(config);
      pid = await backendPid(session);
      await session.query('set statement_timeout = 0');
      await session.query(call);
    } catch (e) {
      if (session !== undefined) await this.close(session);
      if (this.stop.stopped) return false;
      if (e instanceof pg.DatabaseError && pid !== 0) await this.report(pid, e);
      else {
        this.log(`role ${config.user}: ${(e as Error).message}`);
        // Without a password the driver itself gives up.
        return isRefusal(e) || (session === undefined && /password/.test((e as Error).message));
      }
    } finally {
      if (session !== undefined) await this.close(session);
    }
    return false;
  }

  /** Has the scheduler give slots to others while the role cannot be logged in as; the lock says so. */
  private async letBe(owner: string): Promise<void> {
    const lock = `(_tessera_functions.lock_class('refused'), ($1::regrole::oid::int8 - 2147483648)::int4)`;
    const role = [`"${owner.replaceAll('"', '""')}"`];
    try {
      await this.ask(`select pg_advisory_lock${lock}`, role);
      await this.stop.sleep(REFUSED_FOR);
      await this.ask(`select pg_advisory_unlock${lock}`, role);
    } catch (e) {
      if (!this.stop.stopped) this.log((e as Error).message);
    }
  }
}

const DATABASES = `
select d.datname from pg_catalog.pg_database d
where d.datallowconn and not d.datistemplate and has_database_privilege(d.oid, 'connect')
  and not exists (
    select from pg_catalog.pg_locks l
    where l.locktype = 'object' and l.classid = 'pg_catalog.pg_database'::regclass and l.objid = d.oid
      and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))`;

/** Whether a database has tessera and wants workers. */
const probe = async (config: pg.ClientConfig): Promise<boolean> => {
  const client = await connect(config);
  try {
    const { rows } = await client.query(
      `select to_regprocedure('_tessera_functions.launcher_probe()') is not null as there`,
    );
    if (!(rows[0] as { there: boolean }).there) return false;
    const answer = await client.query('select _tessera_functions.launcher_probe() is not null as wanted');
    return (answer.rows[0] as { wanted: boolean }).wanted;
  } finally {
    await client.end();
  }
};

const databasesOf = async (options: WorkerOptions): Promise<string[]> => {
  if (options.database !== undefined) return [options.database];
  const client = await connect(options.connection);
  try {
    return (await client.query<{ datname: string }>(DATABASES)).rows.map((r) => r.datname);
  } finally {
    await client.end();
  }
};

/** Starts working and returns at once; `stop` ends every session and waits for them. */
export const startWorker = (options: WorkerOptions): RunningWorker => {
  const log = options.log ?? (() => undefined);
  const stop = new Stop();
  const running = new Map<string, DatabaseWorkers>();
  const look = async (): Promise<void> => {
    for (const database of await databasesOf(options)) {
      const config = { ...options.connection, database };
      if (stop.stopped || running.get(database)?.ended === false || !(await probe(config))) continue;
      log(`${database}: working`);
      running.set(database, new DatabaseWorkers(config, log));
    }
  };
  const loop = (async (): Promise<void> => {
    while (!stop.stopped) {
      await look().catch((e: Error) => log(e.message));
      await stop.sleep(options.lookEvery ?? 5000);
    }
  })();
  return {
    stop: async () => {
      stop.now();
      await loop;
      await Promise.all([...running.values()].map((w) => w.end()));
    },
  };
};
