import type pg from 'pg';

/** A refresh, of integers, taken step by step, each a transaction of the caller's, as run_refresh() takes them. */
export class Steps {
  private plan: unknown;
  private batches: unknown[] = [];
  readonly client: pg.Client;
  readonly view: string;

  constructor(client: pg.Client, view = 'tens') {
    this.client = client;
    this.view = view;
  }

  private async call(name: string, ...args: readonly unknown[]): Promise<unknown> {
    const list = args.map((_, i) => `$${i + 1}::jsonb`).join(', ');
    const { rows } = await this.client.query(
      `select _tessera_functions.${name}(${list}) as result`,
      args.map((a) => JSON.stringify(a)),
    );
    return rows[0].result;
  }

  async moveThreshold(start: number, end: number, options: object | null = null): Promise<this> {
    const { rows } = await this.client.query(
      `select _tessera_functions.refresh_plan($1::regclass::oid::int8, $2, $3, 'integer', false, $4) as plan`,
      [this.view, String(start), String(end), options],
    );
    this.plan = await this.call('refresh_threshold', rows[0].plan);
    return this;
  }

  async planBatches(): Promise<this> {
    this.batches = ((await this.call('refresh_batches', this.plan)) ?? []) as unknown[];
    return this;
  }

  async runBatches(most = this.batches.length): Promise<this> {
    for (const batch of this.batches.splice(0, most)) await this.call('refresh_batch', this.plan, batch);
    return this;
  }
}
