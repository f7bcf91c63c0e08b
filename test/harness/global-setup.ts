import { join } from 'node:path';
import pg from 'pg';
import { stateFolder, up } from '../../server/cluster.ts';
import { publishAddress, type ServerAddress } from './server.ts';

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

const fromContainer = async (): Promise<{ address: ServerAddress; stop: () => Promise<void> }> => {
  const image = process.env[IMAGE];
  if (image === undefined)
    throw new Error(
      `TESSERA_TEST_SERVER=docker needs ${IMAGE}: the name of a PostgreSQL image that has plv8 and pg_cron`,
    );
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer(image)
    .withEnvironment({ POSTGRES_PASSWORD: 'tessera', POSTGRES_HOST_AUTH_METHOD: 'trust' })
    .withCopyDirectoriesToContainer([{ source: 'dist', target: '/usr/share/postgresql/extension' }])
    .withExposedPorts(5432)
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
    .start();
  const address = {
    host: container.getHost(),
    port: container.getMappedPort(5432),
    user: 'postgres',
    password: 'tessera',
  };
  return { address, stop: async () => void (await container.stop()) };
};

const TEMPLATES: Readonly<Record<string, string>> = {
  tessera_template: 'create extension tessera cascade',
  tessera_template_plv8: 'create extension plv8',
};

/** Tests of what pg_cron drives need one that is loaded and knows seconds, which 1.5 was the first to do. */
const noteCron = async (client: pg.Client): Promise<void> => {
  const { rows } = await client.query(
    'select _tessera_functions.cron_database() is not null and _tessera_functions.cron_knows_seconds() as fit',
  );
  if ((rows[0] as { fit: boolean }).fit) return;
  process.env.TESSERA_TEST_CRON = 'no';
  process.stderr.write('this server loads no pg_cron 1.5 or later: tests of workers that it starts are left out\n');
};

/** Databases that test files clone; made anew for every run, so that they hold the extension as it was just built. */
const createTemplates = async (address: ServerAddress): Promise<void> => {
  const admin = new pg.Client({ ...address, database: 'postgres' });
  await admin.connect();
  for (const [name, sql] of Object.entries(TEMPLATES)) {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.query(`create database ${name} template template0 encoding 'UTF8'`);
    const client = new pg.Client({ ...address, database: name });
    await client.connect();
    await client.query(sql);
    if (name === 'tessera_template') await noteCron(client);
    await client.end();
  }
  await admin.end();
};

const setup = async (): Promise<(() => Promise<void>) | undefined> => {
  const dsn = process.env.TESSERA_TEST_DSN;
  if (dsn !== undefined) {
    publishAddress(fromDsn(dsn));
    await createTemplates(fromDsn(dsn));
    return undefined;
  }
  if (process.env.TESSERA_TEST_SERVER === 'docker') {
    const { address, stop } = await fromContainer();
    publishAddress(address);
    await createTemplates(address);
    return stop;
  }
  const cluster = await up();
  const address = {
    host: '127.0.0.1',
    port: cluster.coordinator.port,
    user: 'postgres',
    bin: join(stateFolder, 'bin'),
  };
  publishAddress(address);
  await createTemplates(address);
  return undefined;
};

export default setup;
