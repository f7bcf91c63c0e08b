import { expect, test } from 'vitest';
import { actionOf, foreignKeyDefinition, keyName, uniqueDefinition } from '../../../../src/shard/key/key-plan.ts';

test('constraints are named as PostgreSQL names them', () => {
  expect(keyName('t', ['a', 'b'], 'key', [])).toBe('t_a_b_key');
  expect(keyName('t', ['a'], 'pkey', [])).toBe('t_pkey');
  expect(keyName('t', ['a'], 'fkey', ['t_a_fkey'])).toBe('t_a_fkey1');
  expect(keyName('t', ['a'], 'fkey', ['t_a_fkey', 't_a_fkey1'])).toBe('t_a_fkey2');
});

test('names are cut to 63 bytes between characters', () => {
  for (const [table, columns] of [
    ['t'.repeat(63), ['c'.repeat(63)]],
    ['t', ['c'.repeat(63), 'd']],
    ['t'.repeat(63), ['c']],
    ['ö'.repeat(31), ['€'.repeat(21)]],
    ['😀'.repeat(15), ['x', '😀'.repeat(15)]],
  ] as const)
    for (const ending of ['key', 'pkey', 'fkey'] as const) {
      const name = keyName(table, columns, ending, []);
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
      expect(Buffer.byteLength(name)).toBeGreaterThan(ending === 'pkey' && table === 't' ? 0 : 55);
      expect(name.endsWith(`_${ending}`)).toBe(true);
      expect(name).not.toContain('\ufffd');
      const second = keyName(table, columns, ending, [name]);
      expect(Buffer.byteLength(second)).toBeLessThanOrEqual(63);
      expect(second).not.toBe(name);
    }
});

test('definitions quote what they name and say what is not the default', () => {
  expect(uniqueDefinition('p', ['a', 'B "c"'])).toBe('PRIMARY KEY ("a", "B ""c""")');
  expect(uniqueDefinition('u', ['a'])).toBe('UNIQUE ("a")');
  expect(foreignKeyDefinition(['a'], ['b'], 'a', 'a')).toBe('FOREIGN KEY ("a") REFERENCES %s("b")');
  expect(foreignKeyDefinition(['a', 'b'], ['c', 'd'], 'c', 'n')).toBe(
    'FOREIGN KEY ("a", "b") REFERENCES %s("c", "d") ON UPDATE CASCADE ON DELETE SET NULL',
  );
  expect(foreignKeyDefinition(['a'], ['b'], 'r', 'c')).toBe(
    'FOREIGN KEY ("a") REFERENCES %s("b") ON UPDATE RESTRICT ON DELETE CASCADE',
  );
});

test('actions are read as SQL writes them', () => {
  expect(['no action', ' RESTRICT ', 'Cascade', 'set   null'].map(actionOf)).toEqual(['a', 'r', 'c', 'n']);
  expect(['set default', 'nothing', '', 'constructor'].map(actionOf)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
