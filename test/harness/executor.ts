import pg from 'pg';
import type { Database } from './database.ts';

export interface Claim {
  readonly task_id: bigint;
  readonly job_id: bigint;
  readonly command: string;
}

/** A session that runs background tasks the way an executor does, one step at a time. */
export class Executor {
  readonly client: pg.Client;

  constructor(client: pg.Client) {
    this.client = client;
  }

  static async start(db: Database, role?: string): Promise<Executor> {
    return new Executor(await db.connect(role));
  }

  async pid(): Promise<number> {
    return (await this.client.query('select pg_backend_pid() as pid')).rows[0].pid as number;
  }

  async claim(): Promise<Claim | undefined> {
    const [row] = (await this.client.query('select * from _tessera_functions.claim_task()')).rows as Claim[];
    return row?.task_id === null ? undefined : row;
  }

  /** The work and its end in one transaction, as a success must be. */
  async run(claim: Claim): Promise<'done' | 'failed'> {
    try {
      await this.client.query('begin');
      await this.client.query(claim.command);
      await this.client.query('select _tessera_functions.finish_task($1, true, tags => $2)', [
        claim.task_id,
        'SELECT 1\n',
      ]);
      await this.client.query('commit');
      return 'done';
    } catch (e) {
      if (!(e instanceof pg.DatabaseError)) throw e;
      await this.client.query('rollback');
      await this.fail(claim.task_id, e);
      return 'failed';
    } finally {
      await this.unlock(claim.task_id).catch(() => undefined);
    }
  }

  async fail(
    task: bigint,
    e: { code?: string | undefined; message: string; detail?: string | undefined },
  ): Promise<boolean> {
    const answer = await this.client.query('select _tessera_functions.finish_task($1, false, $2, $3, $4) as recorded', [
      task,
      e.code ?? 'XX000',
      e.message,
      e.detail ?? null,
    ]);
    return answer.rows[0].recorded as boolean;
  }

  async unlock(task: bigint): Promise<void> {
    await this.client.query('select _tessera_functions.unlock_task($1)', [task]);
  }

  /** Claims and runs one task; undefined when there is none. */
  async step(): Promise<Claim | undefined> {
    const claim = await this.claim();
    if (claim !== undefined) await this.run(claim);
    return claim;
  }
}
