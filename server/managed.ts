/**
 * Servers as a managed service hands them over: passwords everywhere, and an administrator who is no superuser. What he is
 * given is what docs/operations.md lists, word for word, so that the list is complete.
 */
import { readFileSync } from 'node:fs';
import { PG_MAJOR } from './root.ts';

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** The superuser, whom the users of a managed service never meet. */
export const PLATFORM: Login = { user: 'platform', password: 'platform-secret' };
export const ADMINISTRATOR: Login = { user: 'administrator', password: 'administrator-secret' };

/** What the names of such servers begin with. */
export const MANAGED = 'managed-';

export const inDatabase = (database: string, port: number, { user, password }: Login): string =>
  `host=127.0.0.1 port=${port} dbname=${database} user=${user} password='${password}'`;

const page = new URL('../docs/operations.md', import.meta.url);
const TITLE = '## What the administrator of a managed service needs';

/** The lists of that chapter by the words before them. */
const lists = (): ReadonlyMap<string, string> => {
  const text = readFileSync(page, 'utf8');
  const begin = text.indexOf(TITLE);
  if (begin < 0) throw new Error(`docs/operations.md has no chapter "${TITLE}"`);
  const chapter = text.slice(begin, text.indexOf('\n## ', begin + TITLE.length));
  return new Map(
    [...chapter.matchAll(/^\*\*(.+?)\*\*.*?^```text\n(.*?)^```/gms)].map((m) => [m[1] as string, m[2] as string]),
  );
};

const list = (title: string): string => {
  const found = lists().get(title);
  if (found === undefined) throw new Error(`docs/operations.md lists no rights under "${title}"`);
  return found.replaceAll(`'...'`, `'${ADMINISTRATOR.password}'`);
};

export interface Handover {
  readonly database: string;
  readonly sql: string;
}

/** PostgreSQL 15 has no such role; there superusers alone subscribe. */
const forMajor = (sql: string): string =>
  PG_MAJOR >= 16
    ? sql
    : sql
        .split('\n')
        .filter((line) => !line.includes('pg_create_subscription'))
        .join('\n');

/** What the platform runs, and where. New databases are copies of template1. */
export const managedRights = (kind: 'coordinator' | 'node'): Handover[] => [
  { database: 'postgres', sql: list('The role') },
  { database: 'postgres', sql: `alter database postgres owner to ${ADMINISTRATOR.user}` },
  ...(kind === 'node'
    ? [{ database: 'postgres', sql: forMajor(list('Nodes')) }]
    : [
        { database: 'template1', sql: list('Every database that is to have tessera') },
        { database: 'postgres', sql: list('Every database that is to have tessera') },
        { database: 'postgres', sql: list('The database of pg_cron') },
      ]),
];
