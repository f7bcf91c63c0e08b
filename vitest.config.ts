import { defineConfig } from 'vitest/config';

/** A server of the user's own has a profile of its own. */
const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';

const database = {
  globalSetup: ['test/harness/global-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
  pool: 'forks' as const,
};

export default defineConfig({
  test: {
    maxWorkers: 3,
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          name: 'sql',
          include: ['test/{sql,race,crash,cluster,upgrade,docs}/**/*.test.ts', 'server/plv8/test/**/*.test.ts'],
          ...database,
        },
      },
      {
        test: {
          name: 'managed',
          include: embedded ? ['test/managed/**/*.test.ts'] : [],
          ...database,
          globalSetup: ['test/harness/managed-setup.ts'],
          env: { TESSERA_PROFILE: 'managed' },
        },
      },
    ],
  },
});
