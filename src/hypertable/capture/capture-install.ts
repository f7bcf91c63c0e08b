import { query, run } from '../../engine/spi.ts';
import { ident, qualified } from '../../lib/quote.ts';
import { captureKey, type CapturedTable } from './capture-ddl.ts';

/** Runs the DDL of the triggers of a table unless all of them are there and enabled; then all are made anew. */
export const installTriggers = (t: CapturedTable, events: readonly string[], ddl: readonly string[]): void => {
  const there = query<{ name: string; works: boolean }>(
    `select tgname as name, tgenabled in ('O', 'A') as works from pg_trigger where tgrelid = $1::regclass and tgname = any($2)`,
    [qualified(t.table), events.map((event) => `tessera_capture_${captureKey(t)}_${event}`)],
  );
  if (there.filter((trigger) => trigger.works).length === events.length) return;
  for (const { name } of there) run(`drop trigger ${ident(name)} on ${qualified(t.table)}`);
  for (const statement of ddl) run(statement);
};
