import { one, query, run } from '../../engine/spi.ts';
import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import { planSlots, type Demand } from '../slot-plan.ts';

interface DemandRow {
  readonly owner: string;
  readonly due: number;
  readonly running: number;
  readonly slots: number;
  readonly waiting: number | null;
}

const readDemand = (): Demand[] =>
  query<DemandRow>(
    `select owner, due, running, has_slots as slots, extract(epoch from waiting_since)::float8 as waiting
     from _tessera_functions.work_demand()`,
  ).map((r) => ({ owner: r.owner, due: r.due, running: r.running, slots: r.slots, waitingSince: r.waiting }));

export const arrange_slots = defineFunction({
  schema: '_tessera_functions',
  name: 'arrange_slots',
  args: [],
  returns: returnsScalar('boolean'),
  volatility: 'volatile',
  summary: 'Brings the slots of workers in line with the work there is; true when something changed.',
  privileges: 'the scheduler',
  handler: (): boolean => {
    const { total } = one<{ total: number }>(`select _tessera_functions.setting('worker_slots')::int as total`);
    const current = query<{ owner: string; slot: number }>(
      'select owner::oid::text as owner, slot from _tessera_catalog.worker_slot order by slot',
    );
    const plan = planSlots(readDemand(), total);
    const kept: { owner: string; slot: number }[] = [];
    for (const slot of current)
      if (kept.filter((k) => k.owner === slot.owner).length < (plan.get(slot.owner) ?? 0)) kept.push(slot);
    const gone = current.filter((s) => !kept.includes(s));
    for (const { slot } of gone) run('delete from _tessera_catalog.worker_slot where slot = $1', [slot]);
    const taken = new Set(kept.map((k) => k.slot));
    let changed = gone.length > 0;
    for (const [owner, wanted] of plan) {
      for (let have = kept.filter((k) => k.owner === owner).length; have < wanted; have++) {
        let slot = 1;
        while (taken.has(slot)) slot++;
        taken.add(slot);
        run('insert into _tessera_catalog.worker_slot (owner, slot) values ($1::text::oid, $2)', [owner, slot]);
        changed = true;
      }
    }
    return changed;
  },
});
