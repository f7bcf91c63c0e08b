import { describe, expect, test } from 'vitest';
import { useDatabase } from '../../harness/database.ts';

const db = useDatabase({ template: 'empty' });

describe('the embedded server', () => {
  test('has logical WAL, prepared transactions and background workers for pg_cron', async () => {
    expect(await db.value('show wal_level')).toBe('logical');
    expect(Number(await db.value('show max_prepared_transactions'))).toBeGreaterThan(0);
    expect(await db.value('show cron.use_background_workers')).toBe('on');
  });

  test('offers plv8, dblink, postgres_fdw and pg_cron', async () => {
    expect(
      await db.column(
        `select name from pg_available_extensions where name in ('plv8', 'dblink', 'postgres_fdw', 'pg_cron') order by name`,
      ),
    ).toEqual(['dblink', 'pg_cron', 'plv8', 'postgres_fdw']);
  });

  test('listens on loopback only', async () => {
    expect(await db.value('show listen_addresses')).toBe('127.0.0.1');
  });
});
