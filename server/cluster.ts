/**
 * The embedded servers of this checkout: coordinator, workers, standbys, each a PostgreSQL of its own on a loopback
 * port, run from a root below .pg/ by chroot. Everything lives below .pg/; no other server is ever touched.
 */
import { execFileSync, type ExecFileSyncOptions } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ADMINISTRATOR, inDatabase, MANAGED, managedRights, PLATFORM } from './managed.ts';
import { checkMajor, DEFAULT_MAJOR, ensureRoot, handlerHash, lock, logged, PG_MAJOR, SetupError } from './root.ts';

export const project = new URL('..', import.meta.url).pathname.replace(/\/$/, '');
/** Servers of several majors live side by side; those of the default one, and of PG_CONFIG, at the top. */
export const stateFolder =
  PG_MAJOR === DEFAULT_MAJOR || process.env.PG_CONFIG !== undefined
    ? join(project, '.pg')
    : join(project, '.pg', String(PG_MAJOR));
const root = join(stateFolder, 'root');

/** Where the programs are: the private root, or an installation of the user's own, named by PG_CONFIG. */
interface Installation {
  /** Tells installations apart, whose servers must not be taken for one another's. */
  readonly key: string;
  readonly bin: string;
  readonly extensions: string;
  /** Folder of the data, as the programs see it. */
  readonly data: string;
  /** The path of the host for a path the programs see. */
  readonly host: (path: string) => string;
  readonly command: (args: readonly string[], user: string | undefined) => readonly [string, readonly string[]];
}

const embedded: Installation = {
  key: '',
  bin: `/usr/lib/postgresql/${PG_MAJOR}/bin`,
  extensions: `/usr/share/postgresql/${PG_MAJOR}/extension`,
  data: '/var/lib/tessera',
  host: (path) => join(root, path),
  command: (args, user) => ['chroot', [...(user === undefined ? [] : [`--userspec=${user}:${user}`]), root, ...args]],
};

/** postgres refuses to run as root, so root steps down to the account of that name. */
const localInstallation = (pgConfig: string): Installation => {
  const ask = (option: string): string => execFileSync(pgConfig, [option], { encoding: 'utf8' }).trim();
  const extensions = join(ask('--sharedir'), 'extension');
  if (!existsSync(join(extensions, 'plv8.control')))
    throw new SetupError(
      `the installation of ${pgConfig} has no plv8\nInstall plv8, run make install-plv8 PG_CONFIG=${pgConfig}, or leave PG_CONFIG out for the embedded server.`,
    );
  const isRoot = process.getuid?.() === 0;
  const bin = ask('--bindir');
  const key = `-${createHash('sha256').update(bin).digest('hex').slice(0, 8)}`;
  return {
    key,
    bin,
    extensions,
    data: join(stateFolder, `data${key}`),
    host: (path) => path,
    command: (args, user) =>
      isRoot && user !== undefined
        ? ['setpriv', [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', ...args]]
        : [args[0] as string, args.slice(1)],
  };
};

let chosen: Installation | undefined;
const installation = (): Installation => {
  chosen ??= process.env.PG_CONFIG === undefined ? embedded : localInstallation(process.env.PG_CONFIG);
  return chosen;
};

export interface Node {
  readonly name: string;
  readonly port: number;
}

export interface Cluster {
  readonly coordinator: Node;
  readonly workers: readonly Node[];
  readonly standbys: readonly Node[];
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

const inRoot = (args: readonly string[], options: ExecFileSyncOptions & { user?: string } = {}): string => {
  const [command, words] = installation().command(args, options.user);
  return execFileSync(command, words, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
    ...options,
    env: { PATH: `${installation().bin}:/usr/bin:/bin:/usr/sbin:/sbin`, LC_ALL: 'C.UTF-8', HOME: '/tmp' },
  }) as string;
};

const asPostgres = (args: readonly string[]): string => inRoot(args, { user: 'postgres' });

const dataFolder = (node: Node): string => `${installation().data}/${node.name}`;

/** Where the search for ports begins: majors that take turns do not meet each other's. */
const FIRST_PORT = 55432 + 100 * (PG_MAJOR - DEFAULT_MAJOR);

/** By trying to listen on it: a connection that goes out from a port keeps it from servers as well. */
export const portTaken = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(true));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(false)));
  });

export const freePort = async (from: number, used: ReadonlySet<number>): Promise<number> => {
  for (let port = from; port < from + 2000; port++) if (!used.has(port) && !(await portTaken(port))) return port;
  throw new SetupError(`no free port from ${from} on`);
};

