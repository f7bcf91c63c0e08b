import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { referencePage } from '../../build/reference-docs.ts';
import { useDatabase } from '../harness/database.ts';
import { psql } from '../harness/psql.ts';

const sqlBlocks = (page: string): string => [...page.matchAll(/^```sql\n(.*?)^```/gms)].map((m) => m[1]).join('\n');

const pages = [
  'README.md',
  ...readdirSync('docs')
    .filter((f) => f.endsWith('.md'))
    .map((f) => `docs/${f}`),
].filter((path) => sqlBlocks(readFileSync(path, 'utf8')) !== '');

for (const path of pages)
  describe(path, () => {
    const db = useDatabase();
    test(`the SQL of ${path} runs`, () => {
      psql(db.name, sqlBlocks(readFileSync(path, 'utf8')));
    });
  });

test('the reference page says what the functions say', async () => {
  expect(readFileSync('docs/reference.md', 'utf8'), 'run make docs').toBe(await referencePage());
});
