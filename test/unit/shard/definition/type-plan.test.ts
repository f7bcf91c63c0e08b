import { expect, test } from 'vitest';
import { planOldType, planTypeChange } from '../../../../src/shard/definition/type-plan.ts';
import type { TypeShape } from '../../../../src/shard/table/type-shape.ts';

const shape = (kind: string, rest: Partial<TypeShape> = {}): TypeShape => ({
  id: 1,
  schema: 's',
  name: 't y',
  kind,
  labels: [],
  fields: [],
  checks: [],
  notNull: false,
  ...rest,
});
const labels = (...names: string[]): TypeShape => shape('e', { labels: names.map((name, id) => ({ id, name })) });
/** Labels as [number, name]. */
const numbered = (...all: [number, string][]): TypeShape =>
  shape('e', { labels: all.map(([id, name]) => ({ id, name })) });
const E = 'alter type "s"."t y" ';

test('labels are added at once, each next to one that is there', () => {
  const was = numbered([1, 'b'], [2, 'd']);
  expect(planTypeChange(was, numbered([3, 'a'], [1, 'b'], [4, "c'"], [2, 'd'], [5, 'e'], [6, 'f']))).toEqual({
    atOnce: [
      `${E}add value if not exists 'a' before 'b'`,
      `${E}add value if not exists 'c''' after 'b'`,
      `${E}add value if not exists 'e' after 'd'`,
      `${E}add value if not exists 'f' after 'e'`,
    ],
    atCommit: [],
  });
  expect(planTypeChange(shape('e'), labels('x'))?.atOnce).toEqual([`${E}add value if not exists 'x'`]);
});

test('a renamed label keeps its number, and others are added next to its old name', () => {
  expect(planTypeChange(numbered([1, 'a'], [2, 'b']), numbered([1, 'z'], [3, 'y'], [2, 'b']))).toEqual({
    atOnce: [`${E}add value if not exists 'y' after 'a'`],
    atCommit: [`${E}rename value 'a' to 'z'`],
  });
});

test('domains change their constraints, composite types the names of their attributes', () => {
  const check = (name: string, definition: string): TypeShape['checks'][number] => ({ name, definition });
  expect(
    planTypeChange(
      shape('d', { checks: [check('a', 'CHECK (1)'), check('b', 'CHECK (2)')] }),
      shape('d', { checks: [check('b', 'CHECK (3)')], notNull: true }),
    )?.atCommit,
  ).toEqual([
    'alter domain "s"."t y" drop constraint "a"',
    'alter domain "s"."t y" drop constraint "b"',
    'alter domain "s"."t y" add constraint "b" CHECK (3)',
    'alter domain "s"."t y" set not null',
  ]);
  const fields = (...names: string[]): TypeShape =>
    shape('c', { fields: names.map((name) => ({ name, type: 'integer' })) });
  expect(planTypeChange(fields('a', 'b'), fields('a', 'B'))?.atCommit).toEqual([`${E}rename attribute "b" to "B"`]);
  expect(planTypeChange(fields('a'), fields('a', 'b'))).toBeUndefined();
});

test('a type that has another name, kind or place cannot follow', () => {
  expect(planTypeChange(labels('a'), { ...labels('a'), name: 'u' })).toBeUndefined();
  expect(planTypeChange(labels('a'), { ...labels('a'), schema: 'u' })).toBeUndefined();
  expect(planTypeChange(labels('a'), shape('d'))).toBeUndefined();
  expect(planTypeChange(shape('r'), shape('r'))).toEqual({ atOnce: [], atCommit: [] });
});

test('what a node has left of a type gets what it lacks, and keeps what nobody uses', () => {
  expect(planOldType(labels('a', 'old', 'b'), labels('a', 'b', 'c'))).toEqual([
    `${E}add value if not exists 'c' after 'b'`,
  ]);
  expect(planOldType(labels('old'), labels('a'))).toEqual([`${E}add value if not exists 'a'`]);
  expect(planOldType(labels('a'), shape('c'))).toBeUndefined();
});
