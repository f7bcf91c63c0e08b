import { badTree } from './failures.ts';

/** Numbers, booleans and enums stay text: only who reads a field knows its type. */
export type TreeValue = string | null | TreeNode | TreeList;
export type TreeList = readonly TreeValue[];

export interface TreeNode {
  readonly tag: string;
  readonly fields: ReadonlyMap<string, TreeValue>;
}

interface OpenNode {
  readonly tag: string;
  readonly fields: Map<string, TreeValue>;
  /** Name of the field whose value comes next, or came last. */
  name: string;
  valued: boolean;
}

interface OpenList {
  readonly items: TreeValue[];
  readonly end: string;
}

// Only these three are space to PostgreSQL; others, such as \r, stand unescaped in strings.
const TOKEN = /[(){}]|(?:[^ \n\t(){}\\]+|\\[\s\S])+/g;
const MARKS = new Set(['i', 'o', 'x', 'b']);

const unescaped = (token: string): string => (token.includes('\\') ? token.replace(/\\([\s\S])/g, '$1') : token);

/** A leading quote that belongs to the text is escaped, as is a text "<>". */
const scalar = (token: string): string | null => {
  if (token === '<>') return null;
  return unescaped(token.startsWith('"') ? token.slice(1, -1) : token);
};

/**
 * Reads what PostgreSQL stores in a pg_node_tree column. Lists of integers, of oids and bitmapsets become lists of
 * texts; a datum `8 [ 1 0 ... ]` the list of its bytes. No recursion: expressions nest deeper than the stack of plv8.
 */
export const readNodeTree = (text: string): TreeValue => {
  const open: (OpenNode | OpenList)[] = [];
  const root: TreeValue[] = [];
  const add = (value: TreeValue, at: number): void => {
    const top = open.at(-1);
    if (top === undefined) root.push(value);
    else if ('items' in top) top.items.push(value);
    else {
      if (top.valued) throw badTree(at);
      top.fields.set(top.name, value);
      top.valued = true;
    }
  };
  const closeList = (end: string, at: number): void => {
    const top = open.pop();
    if (top === undefined || !('items' in top) || top.end !== end) throw badTree(at);
    add(top.items, at);
  };
  let tagNext = false;
  let listStarts = false;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const top = open.at(-1);
    const inList = top !== undefined && 'items' in top;
    const starts = listStarts;
    listStarts = false;
    if (tagNext) {
      open.push({ tag: token, fields: new Map(), name: '', valued: true });
      tagNext = false;
    } else if (token === '{') tagNext = true;
    else if (token === '}') {
      open.pop();
      if (top === undefined || 'items' in top || !top.valued) throw badTree(index);
      add({ tag: top.tag, fields: top.fields }, index);
    } else if (token === '(') {
      open.push({ items: [], end: ')' });
      listStarts = true;
    } else if (token === ')') closeList(')', index);
    else if (inList && top.end === ']' && token === ']') closeList(']', index);
    else if (inList && starts && MARKS.has(token)) continue;
    else if (top === undefined || inList || !top.valued) add(scalar(token), index);
    else if (token === '[') {
      top.valued = false;
      open.push({ items: [], end: ']' });
    } else if (token.startsWith(':')) {
      top.name = token.slice(1);
      top.valued = false;
    } else throw badTree(index);
  }
  const [value] = root;
  if (open.length > 0 || tagNext || root.length !== 1 || value === undefined) throw badTree(text.length);
  return value;
};

export const isNode = (value: TreeValue | undefined): value is TreeNode =>
  typeof value === 'object' && value !== null && 'tag' in value;
const isList = (value: TreeValue | undefined): value is TreeList => Array.isArray(value);

/** A field that this version of PostgreSQL does not have reads as null, 0, false or an empty list. */
export const textOf = (node: TreeNode, field: string): string | null => {
  const value = node.fields.get(field);
  return typeof value === 'string' ? value : null;
};
export const numberOf = (node: TreeNode, field: string): number => Number(textOf(node, field) ?? 0);
export const flagOf = (node: TreeNode, field: string): boolean => node.fields.get(field) === 'true';
export const listOf = (node: TreeNode, field: string): TreeList => {
  const value = node.fields.get(field);
  return isList(value) ? value : [];
};
export const nodeOf = (node: TreeNode, field: string): TreeNode | undefined => {
  const value = node.fields.get(field);
  return isNode(value) ? value : undefined;
};
export const nodesOf = (node: TreeNode, field: string): readonly TreeNode[] => listOf(node, field).filter(isNode);

/** Calls `visit` for each node, parents before children in the order of the text; false leaves out what is below. */
export const walk = (value: TreeValue, visit: (node: TreeNode) => boolean): void => {
  const waiting: TreeValue[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next === null || typeof next === 'string') continue;
    if (isNode(next) && !visit(next)) continue;
    const below = isNode(next) ? [...next.fields.values()] : next;
    for (let i = below.length - 1; i >= 0; i--) waiting.push(below[i] ?? null);
  }
};