const nodesFile = (): string => join(stateFolder, `nodes${installation().key}.json`);
const readNodes = (): Node[] =>
  existsSync(nodesFile()) ? (JSON.parse(readFileSync(nodesFile(), 'utf8')) as Node[]) : [];

export const isRunning = (node: Node): boolean => {
  if (!existsSync(installation().host(join(dataFolder(node), 'postmaster.pid')))) return false;
  try {
    asPostgres([`${installation().bin}/pg_ctl`, '-D', dataFolder(node), 'status']);
    return true;
  } catch {
    return false;
  }
};

/** A copy of the cached root by hard links: a moment, and installing into it leaves the cache as it is. */
const ensureOwnRoot = async (): Promise<void> => {
  if (existsSync(join(root, 'usr/bin'))) return;
  const cached = await ensureRoot();
  mkdirSync(stateFolder, { recursive: true });
  rmSync(root, { recursive: true, force: true });
  try {
    execFileSync('cp', ['-al', cached, root], { stdio: 'ignore' });
  } catch {
    rmSync(root, { recursive: true, force: true });
    execFileSync('cp', ['-a', cached, root]);
  }
};

/** Builds plv8 from server/plv8 inside the root when its sources changed. */
const ensureHandler = async (): Promise<void> => {
  const source = join(project, 'server/plv8');
  const hash = handlerHash(source);
  const mark = join(root, 'usr/src/plv8.hash'); // in the root, so that a new root gets its handler
  if (existsSync(mark) && readFileSync(mark, 'utf8') === hash) return;
  say('building the language handler plv8 …');
  const target = join(root, 'usr/src/plv8');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(source))
    if (/\.(cc|h|sql|control)$|^Makefile$/.test(name)) cpSync(join(source, name), join(target, name));
  const log = join(stateFolder, 'plv8-build.log');
  const make = (what: string): Promise<void> =>
    logged('chroot', [root, 'make', '-j2', '-C', '/usr/src/plv8', what, 'PG_CONFIG=/usr/bin/pg_config'], log);
  await make('all');
  await make('install');
  writeFileSync(mark, hash);
};

/** Puts the built extension where CREATE EXTENSION finds it. */
export const installExtension = (): void => {
  const dist = join(project, 'dist');
  if (!existsSync(dist)) throw new SetupError('dist/ is missing: run make build');
  for (const name of readdirSync(dist).filter((f) => f === 'tessera.control' || /^tessera--.*\.sql$/.test(f))) {
    const target = installation().host(join(installation().extensions, name));
    if (existsSync(target)) unlinkSync(target); // never write through a hard link
    cpSync(join(dist, name), target);
    chmodSync(target, 0o644);
  }
};

/** What every server of the project has; the container image has the same file. */
const settings = readFileSync(join(project, 'server/postgresql.conf'), 'utf8');

/** A worker is an ordinary PostgreSQL without tessera, and there are several of them. */
const PLAIN = `shared_preload_libraries = ''
shared_buffers = 128MB
`;

const configuration = (node: Node): string => `
${settings}
port = ${node.port}
listen_addresses = '127.0.0.1'
unix_socket_directories = '/tmp'
fsync = ${process.env.TESSERA_FSYNC ?? 'off'}
${/^(managed-)?worker\d/.test(node.name) ? PLAIN : ''}`;

/** A server that was stopped comes back on another port; its standbys, which know the old one, are made anew. */
const movePort = (node: Node): void => {
  const settings = installation().host(join(dataFolder(node), 'postgresql.conf'));
  if (existsSync(settings)) appendFileSync(settings, `port = ${node.port}\n`);
  if (node.name !== 'coordinator') return;
  for (const standby of readNodes().filter((n) => n.name.startsWith('standby'))) removeNode(standby);
};

const isManaged = (node: Node): boolean => node.name.startsWith(MANAGED);

/** Who is superuser, and how initdb has everybody log in. A managed service has nobody in without a password. */
const authentication = (node: Node): string[] => {
  if (!isManaged(node)) return ['-U', 'postgres', '-A', 'trust'];
  const file = `${installation().data}/platform.password`;
  writeFileSync(installation().host(file), `${PLATFORM.password}\n`);
  return ['-U', PLATFORM.user, '-A', 'scram-sha-256', `--pwfile=${file}`];
};

