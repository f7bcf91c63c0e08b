import { expect, test } from 'vitest';
import { planSlots, type Demand } from '../../../src/worker/slot-plan.ts';

const demand = (owner: string, changes: Partial<Demand> = {}): Demand => ({
  owner,
  due: 0,
  running: 0,
  slots: 0,
  waitingSince: null,
  ...changes,
});
const plan = (demands: readonly Demand[], total: number): Record<string, number> =>
  Object.fromEntries(planSlots(demands, total));

test('a single role has all slots', () => {
  expect(plan([demand('a')], 4)).toEqual({ a: 4 });
});

test('no role, no slot', () => {
  expect(plan([], 4)).toEqual({});
});

test('every role has a slot while they last, and more go where work is due', () => {
  expect(plan([demand('a', { due: 9, waitingSince: 1 }), demand('b'), demand('c')], 5)).toEqual({ a: 3, b: 1, c: 1 });
});

test('with more roles than slots those that wait longest come first', () => {
  const roles = ['a', 'b', 'c', 'd'].map((owner, i) => demand(owner, { due: 1, waitingSince: 10 - i }));
  expect(plan(roles, 2)).toEqual({ d: 1, c: 1 });
});

test('a role with work takes the slot of one without', () => {
  expect(plan([demand('idle', { slots: 1 }), demand('busy', { due: 1, waitingSince: 5 })], 1)).toEqual({ busy: 1 });
});

test('idle slots stay where they are', () => {
  expect(plan([demand('a', { slots: 1 }), demand('b', { slots: 3 })], 4)).toEqual({ b: 3, a: 1 });
});

test('never more than there are, never fewer than needed, whatever the demand', () => {
  let seed = 7;
  const random = (n: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % n;
  };
  for (let round = 0; round < 2000; round++) {
    const demands = Array.from({ length: random(7) }, (_, i) => {
      const due = random(4);
      return demand(`r${i}`, { due, running: random(3), slots: random(4), waitingSince: due > 0 ? random(50) : null });
    });
    const total = 1 + random(6);
    const given = planSlots(demands, total);
    const sum = [...given.values()].reduce((a, b) => a + b, 0);
    expect(sum).toBe(demands.length === 0 ? 0 : total);
    for (const n of given.values()) expect(n).toBeGreaterThan(0);
    expect(given.size).toBe(Math.min(total, demands.length));
    // Nobody with work is left out while somebody without has a slot.
    const leftOut = demands.some((d) => d.due + d.running > 0 && !given.has(d.owner));
    const idleServed = demands.some((d) => d.due + d.running === 0 && given.has(d.owner));
    expect(leftOut && idleServed).toBe(false);
  }
});
