/** The command `tessera deliver-telemetry`: sends stored reports to telemetry_endpoint, which nothing else ever does. */
import type pg from 'pg';
import { parseAnswer, parseEndpoint, reasonOf, type Answer } from './telemetry-delivery.ts';

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 64 * 1024;

export interface DeliveryOptions {
  readonly client: pg.ClientBase;
  readonly fetch?: typeof fetch;
  readonly timeoutMs?: number;
  readonly log?: (line: string) => void;
}

const boundedBody = async (response: Response): Promise<string> => {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > MOST_BYTES) {
      await reader.cancel();
      throw new Error('the answer is too long');
    }
    text += decoder.decode(value, { stream: true });
  }
  return text + decoder.decode();
};

const post = async (endpoint: URL, report: unknown, options: DeliveryOptions): Promise<Answer> => {
  const response = await (options.fetch ?? fetch)(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(report),
    // A report goes where the setting says and nowhere else.
    redirect: 'error',
    signal: AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the endpoint answered ${response.status}`);
  }
  return parseAnswer(await boundedBody(response));
};

export interface Delivery {
  readonly delivered: number;
  readonly problem?: string;
}

const sendAll = async (options: DeliveryOptions, endpoint: URL, version: string): Promise<Delivery> => {
  const log = options.log ?? (() => undefined);
  const waiting = await options.client.query<{ id: string; report: unknown }>(
    'select id, report from _tessera_catalog.telemetry_report where delivered_at is null order by id',
  );
  let delivered = 0;
  for (const { id, report } of waiting.rows) {
    let answer: Answer;
    try {
      answer = await post(endpoint, report, options);
    } catch (e) {
      const problem = reasonOf(e);
      await options.client.query('update _tessera_catalog.telemetry_report set delivery_error = $2 where id = $1', [
        id,
        problem,
      ]);
      return { delivered, problem };
    }
    await options.client.query(
      'update _tessera_catalog.telemetry_report set delivered_at = now(), delivery_error = null where id = $1',
      [id],
    );
    delivered++;
    if (answer.upToDate === false)
      log(`tessera ${version} is not up to date${answer.version === undefined ? '' : `, ${answer.version} is there`}`);
  }
  return { delivered };
};

/**
 * Sends every report not delivered yet, oldest first, and records what became of it. Stops at the first failure. One
 * session at a time does so; a report goes out a second time only if the session ends between answer and record.
 */
export const deliverTelemetry = async (options: DeliveryOptions): Promise<Delivery> => {
  const log = options.log ?? (() => undefined);
  const { rows } = await options.client.query<{ endpoint: string | null; version: string }>(
    `select nullif(btrim(_tessera_functions.setting('telemetry_endpoint')), '') as endpoint, _tessera_functions.version() as version`,
  );
  const [here] = rows;
  if (here?.endpoint == null) {
    log('telemetry_endpoint is not set; nothing is sent');
    return { delivered: 0 };
  }
  const endpoint = parseEndpoint(here.endpoint);
  const lock = `_tessera_functions.lock_class('delivery'), 0`;
  const claimed = await options.client.query<{ held: boolean }>(`select pg_try_advisory_lock(${lock}) as held`);
  if (claimed.rows[0]?.held !== true) {
    log('another session is delivering already');
    return { delivered: 0 };
  }
  try {
    return await sendAll(options, endpoint, here.version);
  } finally {
    // If the session is gone, so is the lock; the first error is the one to tell.
    await options.client.query(`select pg_advisory_unlock(${lock})`).catch(() => undefined);
  }
};