/** What the platform does on a new server of a managed service before it hands it over. */
const handOver = (node: Node): void => {
  for (const { database, sql } of managedRights(/worker\d/.test(node.name) ? 'node' : 'coordinator'))
    asPostgres([
      `${installation().bin}/psql`,
      '-X',
      '-q',
      '-v',
      'ON_ERROR_STOP=1',
      '-d',
      inDatabase(database, node.port, PLATFORM),
      '-c',
      sql,
    ]);
};

const initialize = (node: Node, primary: Node | undefined): void => {
  const data = dataFolder(node);
  inRoot(['mkdir', '-p', installation().data]);
  if (process.getuid?.() === 0) inRoot(['chown', 'postgres:postgres', installation().data]);
  if (primary === undefined) {
    asPostgres([
      `${installation().bin}/initdb`,
      '-D',
      data,
      ...authentication(node),
      '-E',
      'UTF8',
      '--locale=C.UTF-8',
      '--no-sync',
    ]);
  } else {
    asPostgres([
      `${installation().bin}/pg_basebackup`,
      '-D',
      data,
      '-R',
      '--no-sync',
      '-c',
      'fast',
      '-h',
      '127.0.0.1',
      '-p',
      String(primary.port),
      '-U',
      'postgres',
    ]);
  }
  appendFileSync(installation().host(join(data, 'postgresql.conf')), configuration(node));
};

export const start = (node: Node): void => {
  // pg_ctl leaves the postmaster with our pipes unless its output goes to a file.
  inRoot(
    [
      `${installation().bin}/pg_ctl`,
      '-D',
      dataFolder(node),
      '-l',
      `${installation().data}/${node.name}.log`,
      '-w',
      '-t',
      '60',
      'start',
    ],
    {
      user: 'postgres',
      stdio: 'ignore',
    },
  );
};

export type StopMode = 'smart' | 'fast' | 'immediate';

export const stop = (node: Node, mode: StopMode = 'fast'): void => {
  asPostgres([`${installation().bin}/pg_ctl`, '-D', dataFolder(node), '-m', mode, '-w', '-t', '60', 'stop']);
};

/** Runs a program of PostgreSQL on the data of a server that does not run. */
export const onData = (node: Node, program: string, ...args: string[]): void => {
  asPostgres([`${installation().bin}/${program}`, '-D', dataFolder(node), ...args]);
};

const ensureNode = (node: Node, primary?: Node): void => {
  const isNew = !existsSync(installation().host(join(dataFolder(node), 'PG_VERSION')));
  if (isNew) initialize(node, primary);
  if (isRunning(node)) return;
  try {
    start(node);
  } catch {
    const log = installation().host(`${installation().data}/${node.name}.log`);
    throw new SetupError(
      `server "${node.name}" did not start on port ${node.port}\n${existsSync(log) ? readFileSync(log, 'utf8').slice(-2000) : ''}`,
    );
  }
  if (!isNew || !isManaged(node)) return;
  try {
    handOver(node);
  } catch (e) {
    removeNode(node); // or it would be taken for one that was handed over
    throw e;
  }
};

const WRAPPED = ['psql', 'pg_dump', 'pg_dumpall', 'pg_restore', 'pgbench', 'createdb', 'dropdb', 'pg_basebackup'];

const writeWrappers = (): void => {
  const bin = join(stateFolder, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const name of WRAPPED) {
    const path = join(bin, name);
    writeFileSync(
      path,
      `#!/bin/sh\nexec ${installation() === embedded ? `chroot "${root}" ` : ''}/usr/bin/env PGHOST="\${PGHOST:-127.0.0.1}" PGPORT="$PGPORT" PGUSER="\${PGUSER:-postgres}" PGDATABASE="\${PGDATABASE:-postgres}" LC_ALL=C.UTF-8 ${installation().bin}/${name} "$@"\n`,
    );
    chmodSync(path, 0o755);
  }
};

const writeEnvironment = (cluster: Cluster, prefix: string): void => {
  const ports = (nodes: readonly Node[]): string => nodes.map((n) => n.port).join(',');
  writeFileSync(
    join(stateFolder, `${prefix}env`),
    [
      'PGHOST=127.0.0.1',
      `PGPORT=${cluster.coordinator.port}`,
      ...(prefix === ''
        ? ['PGUSER=postgres']
        : [`PGUSER=${ADMINISTRATOR.user}`, `PGPASSWORD=${ADMINISTRATOR.password}`]),
      'PGDATABASE=postgres',
      `TESSERA_WORKER_PORTS=${ports(cluster.workers)}`,
      `TESSERA_STANDBY_PORTS=${ports(cluster.standbys)}`,
      `TESSERA_PG_BIN=${join(stateFolder, 'bin')}`,
      '',
    ].join('\n'),
  );
};

