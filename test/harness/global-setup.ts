import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { down, isUp, project, stateFolder, up } from '../../server/cluster.ts';
import { ADMINISTRATOR } from '../../server/managed.ts';
import { noteEngine } from './engine.ts';
import {
  profile,
  publishAddress,
  publishTemplates,
  templateName,
  type Profile,
  type ServerAddress,
  type TemplateKind,
} from './server.ts';

const IMAGE = 'TESSERA_TEST_IMAGE';

const fromDsn = (dsn: string): ServerAddress => {
  const url = new URL(dsn);
  return {
    host: url.hostname,
    port: Number(url.port === '' ? 5432 : url.port),
    user: decodeURIComponent(url.username),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
  };
};

/** The image of server/docker/Dockerfile, built here, or one of the user's that has plv8, pg_cron and the extension. */
const fromContainer = async (): Promise<{ address: ServerAddress; stop: () => Promise<void> }> => {
  const { GenericContainer, Wait } = await import('testcontainers');
  const image = process.env[IMAGE];
  const prepared =
    image === undefined
      ? await GenericContainer.fromDockerfile(project, 'server/docker/Dockerfile').build()
      : new GenericContainer(image).withEnvironment({
          POSTGRES_PASSWORD: 'tessera',
          POSTGRES_HOST_AUTH_METHOD: 'trust',
        });
  const container = await prepared
    .withExposedPorts(5432)
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, image === undefined ? 1 : 2))
    .start();
  const address = {
    host: container.getHost(),
    port: container.getMappedPort(5432),
    user: 'postgres',
    password: 'tessera',
  };
  return { address, stop: async () => void (await container.stop()) };
};

/** The platform of a managed service has put the language into template1. */
const TEMPLATES: Readonly<Record<TemplateKind, string>> = {
  tessera: 'create extension tessera cascade',
  plv8: 'create extension if not exists plv8',
};

/** Part of the names of templates; process ids mean something on one machine only. */
const machine = hostname()
  .toLowerCase()
  .replaceAll(/[^a-z0-9]/g, '')
  .slice(0, 12);

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Templates of runs on this machine that are over; those of a run that goes on are none of our business. */
const dropLeftovers = async (admin: pg.Client): Promise<void> => {
  const { rows } = await admin.query<{ datname: string }>('select datname from pg_database where datname like $1', [
    `tessera\\_template\\_${machine}\\_%`,
  ]);
  for (const { datname } of rows)
    if (!isAlive(Number(datname.split('_').at(-3))))
      await admin.query(`drop database if exists ${datname} with (force)`);
};

/** Tests of what pg_cron drives need one that is loaded and knows seconds, which 1.5 was the first to do. */
const noteCron = async (client: pg.Client): Promise<boolean> => {
  const { rows } = await client.query(
    'select _tessera_functions.cron_database() is not null and _tessera_functions.cron_knows_seconds() as fit',
  );
  if ((rows[0] as { fit: boolean }).fit) return true;
  process.env.TESSERA_TEST_CRON = 'no';
  process.stderr.write('this server loads no pg_cron 1.5 or later: tests of workers that it starts are left out\n');
  return false;
};

/**
 * Databases that test files clone; every run makes its own, which hold the extension as it was just built, and drops them
 * at its end.
 */
const createTemplates = async (address: ServerAddress, from = 'template0'): Promise<() => Promise<void>> => {
  const admin = new pg.Client({ ...address, database: 'postgres' });
  await admin.connect();
  await dropLeftovers(admin);
  for (const kind of ['tessera', 'plv8'] as const) {
    const [name, sql] = [templateName(kind), TEMPLATES[kind]];
    await admin.query(`create database ${name} template ${from} encoding 'UTF8'`);
    const client = new pg.Client({ ...address, database: name });
    await client.connect();
    await client.query(sql);
    if (kind === 'tessera') await noteEngine(client, await noteCron(client));
    await client.end();
  }
  await admin.end();
  return async () => {
    const last = new pg.Client({ ...address, database: 'postgres' });
    await last.connect();
    for (const kind of ['tessera', 'plv8'] as const)
      await last.query(`drop database if exists ${templateName(kind)} with (force)`);
    await last.end();
  };
};

const embedded = async (of: Profile): Promise<() => Promise<void>> => {
  const wasUp = isUp(of);
  const cluster = await up({ workers: 3, profile: of });
  const address = {
    host: '127.0.0.1',
    port: cluster.coordinator.port,
    ...(of === 'managed' ? ADMINISTRATOR : { user: 'postgres' }),
    bin: join(stateFolder, 'bin'),
    workers: cluster.workers.map((w) => w.port),
  };
  publishAddress(address, of);
  const dropTemplates = await createTemplates(address, of === 'managed' ? 'template1' : 'template0');
  return async () => {
    await dropTemplates();
    // The others were started, and are stopped, by whoever runs the tests.
    if (of === 'managed' && !wasUp) down('managed');
  };
};

export const setup = async (of: Profile = profile()): Promise<() => Promise<void>> => {
  publishTemplates(`${machine}_${process.pid}_${randomBytes(3).toString('hex')}`);
  const dsn = process.env.TESSERA_TEST_DSN;
  if (dsn !== undefined) {
    publishAddress(fromDsn(dsn));
    return createTemplates(fromDsn(dsn));
  }
  if (process.env.TESSERA_TEST_SERVER === 'docker') {
    const { address, stop } = await fromContainer();
    publishAddress(address);
    await createTemplates(address);
    return stop;
  }
  return embedded(of);
};

export default (): Promise<() => Promise<void>> => setup();
