import { one } from '../engine/spi.ts';

/** Has the catalog written by the owner of the extension, who checks that the current role owns the hypertable. */
export const request = <T>(operation: string, payload: object): T =>
  one<{ result: T }>('select _tessera_functions.send_request($1, $2::text::jsonb) as result', [
    operation,
    JSON.stringify(payload, (_, v: unknown) => (typeof v === 'bigint' ? v.toString() : v)),
  ]).result;
