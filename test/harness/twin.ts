import { expect } from 'vitest';
import type { Database } from './database.ts';

/** Rows that only one of two tables has, as many times as it has them; text, because json has no equality. */
export const differences = async (db: Database, left: string, right: string): Promise<number> => {
  const side = (a: string, b: string): string =>
    `(select count(*) from (select x::text from ${a} x except all select x::text from ${b} x) d)`;
  return Number(await db.value(`select ${side(left, right)} + ${side(right, left)}`));
};

/** The view of schema tessera_read that reads a table without the loopback connection, if there is one. */
export const readView = async (db: Database, table: string): Promise<string | undefined> =>
  (
    await db.query(
      `select v.relation::text as name from _tessera_catalog.read_view v join _tessera_catalog.hypertable h on h.id = v.hypertable_id
       where h.relid = to_regclass($1)`,
      [table],
    )
  )[0]?.name;

/** Both tables have the same rows, and so has the view that reads the first. */
export const expectSame = async (db: Database, left: string, right: string): Promise<void> => {
  expect(await differences(db, left, right), `rows that ${left} and ${right} do not share`).toBe(0);
  const view = await readView(db, left);
  if (view !== undefined)
    expect(await differences(db, view, right), `rows that ${view} and ${right} do not share`).toBe(0);
};
