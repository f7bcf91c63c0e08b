import { expect, test } from 'vitest';
import { chunksToReorder, planAhead, type AheadOptions } from '../../../../src/hypertable/policy/policy-plan.ts';

const chunk = (id: number, sliceStart: bigint, reordered = false) => ({ id, sliceStart, reordered });
const ids = (chunks: readonly { readonly id: number }[]): number[] => chunks.map((c) => c.id);

test('the two newest slices are left alone, and without three slices there is nothing to reorder', () => {
  expect(chunksToReorder([])).toEqual([]);
  expect(chunksToReorder([chunk(1, 0n), chunk(2, 10n)])).toEqual([]);
  expect(ids(chunksToReorder([chunk(3, 20n), chunk(1, 0n), chunk(2, 10n)]))).toEqual([1]);
  expect(ids(chunksToReorder([chunk(1, 0n), chunk(2, 10n), chunk(3, 20n), chunk(4, 30n)]))).toEqual([1, 2]);
});

test('chunks of one slice count once, and what was reordered stays as it is', () => {
  const hash = [chunk(1, 0n), chunk(2, 0n), chunk(3, 10n), chunk(4, 10n)];
  expect(chunksToReorder(hash)).toEqual([]);
  expect(ids(chunksToReorder([...hash, chunk(5, 20n)]))).toEqual([1, 2]);
  expect(ids(chunksToReorder([chunk(1, 0n, true), chunk(2, 0n), chunk(3, 10n), chunk(5, 20n)]))).toEqual([2]);
});

const options: AheadOptions = { ahead: 1, activeWithin: 3, lead: 0n };
const slice = (start: bigint, end: bigint) => ({ start, end });
const starts = (plan: ReturnType<typeof planAhead>): bigint[] | string =>
  plan.kind === 'create' ? plan.slices.map((s) => s.start) : plan.reason;

test('chunks are made up to one interval ahead of now, where there are none', () => {
  expect(starts(planAhead(25n, 10n, 'int8', [slice(20n, 30n)], options))).toEqual([30n]);
  expect(starts(planAhead(25n, 10n, 'int8', [slice(10n, 20n)], options))).toEqual([20n, 30n]);
  expect(starts(planAhead(25n, 10n, 'int8', [slice(20n, 30n), slice(30n, 40n)], options))).toBe(
    'its chunks reach far enough ahead',
  );
  expect(starts(planAhead(25n, 10n, 'int8', [slice(20n, 30n)], { ...options, ahead: 3 }))).toEqual([30n, 40n, 50n]);
});

test('a chunk far in the future does not count as covering the time until then', () => {
  expect(starts(planAhead(25n, 10n, 'int8', [slice(20n, 30n), slice(1000n, 1010n)], options))).toEqual([30n]);
});

test('an idle hypertable and an empty one get no chunks', () => {
  expect(starts(planAhead(1000n, 10n, 'int8', [slice(0n, 10n)], options))).toContain('within 3 chunk intervals');
  expect(starts(planAhead(1000n, 10n, 'int8', [slice(5000n, 5010n)], options))).toContain('within 3 chunk intervals');
  expect(starts(planAhead(1000n, 10n, 'int8', [], options))).toBe('it has no chunk yet');
});

test('short intervals are covered until the policy surely ran again, a hundred chunks at most', () => {
  const lead = { ...options, lead: 95n };
  expect(starts(planAhead(25n, 10n, 'int8', [slice(20n, 30n)], lead))).toHaveLength(10);
  expect(starts(planAhead(25n, 1n, 'int8', [slice(25n, 26n)], { ...options, lead: 100_000n }))).toHaveLength(100);
});

test('new slices give way to odd ones that are there', () => {
  const plan = planAhead(25n, 10n, 'int8', [slice(20n, 27n), slice(33n, 36n)], options);
  expect(plan).toEqual({ kind: 'create', slices: [slice(27n, 30n), slice(30n, 33n)] });
});

test('the end of the type ends the plan', () => {
  const plan = planAhead(32_765n, 10n, 'int2', [slice(32_760n, 32_766n)], options);
  expect(plan.kind === 'create' && plan.slices.length).toBe(1);
});
