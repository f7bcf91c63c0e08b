import { expect, test } from 'vitest';
import { parseAnswer, parseEndpoint, reasonOf } from '../../../src/cli/telemetry-delivery.ts';

test('an answer says which version is current', () => {
  expect(parseAnswer('{"current_tessera_version": "0.9.1-beta2", "is_up_to_date": false, "more": [1]}')).toEqual({
    version: '0.9.1-beta2',
    upToDate: false,
  });
});

test.each(['{}', '', ' \n', '{"current_tessera_version": null, "is_up_to_date": null}'])(
  'the answer %j says nothing about versions',
  (body) => {
    expect(parseAnswer(body)).toEqual({ version: undefined, upToDate: undefined });
  },
);

test('the name a collector for TimescaleDB uses is understood', () => {
  expect(parseAnswer('{"current_timescaledb_version": "2.1.0", "is_up_to_date": false}').version).toBe('2.1.0');
  expect(() => parseAnswer('{"current_timescaledb_version": "2.1.0;"}')).toThrow('no usable version');
});

test('a failure with a cause that has only a code names the code', () => {
  const cause = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
  expect(reasonOf(new TypeError('fetch failed', { cause }))).toBe('fetch failed: ECONNREFUSED');
  expect(reasonOf(new Error('x'.repeat(5000)))).toHaveLength(500);
});

test.each(['null', '1', '[]', '"1.0"', '{', '{"current_tessera_version": 1}', '{"is_up_to_date": "yes"}'])(
  'the answer %j is refused',
  (body) => {
    expect(() => parseAnswer(body)).toThrow();
  },
);

test.each(['1.0; drop table x', 'a b', '', 'x'.repeat(129), 'ü'])('the version %j is refused', (version) => {
  expect(() => parseAnswer(JSON.stringify({ current_tessera_version: version }))).toThrow('no usable version');
});

test.each(['ftp://127.0.0.1/', 'file:///etc/passwd', 'nowhere', 'https://me:secret@127.0.0.1/'])(
  'the endpoint %s is refused',
  (text) => {
    expect(() => parseEndpoint(text)).toThrow('telemetry_endpoint');
  },
);
