import { expect, test } from 'vitest';
import { parseAnswer, parseEndpoint } from '../../../src/cli/telemetry-delivery.ts';

test('an answer says which version is current', () => {
  expect(parseAnswer('{"current_tessera_version": "0.9.1-beta2", "is_up_to_date": false, "more": [1]}')).toEqual({
    version: '0.9.1-beta2',
    upToDate: false,
  });
  expect(parseAnswer('{}')).toEqual({ version: undefined, upToDate: undefined });
});

test.each(['', 'null', '[]', '"1.0"', '{', '{"current_tessera_version": 1}', '{"is_up_to_date": "yes"}'])(
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
