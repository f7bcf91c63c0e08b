/**
 * The private root: a Debian system in a folder, with PostgreSQL, pg_cron and what it takes to build the language
 * handler. Built once, kept in the user's cache, copied by hard links into each checkout.
 */
import { createHash } from 'node:crypto';
import { execFileSync, spawn } from 'node:child_process';
import {
  createWriteStream,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  readdirSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export class SetupError extends Error {}

/** The release of Debian that has a major version of PostgreSQL. None has 16. */
export const SUITES: Readonly<Record<number, string>> = { 15: 'bookworm', 17: 'trixie', 18: 'forky' };
export const DEFAULT_MAJOR = 17;
export const MAJORS: readonly number[] = Object.keys(SUITES).map(Number);

/** What PG_MAJOR says; undefined when there is no such embedded server. */
const chosenMajor = Number(process.env.PG_MAJOR || DEFAULT_MAJOR);

/** The major version of the embedded servers of this process. */
export const PG_MAJOR = SUITES[chosenMajor] === undefined ? DEFAULT_MAJOR : chosenMajor;
const SUITE = SUITES[PG_MAJOR] as string;

export const PACKAGES = [
  `postgresql-${PG_MAJOR}`,
  `postgresql-${PG_MAJOR}-cron`,
  `postgresql-server-dev-${PG_MAJOR}`,
  'libnode-dev',
  'g++',
  'make',
];

/** Before anything is started: a server of another version than was asked for would be taken for that one. */
export const checkMajor = (): void => {
  if (SUITES[chosenMajor] === undefined)
    throw new SetupError(
      `there is no embedded server for PG_MAJOR=${process.env.PG_MAJOR}\nUse one of PG_MAJOR=${MAJORS.join(', ')}, or name an installation of yours with PG_CONFIG=/path/to/pg_config.`,
    );
};

const say = (text: string): void => void process.stderr.write(`${text}\n`);

const cacheFolder = (): string =>
  join(process.env.TESSERA_CACHE ?? process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tessera');

const has = (command: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** Runs a command with its output in a log; on failure the end of the log is the error. */
export const logged = (
  command: string,
  args: readonly string[],
  log: string,
  progress?: (line: string) => void,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const out = createWriteStream(log, { flags: 'a' });
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
    let tail = '';
    const take = (chunk: Buffer): void => {
      const text = chunk.toString();
      out.write(text);
      tail = (tail + text).slice(-2000);
      for (const line of text.split('\n')) if (line !== '') progress?.(line);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('close', (code) => {
      out.end();
      if (code === 0) resolve();
      else
        reject(
          new SetupError(`${command} ${args.slice(0, 3).join(' ')} … failed (exit ${code}); log: ${log}\n${tail}`),
        );
    });
  });

const requirements = (): void => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new SetupError(
      'building the embedded server needs Linux and root (debootstrap makes a Debian root).\n' +
        'Without that: run against a server of your own that has plv8, with TESSERA_TEST_DSN=postgres://…',
    );
  if (has('debootstrap')) return;
  if (!has('apt-get'))
    throw new SetupError(
      'debootstrap is not installed and this is not a Debian system.\nInstall debootstrap, or give a server that has plv8 with TESSERA_TEST_DSN=postgres://…',
    );
  say('installing debootstrap');
  execFileSync('sh', ['-c', 'apt-get update -qq && apt-get install -y -qq debootstrap'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
};

const holderOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw e;
  }
};

/**
 * One process at a time: the lock file holds the pid of the one at work. It is linked into place with the pid in it, so
 * that a process killed here never leaves an empty file, which would name nobody to wait for.
 */
export const lock = async (path: string): Promise<() => void> => {
  const own = `${path}.${process.pid}`;
  for (let waited = 0; ; waited++) {
    writeFileSync(own, String(process.pid));
    try {
      linkSync(own, path);
      return () => rmSync(path, { force: true });
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'EEXIST') throw e;
    } finally {
      rmSync(own, { force: true });
    }
    const holder = holderOf(path);
    if (holder === undefined) continue; // given back just now
    if (!existsSync(`/proc/${holder}`)) {
      rmSync(path, { force: true });
      continue;
    }
    if (waited === 0) say(`waiting for process ${holder}, which sets up the embedded server`);
    await new Promise((r) => setTimeout(r, 200));
  }
};

/** An older debootstrap knows no release that came after it; what it does for sid is right for those. */
const scriptArguments = (): string[] =>
  existsSync(join(process.env.DEBOOTSTRAP_DIR ?? '/usr/share/debootstrap', 'scripts', SUITE)) ? [] : ['', 'sid'];

/** The cached root, built when it is missing: about one minute. */
export const ensureRoot = async (): Promise<string> => {
  const key = createHash('sha256')
    .update(JSON.stringify([SUITE, PACKAGES, 1]))
    .digest('hex')
    .slice(0, 12);
  const folder = cacheFolder();
  const root = join(folder, `root-${SUITE}-${key}`);
  if (existsSync(root)) return root;
  requirements();
  mkdirSync(folder, { recursive: true });
  const unlock = await lock(`${root}.lock`);
  try {
    if (existsSync(root)) return root;
    const building = `${root}.building`;
    rmSync(building, { recursive: true, force: true });
    say(`building the embedded server's root with debootstrap (${SUITE}, about a minute) …`);
    let step = 0;
    await logged(
      'debootstrap',
      ['--variant=minbase', `--include=${PACKAGES.join(',')}`, SUITE, building, ...scriptArguments()],
      `${root}.log`,
      (line) => {
        if (/^I: (Retrieving|Validating|Extracting|Unpacking|Configuring)/.test(line) && ++step % 100 === 0)
          say(`  ${step} steps: ${line.slice(3)}`);
      },
    );
    rmSync(join(building, 'var/cache/apt/archives'), { recursive: true, force: true });
    renameSync(building, root);
    return root;
  } finally {
    unlock();
  }
};

/** Hash of the sources of the language handler. */
export const handlerHash = (folder: string): string => {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort())
    if (/\.(cc|h|sql|control)$|^Makefile$/.test(name)) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest('hex').slice(0, 12);
};
