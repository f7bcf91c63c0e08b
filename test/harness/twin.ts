import { expect } from 'vitest';
import type { Database } from './database.ts';

/** Rows that only one of two tables has, as many times as it has them; text, because json has no equality. */
export const differences = async (db: Database, left: string, right: string): Promise<number> => {
  const side = (a: string, b: string): string =>
    `(select count(*) from (select x::text from ${a} x except all select x::text from ${b} x) d)`;
  return Number(await db.value(`select ${side(left, right)} + ${side(right, left)}`));
};

/** Both tables have the same rows. */
export const expectSame = async (db: Database, left: string, right: string): Promise<void> => {
  expect(await differences(db, left, right), `rows that ${left} and ${right} do not share`).toBe(0);
};
