import pg from 'pg';
import { PLATFORM, type Login } from '../../server/managed.ts';
import { serverAddress } from './server.ts';

/** A session of whoever runs the service, on the coordinator or a node. */
export const platform = async (database: string, port = serverAddress().port): Promise<pg.Client> =>
  logIn(PLATFORM, database, port);

export const logIn = async (login: Login, database: string, port = serverAddress().port): Promise<pg.Client> => {
  const client = new pg.Client({ host: serverAddress().host, port, ...login, database });
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

interface Section {
  readonly database: string;
  readonly role: string | undefined;
  readonly sql: string;
}

const PLACE = /^-- (?:as role "(.+?)", )?in database "(.+?)"$/;

/** A hint in parts: which statements are for which database and role. */
const sectionsOf = (hint: string, here: string): Section[] => {
  const sections: { database: string; role: string | undefined; lines: string[] }[] = [
    { database: here, role: undefined, lines: [] },
  ];
  for (const line of hint.split('\n')) {
    const place = PLACE.exec(line);
    if (place !== null) sections.push({ database: place[2] as string, role: place[1], lines: [] });
    else sections.at(-1)?.lines.push(line);
  }
  return sections.map(({ lines, ...at }) => ({ ...at, sql: lines.join('\n') }));
};

/**
 * Types a hint, word for word: what it says of other databases there, what it says to roles as those, whose password is
 * their name. The platform types the rest, unless it is about this database: then whoever was given the hint does.
 */
export const typeHint = async (hint: string, here: pg.Client, database: string): Promise<void> => {
  for (const section of sectionsOf(hint, database)) {
    if (section.sql.trim() === '') continue;
    if (section.database === database && section.role === undefined && !/^(grant|alter role)/m.test(section.sql)) {
      await here.query(section.sql);
      continue;
    }
    const session =
      section.role === undefined
        ? await platform(section.database)
        : await logIn({ user: section.role, password: section.role }, section.database);
    try {
      await session.query(section.sql);
    } finally {
      await session.end();
    }
  }
};

/** Ends and drops what a role of a test has with pg_cron. */
export const forgetRole = async (role: string): Promise<void> => {
  const session = await platform('postgres');
  await session.query('delete from cron.job where username = $1', [role]);
  for (const database of ['postgres', 'template1']) {
    const there = await platform(database);
    await there.query(`drop owned by ${role}`).catch(() => undefined);
    await there.end();
  }
  await session.query(`drop role if exists ${role}`).catch(() => undefined);
  await session.end();
};
