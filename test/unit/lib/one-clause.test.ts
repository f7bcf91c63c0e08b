import { expect, test } from 'vitest';
import { isOneClause } from '../../../src/lib/one-clause.ts';

const ONE = [
  'PRIMARY KEY (a, b)',
  "USING btree (lower(a)) WHERE (b = 'x;,y')",
  'USING btree ("a;,b--")',
  "EXCLUDE USING gist (a WITH =) WHERE ((b <> E'\\'; --'))",
  "CHECK ((a <> 'it''s'))",
];
const MORE = [
  'PRIMARY KEY (a), add column x int',
  'UNIQUE (a); drop table x',
  'UNIQUE (a) -- the rest',
  'UNIQUE (a) /* the rest',
  'UNIQUE (a)) (b',
  'UNIQUE (a',
  'CHECK (a = $$;$$)',
  "CHECK (a = 'open)",
  "CHECK (a = '\\'); drop table x; --')",
  'CHECK (a = "open)',
];

test.each(ONE)('%s is one clause', (text) => {
  expect(isOneClause(text)).toBe(true);
});
test.each(MORE)('%s is more than one clause, or hides that', (text) => {
  expect(isOneClause(text)).toBe(false);
});
