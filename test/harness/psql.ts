import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { loginAs, serverAddress } from './server.ts';

/** Runs psql, pg_dump or pg_restore of the server's version; SQL goes in and comes out as text. */
export const runTool = (
  tool: 'psql' | 'pg_dump' | 'pg_restore',
  args: readonly string[],
  input = '',
  user?: string,
): string => {
  const address = serverAddress();
  const command = address.bin === undefined ? tool : join(address.bin, tool);
  return execFileSync(command, args, {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: {
      ...process.env,
      PGHOST: address.host,
      PGPORT: String(address.port),
      PGUSER: user ?? address.user,
      PGPASSWORD: loginAs(user ?? address.user).password,
    },
  });
};

export const dump = (database: string, args: readonly string[] = [], user?: string): string =>
  runTool('pg_dump', [...args, '-d', database], '', user);

export const psql = (database: string, script: string, args: readonly string[] = []): string =>
  runTool('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', ...args, '-d', database], script);
