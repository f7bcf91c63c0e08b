import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { referencePage } from '../../build/reference-docs.ts';
import { hasWorkers, useCluster } from '../harness/cluster.ts';
import { useDatabase } from '../harness/database.ts';
import { psql } from '../harness/psql.ts';

const sqlBlocks = (page: string): string => [...page.matchAll(/^```sql\n(.*?)^```/gms)].map((m) => m[1]).join('\n');

const pages = [
  'README.md',
  ...readdirSync('docs')
    .filter((f) => f.endsWith('.md'))
    .map((f) => `docs/${f}`),
].filter((path) => sqlBlocks(readFileSync(path, 'utf8')) !== '');

const CLUSTER = 'docs/cluster.md';

// The addresses in the text stand for databases of this test; a server of the user's own has no others beside it.
describe.skipIf(!hasWorkers())(CLUSTER, () => {
  const { db, nodes } = useCluster({ nodes: 3, added: 0 });
  test(`the SQL of ${CLUSTER} runs`, () => {
    const text = sqlBlocks(readFileSync(CLUSTER, 'utf8'));
    psql(
      db.name,
      text.replaceAll(/'10\.0\.0\.(\d)', 5432/g, (_, n: string) => `'127.0.0.1', ${nodes[Number(n) - 1]?.port}`),
    );
  });
});

for (const path of pages.filter((p) => p !== CLUSTER))
  describe(path, () => {
    const db = useDatabase();
    test(`the SQL of ${path} runs`, () => {
      psql(db.name, sqlBlocks(readFileSync(path, 'utf8')));
    });
  });

test('the reference page says what the functions say', async () => {
  expect(readFileSync('docs/reference.md', 'utf8'), 'run make docs').toBe(await referencePage());
});
