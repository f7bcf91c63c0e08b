import { ident, literal, qualified } from '../../lib/quote.ts';
import type { Named, TypeShape, Label } from '../table/type-shape.ts';

/** Numbers are others after a restore. */
export const withoutNumbers = (types: readonly TypeShape[]): unknown[] =>
  types
    .map((t) => ({ ...t, id: 0, labels: t.labels.map((l) => l.name) }))
    .sort((a, b) => (qualified(a) < qualified(b) ? -1 : 1));

export interface TypeChange {
  /** Harmless whatever becomes of the transaction, and needed as soon as it has committed. */
  readonly atOnce: readonly string[];
  readonly atCommit: readonly string[];
}

/** Labels are added one by one, each next to one that is there by then. */
const addLabels = (name: string, was: readonly string[], now: readonly string[]): string[] =>
  now
    .filter((l) => !was.includes(l))
    .map((l) => {
      const at = now.indexOf(l);
      const next = was.find((w) => now.includes(w));
      const place =
        at > 0 ? ` after ${literal(now[at - 1] as string)}` : next === undefined ? '' : ` before ${literal(next)}`;
      return `alter type ${name} add value if not exists ${literal(l)}${place}`;
    });

const planLabels = (name: string, was: readonly Label[], now: readonly Label[]): TypeChange => {
  const renamed = now.flatMap((l) => {
    const old = was.find((w) => w.id === l.id);
    return old === undefined || old.name === l.name ? [] : [{ from: old.name, to: l.name }];
  });
  // To begin with nodes know renamed labels by their old names.
  const old = (label: string): string => renamed.find((r) => r.to === label)?.from ?? label;
  return {
    atOnce: addLabels(
      name,
      was.map((l) => l.name),
      now.map((l) => old(l.name)),
    ),
    atCommit: renamed.map((r) => `alter type ${name} rename value ${literal(r.from)} to ${literal(r.to)}`),
  };
};

const planDomain = (name: string, was: TypeShape, now: TypeShape): string[] => {
  const missing = (these: readonly Named[], those: readonly Named[]): Named[] =>
    these.filter((c) => !those.some((o) => o.name === c.name && o.definition === c.definition));
  return [
    ...missing(was.checks, now.checks).map((c) => `alter domain ${name} drop constraint ${ident(c.name)}`),
    ...missing(now.checks, was.checks).map(
      (c) => `alter domain ${name} add constraint ${ident(c.name)} ${c.definition}`,
    ),
    ...(was.notNull === now.notNull ? [] : [`alter domain ${name} ${now.notNull ? 'set' : 'drop'} not null`]),
  ];
};

const planFields = (name: string, was: TypeShape, now: TypeShape): string[] | undefined => {
  if (was.fields.length !== now.fields.length || was.fields.some((f, i) => f.type !== now.fields[i]?.type))
    return undefined;
  return now.fields.flatMap((f, i) => {
    const old = was.fields[i]?.name as string;
    return old === f.name ? [] : [`alter type ${name} rename attribute ${ident(old)} to ${ident(f.name)}`];
  });
};

/** How a type on nodes follows what was done to it here; undefined where it cannot. */
export const planTypeChange = (was: TypeShape, now: TypeShape): TypeChange | undefined => {
  const name = qualified(now);
  if (was.kind !== now.kind || qualified(was) !== name) return undefined;
  switch (now.kind) {
    case 'e':
      return planLabels(name, was.labels, now.labels);
    case 'd':
      return { atOnce: [], atCommit: planDomain(name, was, now) };
    case 'c': {
      const renames = planFields(name, was, now);
      return renames === undefined ? undefined : { atOnce: [], atCommit: renames };
    }
    default:
      return { atOnce: [], atCommit: [] };
  }
};

/** How a type that a node has from earlier, when nobody uses it any more, becomes what it is here. */
export const planOldType = (there: TypeShape, now: TypeShape): readonly string[] | undefined => {
  if (there.kind !== now.kind) return undefined;
  if (now.kind === 'd') return planDomain(qualified(now), there, now);
  if (now.kind === 'c') return planFields(qualified(now), there, now);
  return addLabels(
    qualified(now),
    there.labels.map((l) => l.name),
    now.labels.map((l) => l.name),
  );
};
