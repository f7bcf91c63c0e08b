import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installScript, reinstalledScript, reinstallScript, updateScripts, type Sources } from './assemble.ts';
import { bundle, bundleCommand } from './bundle.ts';
import { loadDeclarations, root, version } from './collect.ts';
import { pgTleScript } from './pg-tle.ts';
import { releasedScript, releasedVersions } from './released.ts';

const COMMENT = 'hypertables and time-series functions in plain SQL and JavaScript';
const REQUIRES = ['plv8', 'postgres_fdw', 'dblink'];

const control = (v: string): string =>
  [
    `comment = '${COMMENT}'`,
    `default_version = '${v}'`,
    `requires = '${REQUIRES.join(', ')}'`,
    'relocatable = false',
    // Whoever creates it owns it and needs no rights but his own; what it makes never belongs to a superuser who did not ask.
    'superuser = false',
    'trusted = false',
    '',
  ].join('\n');

/** For a server whose file system cannot be reached: the same script, run by psql, into the schema public. */
const psqlScript = (script: string): string =>
  [
    '\\set ON_ERROR_STOP on',
    'begin;',
    'set local search_path to public, pg_temp;',
    ...REQUIRES.map((r) => `create extension if not exists ${r};`),
    script.replaceAll('@extschema@', 'public'),
    'commit;',
    '',
  ].join('\n');

const dist = join(root, 'dist');
const sources: Sources = { version: version(), bundle: await bundle(), declarations: await loadDeclarations() };
const install = installScript(sources, { extension: true });
const updates = updateScripts(sources);
const reinstall = { there: reinstallScript(sources), back: reinstalledScript() };

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const write = (name: string, text: string): void => {
  writeFileSync(join(dist, name), text);
  process.stdout.write(`${name.padEnd(36)} ${String(Math.round(text.length / 1024)).padStart(6)} kB\n`);
};
write('tessera.control', control(sources.version));
write(`tessera--${sources.version}.sql`, install);
for (const u of updates) write(`tessera--${u.from}--${sources.version}.sql`, u.text);
for (const v of releasedVersions().filter((r) => r !== sources.version)) write(`tessera--${v}.sql`, releasedScript(v));
write('install.sql', psqlScript(installScript(sources, { extension: false })));
write(`tessera--${sources.version}--reinstall.sql`, reinstall.there);
write(`tessera--reinstall--${sources.version}.sql`, reinstall.back);
write('pg_tle.sql', pgTleScript(sources.version, COMMENT, REQUIRES, install, updates, reinstall));
write('runtime.js', sources.bundle.source);
write('tessera.mjs', await bundleCommand());
chmodSync(join(dist, 'tessera.mjs'), 0o755);
