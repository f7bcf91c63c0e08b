import { SQLSTATE } from '../lib/sqlstate.ts';
import { hasSqlState, run, subtransaction } from './spi.ts';
import { withSettings } from './session.ts';

/** Milliseconds to wait for a lock, one attempt each; between attempts nothing is queued in front of users' queries. */
const WAITS = [50, 100, 200, 400, 800, 1600] as const;

/**
 * Runs work that needs ACCESS EXCLUSIVE. Each attempt waits a short time only; the last failure is the user's 55P03.
 */
export const withLockRetry = <T>(body: () => T): T => {
  for (const [attempt, wait] of WAITS.entries()) {
    try {
      return subtransaction(() => withSettings({ lock_timeout: `${wait}ms` }, body));
    } catch (e) {
      const again = hasSqlState(e, SQLSTATE.lockNotAvailable, SQLSTATE.deadlockDetected);
      if (!again || attempt === WAITS.length - 1) throw e;
      run('select pg_sleep($1::float8)', [wait / 1000]);
    }
  }
  throw new Error('unreachable');
};
