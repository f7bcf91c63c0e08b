import pg from 'pg';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { Database, type Row } from './database.ts';
import { loginAs, serverAddress, templateName } from './server.ts';

/** False where the tests run on a server of the user's that has no others beside it. */
export const hasWorkers = (): boolean => (serverAddress().workers?.length ?? 0) >= 3;

const open = async (port: number, database: string): Promise<pg.Client> => {
  const { host, user } = serverAddress();
  const client = new pg.Client({ host, port, ...loginAs(user), database });
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

/** A database on a worker, of the same name as that of the coordinator. */
export class NodeDatabase {
  readonly port: number;
  private readonly name: string;
  private client: pg.Client | undefined;

  constructor(port: number, name: string) {
    this.port = port;
    this.name = name;
  }

  async create(): Promise<void> {
    const admin = await open(this.port, 'postgres');
    await admin.query(`create database ${this.name} template template0 encoding 'UTF8'`);
    await admin.end();
    this.client = await open(this.port, this.name);
  }

  /** Further sessions. */
  connect(): Promise<pg.Client> {
    return open(this.port, this.name);
  }

  async query(sql: string, params: unknown[] = []): Promise<Row[]> {
    const result = (await this.client?.query(sql, params)) as pg.QueryResult<Row> | pg.QueryResult<Row>[];
    return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows;
  }

  // biome-ignore lint/suspicious/noExplicitAny: as Row
  async value(sql: string, params: unknown[] = []): Promise<any> {
    return Object.values((await this.query(sql, params))[0] ?? {})[0];
  }

  async drop(origin: string): Promise<void> {
    // A subscription keeps its database from being dropped, and its slot one on the node it comes from.
    for (const { subname } of await this.query(
      'select subname from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database()',
    ))
      await this.query(
        `alter subscription ${subname} disable; alter subscription ${subname} set (slot_name = none); drop subscription ${subname}`,
      ).catch(() => undefined);
    for (const { gid } of await this.query('select gid from pg_prepared_xacts where database = current_database()'))
      await this.query(`rollback prepared '${gid}'`).catch(() => undefined);
    await this.client?.end();
    const admin = await open(this.port, 'postgres');
    await admin.query(
      `select pg_terminate_backend(active_pid) from pg_replication_slots where database = $1 and active_pid is not null`,
      [this.name],
    );
    await admin.query(`drop database if exists ${this.name} with (force)`).catch(() => undefined);
    const roles = await admin.query<{ rolname: string }>('select rolname from pg_roles where rolname like $1', [
      `tessera_${origin}_%`,
    ]);
    for (const { rolname } of roles.rows) await admin.query(`drop role if exists ${rolname}`).catch(() => undefined);
    await admin.end();
  }
}

export interface Cluster {
  readonly db: Database;
  readonly nodes: readonly NodeDatabase[];
}

export interface ClusterOptions {
  /** Databases on workers that are there, and how many of them are added as nodes; 3 and all of them by default. */
  readonly nodes?: number;
  readonly added?: number;
}

/** A coordinator and workers, each with a database of this test file. To be called at its top. */
export const useCluster = (options: ClusterOptions = {}): Cluster => {
  const db = new Database();
  const count = options.nodes ?? 3;
  const ports = serverAddress().workers ?? [];
  const nodes = ports.slice(0, count).map((port) => new NodeDatabase(port, db.name));
  let failed = false;
  beforeAll(async () => {
    await db.create(templateName('tessera'));
    await Promise.all(nodes.map((n) => n.create()));
    const { user, password } = serverAddress();
    if (password !== undefined) await db.query(`select tessera.set_node_auth('user=${user} password=${password}')`);
    for (const n of nodes.slice(0, options.added ?? count))
      await db.query(`select citus_add_node('127.0.0.1', ${n.port})`);
  });
  afterEach((context) => {
    if (context.task.result?.state === 'fail') failed = true;
  });
  afterAll(async () => {
    const origin = await db.value('select _tessera_functions.cluster_origin()');
    await db.drop(failed);
    if (!failed) await Promise.all(nodes.map((n) => n.drop(origin)));
  });
  return { db, nodes };
};
