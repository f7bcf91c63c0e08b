import type { UpdateScript } from './assemble.ts';

const wrap = (script: string): string => {
  if (script.includes('$_tle_$')) throw new Error('the script contains the delimiter of the pg_tle wrapper');
  return `$_tle_$\n${script}\n$_tle_$`;
};

/** pg_tle keeps extensions in the database itself, for servers whose file system cannot be reached. */
export const pgTleScript = (
  version: string,
  comment: string,
  requires: readonly string[],
  install: string,
  updates: readonly UpdateScript[],
  /** To the version named reinstall, which makes the functions anew, and back. */
  reinstall: { readonly there: string; readonly back: string },
): string =>
  [
    '\\set ON_ERROR_STOP on',
    'create extension if not exists pg_tle;',
    'begin;',
    `select pgtle.install_extension('tessera', '${version}', '${comment}', ${wrap(install)}, array[${requires.map((r) => `'${r}'`).join(', ')}]);`,
    ...updates.map((u) => `select pgtle.install_update_path('tessera', '${u.from}', '${version}', ${wrap(u.text)});`),
    `select pgtle.install_update_path('tessera', '${version}', 'reinstall', ${wrap(reinstall.there)});`,
    `select pgtle.install_update_path('tessera', 'reinstall', '${version}', ${wrap(reinstall.back)});`,
    'commit;',
    '',
  ].join('\n');
