import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../test/harness/database.ts';
import { COLUMNS, type Outcome, SETUP, STATEMENTS, VALUES } from './behaviour.ts';

const db = useDatabase({ template: 'plv8' });

/** Ours has a version that plv8 will not have. */
let ours = true;
let client: pg.Client;

beforeAll(async () => {
  ours = (await db.value('select plv8_version()')) === '3.2.99';
  await db.query(SETUP);
  client = await db.connect();
});

/** Runs statements: the notices and rows, or the error with all that psql shows. */
const run = async (sql: string): Promise<string> => {
  let notices = '';
  const listen = (n: { severity?: string | undefined; message?: string | undefined }): void => {
    if (n.severity === 'NOTICE') notices += `NOTICE: ${n.message}\n`;
  };
  client.on('notice', listen);
  try {
    const result = (await client.query(`begin; ${sql}`)) as unknown as pg.QueryResult[];
    const rows = (result.at(-1)?.rows ?? []) as Record<string, unknown>[];
    return notices + rows.map((r) => Object.values(r).map(String).join()).join(' ');
  } catch (e) {
    if (!(e instanceof pg.DatabaseError) || e.severity !== 'ERROR') throw e;
    const parts = [`!${e.code} ${e.message}`];
    if (e.detail !== undefined) parts.push(`DETAIL: ${e.detail}`);
    if (e.hint !== undefined) parts.push(`HINT: ${e.hint}`);
    if (e.where !== undefined) parts.push(`CONTEXT: ${e.where}`);
    return notices + parts.join('\n');
  } finally {
    client.off('notice', listen);
  }
};

/** What the statements leave goes. plv8 may die or hang some time after an error, so there the session goes, too. */
const outcomeOf = async (sql: string): Promise<string> => {
  const outcome = await run(sql);
  if (ours || !outcome.includes('!')) {
    await client.query('rollback');
  } else {
    await client.end();
    client = await db.connect();
  }
  return outcome;
};

const withoutMessage = (outcome: string): string => (/^!\w{5} /.test(outcome) ? outcome.slice(0, 6) : outcome);

const expected = (outcome: Outcome): string | null =>
  typeof outcome === 'string' ? outcome : ours ? outcome.ours : outcome.plv8;

/** On plv8 itself what kills it is not run. */
const meets = async (outcome: Outcome, run: () => Promise<string>): Promise<void> => {
  const wanted = expected(outcome);
  if (wanted !== null) expect(await run()).toBe(wanted);
};

const attempt = (create: string, call: string): Promise<string> =>
  outcomeOf(`${create}; select attempt($attempt$${call}$attempt$)`).then(withoutMessage);

describe('JavaScript to SQL', () => {
  for (const [type, value, outcome] of VALUES)
    test(`${value} as ${type}`, async () => {
      await meets(outcome, () =>
        attempt(
          `create function given() returns ${type} language plv8 as $js$ return (${value}) $js$`,
          'select given()::text',
        ),
      );
      await meets(outcome, () =>
        attempt(
          `create function bound() returns text language plv8 as $js$
             return plv8.execute('select ($1::${type})::text as v', [${value}])[0].v $js$`,
          'select bound()',
        ),
      );
    });
});

const SHOW = `
const show = (v) => v === null ? 'null' : typeof v === 'bigint' ? v + 'n' : typeof v === 'string' ? "'" + v + "'"
  : Object.is(v, -0) ? '-0' : typeof v !== 'object' ? String(v)
  : v instanceof Date ? 'Date ' + (isNaN(v) ? 'invalid' : v.toISOString())
  : Array.isArray(v) ? '[' + v.map(show).join(', ') + ']'
  : ArrayBuffer.isView(v) ? v.constructor.name + ' ' + Array.from(v).map(show).join()
  : '{' + Object.keys(v).map((k) => k + ': ' + show(v[k])).join(', ') + '}' + (v.y === undefined ? '' : ' inherits y');`;

describe('SQL to JavaScript', () => {
  for (const [value, outcome] of COLUMNS)
    test(value, async () => {
      await meets(outcome, () =>
        attempt(
          `create function f() returns text language plv8 as $js$${SHOW}
             return show(plv8.execute(${JSON.stringify(`select ${value} as v`)})[0].v) $js$`,
          'select f()',
        ),
      );
      const type = await db.value(`select format_type(pg_typeof(${value})::oid, null)`);
      await meets(outcome, () =>
        attempt(
          `create function f(x ${type}) returns text language plv8 as $js$${SHOW} return show(x) $js$`,
          `select f(${value})`,
        ),
      );
    });
});

describe('plv8', () => {
  for (const [title, sql, outcome] of STATEMENTS) test(title, () => meets(outcome, () => outcomeOf(sql)));
});
