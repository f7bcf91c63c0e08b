/** What a role has to do in this database. Times are microseconds or any other number that grows. */
export interface Demand {
  readonly owner: string;
  readonly due: number;
  readonly running: number;
  /** Slots the role has now. */
  readonly slots: number;
  /** Since when its oldest work is due; null when none is. */
  readonly waitingSince: number | null;
}

const byNeed = (a: Demand, b: Demand): number => {
  const [x, y] = [a.due + a.running > 0, b.due + b.running > 0];
  if (x !== y) return x ? -1 : 1;
  if (x && a.waitingSince !== b.waitingSince)
    return (a.waitingSince ?? Number.POSITIVE_INFINITY) - (b.waitingSince ?? Number.POSITIVE_INFINITY);
  return b.slots - a.slots || (a.owner < b.owner ? -1 : 1);
};

/**
 * Divides the slots among roles: one for each role while they last, those with work first and in the order of waiting;
 * the rest in turn to roles with more work than slots; what nobody needs stays with the roles in turn, so that work
 * that comes finds a session waiting.
 */
export const planSlots = (demands: readonly Demand[], total: number): ReadonlyMap<string, number> => {
  const order = [...demands].sort(byNeed).slice(0, total);
  const plan = new Map(order.map((d) => [d.owner, 1]));
  let left = total - order.length;
  const give = (wanting: (d: Demand, has: number) => boolean): boolean => {
    let given = false;
    for (const d of order) {
      const has = plan.get(d.owner) ?? 0;
      if (left === 0 || !wanting(d, has)) continue;
      plan.set(d.owner, has + 1);
      left--;
      given = true;
    }
    return given;
  };
  while (left > 0 && give((d, has) => d.due + d.running > has));
  while (left > 0 && give((d, has) => d.slots > has));
  while (left > 0 && give(() => true));
  return plan;
};
