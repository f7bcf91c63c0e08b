import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { project, stateFolder } from '../../../server/cluster.ts';
import { PG_MAJOR } from '../../../server/root.ts';
import { useDatabase } from '../../harness/database.ts';

// The embedded root is the installation that is installed into; a server given by DSN or in a container is not ours.
const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';
const root = join(stateFolder, 'root');
const folder = mkdtempSync(join(tmpdir(), 'tessera-install-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const db = useDatabase({ template: 'empty' });

/** A pg_config that answers what the test wants. */
const pgConfig = (sharedir: string): string => {
  const path = join(folder, 'pg_config');
  writeFileSync(path, `#!/bin/sh\n[ "$1" = --sharedir ] && echo "${sharedir}"\n`);
  chmodSync(path, 0o755);
  return path;
};

/** What was built is there, and other tests read it, so it is not built again. */
const makeInstall = (...args: string[]): string =>
  execFileSync('make', ['-o', 'build', 'install', ...args], { cwd: project, stdio: 'pipe', encoding: 'utf8' });

test.runIf(embedded)('make install puts the extension where CREATE EXTENSION finds it', async () => {
  const place = await db.value(`select setting from pg_config where name = 'SHAREDIR'`);
  const share = join(root, place);
  const control = join(share, 'extension/tessera.control');
  const before = statSync(control).mtimeMs;
  makeInstall(`PG_CONFIG=${pgConfig(share)}`);
  expect(statSync(control).mtimeMs).toBeGreaterThan(before);
  for (const name of readdirSync(join(project, 'dist')).filter((f) => /^tessera(\.control|--.*\.sql)$/.test(f)))
    expect(readFileSync(join(share, 'extension', name)).equals(readFileSync(join(project, 'dist', name)))).toBe(true);
  await db.query('create extension tessera cascade');
  await db.query(`alter extension tessera update to 'reinstall'; alter extension tessera update`);
  expect(await db.value(`select status from tessera.doctor() where check_name = 'functions'`)).toBe('ok');
});

test.runIf(embedded)('DESTDIR installs into a package, and nowhere else', () => {
  const destination = join(folder, 'package');
  makeInstall(`PG_CONFIG=${pgConfig('/usr/share/postgresql/99')}`, `DESTDIR=${destination}`);
  expect(existsSync(join(destination, 'usr/share/postgresql/99/extension/tessera.control'))).toBe(true);
  expect(existsSync('/usr/share/postgresql/99')).toBe(false);
});

test('a pg_config that is not there stops make install before anything is written', () => {
  const run = spawnSync('make', ['-o', 'build', 'install', 'PG_CONFIG=/nowhere/pg_config'], {
    cwd: project,
    encoding: 'utf8',
  });
  expect(run.status).not.toBe(0);
  expect(run.stderr).toContain('/nowhere/pg_config is not there or gives no --sharedir');
});

test.runIf(embedded)(
  'make install-plv8 builds the language from its sources alone and installs it',
  () => {
    const source = join(root, 'usr/src/install-plv8-test');
    rmSync(source, { recursive: true, force: true });
    execFileSync('mkdir', ['-p', join(source, 'server/plv8')]);
    execFileSync('cp', [join(project, 'Makefile'), source]);
    for (const name of readdirSync(join(project, 'server/plv8')).filter((f) =>
      /\.(cc|h|sql|control)$|^Makefile$/.test(f),
    ))
      execFileSync('cp', [join(project, 'server/plv8', name), join(source, 'server/plv8')]);
    const make = (...args: string[]): string =>
      execFileSync('chroot', [root, 'make', '-j2', '-C', '/usr/src/install-plv8-test', 'install-plv8', ...args], {
        encoding: 'utf8',
        stdio: 'pipe',
      });
    make('PG_CONFIG=/usr/bin/pg_config', 'DESTDIR=/usr/src/install-plv8-test/package');
    const files = execFileSync('find', [join(source, 'package'), '-type', 'f'], { encoding: 'utf8' });
    expect(files).toContain(`lib/postgresql/${PG_MAJOR}/lib/plv8.so`);
    expect(files).toContain(`share/postgresql/${PG_MAJOR}/extension/plv8.control`);
    rmSync(source, { recursive: true, force: true });
  },
  240_000,
);
