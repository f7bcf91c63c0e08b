import pg from 'pg';
import type { Measurement } from './measurement.ts';

const elapsed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - began) / 1e6;
};

/** What a session pays once: the bundle, after V8 itself has started. */
const loadTime = async (config: pg.ClientConfig): Promise<{ start: number; load: number }> => {
  const [starts, loads]: [number[], number[]] = [[], []];
  for (let i = 0; i < 5; i++) {
    const client = new pg.Client(config);
    await client.connect();
    await client.query('select 1');
    starts.push(await elapsed(() => client.query('do $$ 1 $$ language plv8')));
    loads.push(await elapsed(() => client.query(`select show_chunks('present')`)));
    await client.end();
  }
  return { start: Math.min(...starts), load: Math.min(...loads) };
};

const SQL_OF_SHOW_CHUNKS = `select c.relid from _tessera_catalog.hypertable h
  join _tessera_catalog.chunk c on c.hypertable_id = h.id
  join _tessera_catalog.chunk_constraint k on k.chunk_id = c.id
  join _tessera_catalog.dimension_slice s on s.id = k.dimension_slice_id
  where h.relid = 'present'::regclass order by s.range_start, c.id`;

const meanOf = async (client: pg.Client, sql: string): Promise<number> => {
  const CALLS = 300;
  for (let i = 0; i < 20; i++) await client.query(sql);
  return (
    (await elapsed(async () => {
      for (let i = 0; i < CALLS; i++) await client.query(sql);
    })) / CALLS
  );
};

export const measureCalls = async (client: pg.Client, config: pg.ClientConfig): Promise<Measurement[]> => {
  const { start, load } = await loadTime(config);
  const bare = await meanOf(client, SQL_OF_SHOW_CHUNKS);
  const call = await meanOf(client, `select show_chunks('present')`);
  return [
    {
      name: `first call in a session, after V8 started (${start.toFixed(0)} ms)`,
      anchor: 0,
      ours: load,
      goal: undefined,
      differenceGoal: 30,
    },
    {
      name: 'show_chunks on a warm session, against its SQL',
      anchor: bare,
      ours: call,
      goal: undefined,
      differenceGoal: 0.2,
    },
  ];
};
