import { expect, test } from 'vitest';
import { isNode, listOf, nodeOf, numberOf, readNodeTree, textOf, walk } from '../../../src/lib/node-tree.ts';
import { V15, V17, V18 } from '../cagg/query/query-trees.ts';
import { SHORT } from '../cagg/query/short-trees.ts';

const fieldsOf = (text: string): unknown => {
  const node = readNodeTree(text);
  return isNode(node) ? Object.fromEntries(node.fields) : node;
};

test('a node has a tag and fields', () => {
  expect(readNodeTree('{A :x 1 :y_z true :n <>}')).toEqual({
    tag: 'A',
    fields: new Map<string, unknown>([
      ['x', '1'],
      ['y_z', 'true'],
      ['n', null],
    ]),
  });
});
test('lists of nodes, integers, oids, strings and lists', () => {
  expect(
    fieldsOf('{A :l ({B} {B :c 1}) :i (i 1 -2) :o (o 4294967295) :b (b) :s ("i" "b\\ c" "") :n ((i 1) <>)}'),
  ).toEqual({
    l: [
      { tag: 'B', fields: new Map() },
      { tag: 'B', fields: new Map([['c', '1']]) },
    ],
    i: ['1', '-2'],
    o: ['4294967295'],
    b: [],
    s: ['i', 'b c', ''],
    n: [['1'], null],
  });
});
test('the value of a constant is the list of its bytes', () => {
  expect(fieldsOf('{CONST :constvalue 4 [ 3 0 -1 0 ] :location 7}')).toEqual({
    constvalue: ['3', '0', '-1', '0'],
    location: '7',
  });
  expect(fieldsOf('{CONST :constvalue 0 [ ]}')).toEqual({ constvalue: [] });
  expect(fieldsOf('{CONST :constvalue <>}')).toEqual({ constvalue: null });
});
test('escapes in strings', () => {
  expect(fieldsOf('{A :a \\<> :b \\12 :c x\\ \\{\\\\ :d \\"q :e ("a\\ \\"b" "\\(") :f "" :g :h :i a:}')).toEqual({
    a: '<>',
    b: '12',
    c: 'x {\\',
    d: '"q',
    e: ['a "b', '('],
    f: '',
    g: ':h',
    i: 'a:',
  });
});
test('only blanks, tabs and line feeds separate', () => {
  expect(fieldsOf('{A\n:a x\ry\t:b \u00a0}')).toEqual({ a: 'x\ry', b: '\u00a0' });
});
test('what is no tree is refused', () => {
  for (const text of [
    '',
    '{A',
    '{A :x',
    '{A :x}',
    '{A x 1}',
    '{A :x 1 2}',
    '(',
    '({A)}',
    '}',
    '{A} {B}',
    '{A :x 1 [ 1}',
  ])
    expect(() => readNodeTree(text), text).toThrow('cannot read the node tree of a view');
});
test('the trees of servers are read', () => {
  for (const text of Object.values({ ...V15, ...SHORT, ...V18, ...V17 })) {
    const [query] = readNodeTree(text) as readonly unknown[];
    expect(query).toMatchObject({ tag: 'QUERY' });
  }
});
test('deep and long trees are read', () => {
  const deep = '{A :x '.repeat(200_000) + '1' + '}'.repeat(200_000);
  let count = 0;
  walk(readNodeTree(deep), () => ++count > 0);
  expect(count).toBe(200_000);
  expect(readNodeTree(`(${'"a" '.repeat(500_000)})`)).toHaveLength(500_000);
  expect(readNodeTree(`("${'a\\ '.repeat(1_000_000)}")`)).toEqual(['a '.repeat(1_000_000)]);
});
test('walk goes in the order of the text and leaves out what is not wanted', () => {
  const seen: string[] = [];
  walk(readNodeTree('({A :x {B :y ({C} {D})} :z {E}} ({F}) {G :x {H}})'), (node) => {
    seen.push(node.tag);
    return node.tag !== 'B' && node.tag !== 'G';
  });
  expect(seen.join('')).toBe('ABEFG');
});
test('a field that is not there reads as nothing', () => {
  const node = readNodeTree('{A :n 5 :s x :l (i 1)}');
  if (!isNode(node)) throw new Error('no node');
  expect([numberOf(node, 'n'), numberOf(node, 'm'), textOf(node, 's'), textOf(node, 'm')]).toEqual([5, 0, 'x', null]);
  expect([listOf(node, 'l'), listOf(node, 's'), nodeOf(node, 'l')]).toEqual([['1'], [], undefined]);
});
