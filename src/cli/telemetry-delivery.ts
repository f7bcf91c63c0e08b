/** What an endpoint may answer to a report; anything else about it is not looked at. */
export interface Answer {
  readonly version: string | undefined;
  readonly upToDate: boolean | undefined;
}

const VERSION = /^[A-Za-z0-9.-]{1,128}$/;

/**
 * Reads the body of an answer. An empty one says nothing, which is fine. Throws on what is no JSON object or names a version
 * no version looks like.
 */
export const parseAnswer = (body: string): Answer => {
  if (body.trim() === '') return { version: undefined, upToDate: undefined };
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw new Error('the answer is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new Error('the answer is not a JSON object');
  const answer = parsed as Record<string, unknown>;
  // A collector made for TimescaleDB uses its name.
  const version = answer.current_tessera_version ?? answer.current_timescaledb_version ?? undefined;
  const upToDate = answer.is_up_to_date ?? undefined;
  if (version !== undefined && (typeof version !== 'string' || !VERSION.test(version)))
    throw new Error('the answer names no usable version');
  if (upToDate !== undefined && typeof upToDate !== 'boolean') throw new Error('the answer does not say yes or no');
  return { version, upToDate };
};

/** Only http and https, and no credentials in the address, which is shown in messages. */
export const parseEndpoint = (text: string): URL => {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error('telemetry_endpoint is not a URL');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new Error('telemetry_endpoint must be an http or https URL');
  if (url.username !== '' || url.password !== '') throw new Error('telemetry_endpoint must not hold a password');
  return url;
};

const MOST_REASON = 500;
const code = (e: Error): string | undefined => ('code' in e && typeof e.code === 'string' ? e.code : undefined);

/** Why a delivery failed, in one line. */
export const reasonOf = (e: unknown): string => {
  if (!(e instanceof Error)) return String(e).slice(0, MOST_REASON);
  if (e.name === 'TimeoutError') return 'the endpoint did not answer in time';
  // A name with several addresses fails with a cause that has a code and no message.
  const cause = e.cause instanceof Error ? e.cause.message || code(e.cause) : undefined;
  return (cause === undefined ? e.message : `${e.message}: ${cause}`).slice(0, MOST_REASON);
};
