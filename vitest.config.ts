import { defineConfig } from 'vitest/config';

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
    ],
  },
});
