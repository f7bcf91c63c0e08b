/** The command `tessera deliver-telemetry`: sends stored reports to telemetry_endpoint, which nothing else ever does. */
import type pg from 'pg';
import { parseAnswer, parseEndpoint, type Answer } from './telemetry-delivery.ts';

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
  return text;
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

const reasonOf = (e: unknown): string => {
  if (!(e instanceof Error)) return String(e);
  if (e.name === 'TimeoutError') return 'the endpoint did not answer in time';
  return e.cause instanceof Error ? `${e.message}: ${e.cause.message}` : e.message;
};

/** Sends every report not delivered yet, oldest first, and records what became of it. Stops at the first failure. */
export const deliverTelemetry = async (options: DeliveryOptions): Promise<{ delivered: number; problem?: string }> => {
  const log = options.log ?? (() => undefined);
  const { rows } = await options.client.query<{ endpoint: string | null; version: string }>(
    `select nullif(_tessera_functions.setting('telemetry_endpoint'), '') as endpoint, _tessera_functions.version() as version`,
  );
  const address = rows[0]?.endpoint;
  if (address == null) {
    log('telemetry_endpoint is not set; nothing is sent');
    return { delivered: 0 };
  }
  const endpoint = parseEndpoint(address);
  const waiting = await options.client.query<{ id: string; report: unknown }>(
    'select id, report from _tessera_catalog.telemetry_report where delivered_at is null order by id',
  );
  let delivered = 0;
  for (const { id, report } of waiting.rows) {
    try {
      const answer = await post(endpoint, report, options);
      await options.client.query(
        'update _tessera_catalog.telemetry_report set delivered_at = now(), delivery_error = null where id = $1',
        [id],
      );
      delivered++;
      if (answer.upToDate === false)
        log(
          `tessera ${rows[0]?.version} is not up to date${answer.version === undefined ? '' : `, ${answer.version} is there`}`,
        );
    } catch (e) {
      const problem = reasonOf(e);
      await options.client.query('update _tessera_catalog.telemetry_report set delivery_error = $2 where id = $1', [
        id,
        problem,
      ]);
      return { delivered, problem };
    }
  }
  return { delivered };
};
