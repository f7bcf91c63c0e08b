import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { loginAs, profile, serverAddress, templateName } from './server.ts';

pg.types.setTypeParser(20, (text) => BigInt(text)); // int8
for (const oid of [1082, 1114, 1184]) pg.types.setTypeParser(oid, (text) => text); // dates as PostgreSQL writes them

// biome-ignore lint/suspicious/noExplicitAny: rows have the shape of each test's own query
export type Row = Record<string, any>;

const open = async (database: string, user?: string): Promise<pg.Client> => {
  const { host, port, user: own } = serverAddress();
  const client = new pg.Client({ host, port, ...loginAs(user ?? own), database });
  client.on('error', () => undefined); // a killed backend is reported by the query that runs in it
  await client.connect();
  return client;
};

/** What a failed statement gave; the test fails when the statement succeeds. */
export const failure = async (client: pg.Client, sql: string, params: unknown[] = []): Promise<pg.DatabaseError> => {
  try {
    await client.query(sql, params);
  } catch (e) {
    if (e instanceof pg.DatabaseError) return e;
    throw e;
  }
  throw new Error(`expected an error, but it succeeded: ${sql}`);
};

/** One database per test file, cloned from a template; sessions and roles in it go away with it. */
export class Database {
  readonly name = `tessera_test_${randomBytes(5).toString('hex')}`;
  private main: pg.Client | undefined;
  private readonly clients: pg.Client[] = [];
  private readonly roles: string[] = [];

  async create(template: string): Promise<void> {
    const admin = await open('postgres');
    await admin.query(`create database ${this.name} template ${template}`);
    await admin.end();
    this.main = await open(this.name);
  }

  /** Ends all sessions, so that the database can be copied. */
  async disconnect(): Promise<void> {
    for (const client of this.clients) await client.end().catch(() => undefined);
    await this.main?.end();
  }

  async reconnect(): Promise<void> {
    this.main = await open(this.name);
  }

  async drop(keep: boolean): Promise<void> {
    await this.disconnect();
    if (keep) {
      process.stderr.write(`database of the failed test kept: ${this.name} (make psql ARGS="-d ${this.name}")\n`);
      return;
    }
    const admin = await open('postgres');
    const logins = await admin.query<{ name: string }>(
      `select r.rolname as name from pg_roles r join pg_database d on r.rolname like 'tessera\\_loopback\\_' || d.oid || '\\_%'
       where d.datname = $1`,
      [this.name],
    );
    await admin.query(`drop database if exists ${this.name} with (force)`);
    for (const { name } of logins.rows) await admin.query(`drop role if exists ${name}`);
    for (const role of this.roles) await admin.query(`drop role if exists ${role}`).catch(() => undefined);
    await admin.end();
  }

  get client(): pg.Client {
    if (this.main === undefined) throw new Error('the database of this test file is not there yet');
    return this.main;
  }

  async query(sql: string, params: unknown[] = []): Promise<Row[]> {
    const result = (await this.client.query(sql, params)) as pg.QueryResult<Row> | pg.QueryResult<Row>[];
    return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows;
  }

  // biome-ignore lint/suspicious/noExplicitAny: as Row
  async value(sql: string, params: unknown[] = []): Promise<any> {
    const rows = await this.query(sql, params);
    return Object.values(rows[0] ?? {})[0];
  }

  // biome-ignore lint/suspicious/noExplicitAny: as Row
  async column(sql: string, params: unknown[] = []): Promise<any[]> {
    return (await this.query(sql, params)).map((r) => Object.values(r)[0]);
  }

  error(sql: string, params: unknown[] = []): Promise<pg.DatabaseError> {
    return failure(this.client, sql, params);
  }

  /** Messages the statement raised, with their severity. */
  async notices(sql: string, params: unknown[] = []): Promise<{ severity: string; message: string }[]> {
    const seen: { severity: string; message: string }[] = [];
    const listen = (n: { severity?: string | undefined; message?: string | undefined }): void => {
      seen.push({ severity: n.severity ?? '', message: n.message ?? '' });
    };
    this.client.on('notice', listen);
    await this.client.query(sql, params);
    this.client.off('notice', listen);
    return seen;
  }

  /** A further session, as the superuser or as a role. */
  async connect(user?: string): Promise<pg.Client> {
    const client = await open(this.name, user);
    this.clients.push(client);
    return client;
  }

  /** A session in another database of the same server. */
  connectTo(database: string): Promise<pg.Client> {
    return open(database);
  }

  /** A session of a role. */
  as(role: string): Promise<pg.Client> {
    return this.connect(role);
  }

  /** A login role without privileges; its real name is unique in the cluster. */
  async role(stem: string): Promise<string> {
    const name = `${stem}_${this.name.slice(-10)}`;
    await this.query(`create role ${name} login password '${name}'`);
    this.roles.push(name);
    return name;
  }
}

export interface DatabaseOptions {
  readonly template?: 'tessera' | 'plv8' | 'empty';
}

/** The administrator of a managed service makes no language; its platform has put that into template1. */
const EMPTY = profile() === 'managed' ? 'template1' : 'template0';

/** To be called at the top of a test file. A failed file keeps its database. */
export const useDatabase = (options: DatabaseOptions = {}): Database => {
  const database = new Database();
  let failed = false;
  const kind = options.template ?? 'tessera';
  beforeAll(() => database.create(kind === 'empty' ? EMPTY : templateName(kind)));
  afterEach((context) => {
    if (context.task.result?.state === 'fail') failed = true;
  });
  afterAll(() => database.drop(failed));
  return database;
};