export interface Wanted {
  readonly workers?: number;
  readonly standbys?: number;
  /** Servers as a managed service hands them over, beside the ordinary ones. */
  readonly profile?: 'managed' | undefined;
}

/** Brings up what is asked for and not up yet. */
export const up = async (want: Wanted = {}): Promise<Cluster> => {
  mkdirSync(stateFolder, { recursive: true });
  const unlock = await lock(join(stateFolder, 'up.lock'));
  try {
    return await bringUp(want);
  } finally {
    unlock();
  }
};

const bringUp = async (want: Wanted): Promise<Cluster> => {
  if (installation() === embedded) {
    checkMajor();
    await ensureOwnRoot();
    await ensureHandler();
  }
  if (existsSync(join(project, 'dist/tessera.control'))) installExtension();
  const prefix = want.profile === undefined ? '' : MANAGED;
  const names = [
    'coordinator',
    ...Array.from({ length: want.workers ?? 0 }, (_, i) => `worker${i + 1}`),
    ...Array.from({ length: want.standbys ?? 0 }, (_, i) => `standby${i + 1}`),
  ].map((name) => `${prefix}${name}`);
  const nodes = readNodes();
  for (const name of names) {
    if (nodes.some((n) => n.name === name)) continue;
    nodes.push({ name, port: await freePort(FIRST_PORT, new Set(nodes.map((n) => n.port))) });
  }
  for (const [i, stale] of nodes.entries()) {
    if (!names.includes(stale.name) || isRunning(stale) || !(await portTaken(stale.port))) continue;
    nodes[i] = { name: stale.name, port: await freePort(stale.port + 1, new Set(nodes.map((n) => n.port))) };
    movePort(nodes[i] as Node);
    say(`port ${stale.port} of server "${stale.name}" belongs to somebody else now; it gets ${nodes[i]?.port}`);
  }
  writeFileSync(nodesFile(), JSON.stringify(nodes, null, 2));
  const node = (name: string): Node => nodes.find((n) => n.name === name) as Node;
  const primary = (name: string): Node | undefined => (name.startsWith('standby') ? node('coordinator') : undefined);
  for (const name of names) {
    try {
      ensureNode(node(name), primary(name));
    } catch (e) {
      // Somebody has taken the port since it was free.
      if (!(e instanceof SetupError) || !(await portTaken(node(name).port))) throw e;
      const i = nodes.findIndex((n) => n.name === name);
      nodes[i] = { name, port: await freePort(node(name).port + 1, new Set(nodes.map((n) => n.port))) };
      movePort(nodes[i] as Node);
      writeFileSync(nodesFile(), JSON.stringify(nodes, null, 2));
      ensureNode(node(name), primary(name));
    }
  }
  // Workers of an earlier call that still run stay in the environment file.
  const running = nodes.filter((n) => names.includes(n.name) || isRunning(n));
  const cluster: Cluster = {
    coordinator: node(`${prefix}coordinator`),
    workers: running.filter((n) => n.name.startsWith(`${prefix}worker`)),
    standbys: running.filter((n) => n.name.startsWith(`${prefix}standby`)),
  };
  writeWrappers();
  writeEnvironment(cluster, prefix);
  return cluster;
};

/** Whether the coordinator of this checkout runs. */
export const isUp = (profile?: 'managed'): boolean =>
  readNodes().some((n) => n.name === `${profile === undefined ? '' : MANAGED}coordinator` && isRunning(n));

/** Stops every server of this checkout, or those of a profile. */
export const down = (profile?: 'managed'): void => {
  for (const node of readNodes().reverse())
    if ((profile === undefined || isManaged(node)) && isRunning(node)) stop(node);
};

/** A server of its own for a test that kills and restarts it. */
export const privateNode = async (name: string): Promise<Node> => {
  for (let attempt = 1; ; attempt++) {
    // Test files look for ports at the same moment, so each begins somewhere else.
    const node: Node = { name, port: await freePort(57000 + Math.floor(Math.random() * 6000), new Set()) };
    try {
      ensureNode(node);
      return node;
    } catch (e) {
      removeNode(node);
      if (attempt === 3) throw e;
    }
  }
};

export const removeNode = (node: Node): void => {
  if (isRunning(node)) stop(node, 'immediate');
  rmSync(installation().host(dataFolder(node)), { recursive: true, force: true });
};
