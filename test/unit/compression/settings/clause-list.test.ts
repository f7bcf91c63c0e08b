import { expect, test } from 'vitest';
import { parseClauses } from '../../../../src/compression/settings/clause-list.ts';

const columns = (text: string, directions = true): string => {
  const parsed = parseClauses(text, directions);
  return parsed.kind === 'error'
    ? `error: ${parsed.detail}`
    : parsed.entries.map((e) => `${e.column}${e.descending ? '-' : '+'}${e.nullsFirst ? 'first' : 'last'}`).join(' ');
};

test('an empty text is an empty list', () => {
  expect(columns('  ')).toBe('');
});
test('directions and nulls have the defaults of ORDER BY', () => {
  expect(columns('a, b desc, c asc nulls first, d DESC NULLS LAST')).toBe('a+last b-first c+first d-last');
});
test('names are folded to lower case unless quoted', () => {
  expect(columns('Host, "Host", "a ""b"", c", ÄB')).toBe('host+last Host+last a "b", c+last Äb+last');
});
test('a column may be called like a word of the list', () => {
  expect(columns('nulls desc, "desc" desc')).toBe('nulls-first desc-first');
});
test('what is no list of columns is an error that says where', () => {
  expect(columns('a,')).toBe('error: The list ends too early.');
  expect(columns('a b')).toBe('error: There is a syntax error at or near "b".');
  expect(columns('a + 1')).toBe('error: There is a syntax error at or near "+".');
  expect(columns('lower(a)')).toBe('error: There is a syntax error at or near "(".');
  expect(columns('a nulls')).toBe('error: The list ends too early.');
  expect(columns(', a')).toBe('error: There is a syntax error at or near ",".');
  expect(columns('1')).toBe('error: There is a syntax error at or near "1".');
});
test('directions are not allowed where there are none', () => {
  expect(columns('a desc', false)).toBe('error: There is a syntax error at or near "desc".');
});
