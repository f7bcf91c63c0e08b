import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { down, project, stateFolder, up } from './cluster.ts';
import { ADMINISTRATOR, MANAGED } from './managed.ts';
import { MAJORS, SetupError } from './root.ts';

const [command, ...rest] = process.argv.slice(2);
const profile = process.env.PROFILE === undefined || process.env.PROFILE === '' ? undefined : process.env.PROFILE;
const count = (name: string): number => Number(rest.find((a) => a.startsWith(`--${name}=`))?.split('=')[1] ?? 0);

try {
  if (profile !== undefined && profile !== 'managed')
    throw new SetupError(`there is no PROFILE=${profile}\nUse PROFILE=managed, or leave it out.`);
  switch (command) {
    case 'up': {
      const cluster = await up({ workers: count('workers'), standbys: count('standbys'), profile });
      for (const node of [cluster.coordinator, ...cluster.workers, ...cluster.standbys])
        process.stdout.write(`${node.name.padEnd(12)} 127.0.0.1:${node.port}\n`);
      process.stdout.write(`environment: ${join(stateFolder, profile === undefined ? 'env' : `${MANAGED}env`)}\n`);
      break;
    }
    case 'down':
      down();
      // Without a major named, those of every one.
      if (!process.env.PG_MAJOR)
        for (const major of MAJORS.filter((m) => existsSync(join(project, '.pg', String(m)))))
          spawnSync('npx', ['tsx', 'server/main.ts', 'down'], {
            cwd: project,
            stdio: 'inherit',
            env: { ...process.env, PG_MAJOR: String(major) },
          });
      break;
    case 'psql': {
      const cluster = await up({ profile });
      const result = spawnSync(join(stateFolder, 'bin/psql'), rest, {
        stdio: 'inherit',
        env: {
          ...process.env,
          PGPORT: String(cluster.coordinator.port),
          PGHOST: '127.0.0.1',
          ...(profile === undefined
            ? { PGUSER: 'postgres' }
            : { PGUSER: ADMINISTRATOR.user, PGPASSWORD: ADMINISTRATOR.password }),
        },
      });
      process.exitCode = result.status ?? 1;
      break;
    }
    default:
      process.stderr.write('usage: main.ts up [--workers=n] [--standbys=n] | down | psql [arguments]\n');
      process.exitCode = 2;
  }
} catch (e) {
  if (!(e instanceof SetupError)) throw e;
  process.stderr.write(`${e.message}\n`);
  process.exitCode = 1;
}
