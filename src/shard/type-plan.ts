import { ident, literal, qualified, type RelationName } from '../lib/quote.ts';
import type { Named } from './shard-ddl.ts';

/** What a type is like on a server. */
export interface TypeShape extends RelationName {
  /** e enum, c composite, d domain */
  readonly kind: string;
  readonly labels: readonly string[];
  readonly fields: readonly { readonly name: string; readonly type: string }[];
  readonly checks: readonly Named[];
  readonly notNull: boolean;
}

export interface TypeChange {
  /** Harmless whatever becomes of the transaction, and needed as soon as it has committed. */
  readonly atOnce: readonly string[];
  readonly atCommit: readonly string[];
}

const planLabels = (name: string, was: readonly string[], now: readonly string[]): TypeChange => {
  const missing = now.filter((l) => !was.includes(l));
  const extra = was.filter((l) => !now.includes(l));
  if (was.length === now.length && missing.every((l) => extra.includes(was[now.indexOf(l)] as string)))
    return {
      atOnce: [],
      atCommit: missing.map(
        (l) => `alter type ${name} rename value ${literal(was[now.indexOf(l)] as string)} to ${literal(l)}`,
      ),
    };
  // Labels that only the node has are left of a transaction that was undone.
  const place = (l: string): string => {
    const at = now.indexOf(l);
    return at > 0
      ? ` after ${literal(now[at - 1] as string)}`
      : was.length === 0
        ? ''
        : ` before ${literal(was[0] as string)}`;
  };
  return {
    atOnce: missing.map((l) => `alter type ${name} add value if not exists ${literal(l)}${place(l)}`),
    atCommit: [],
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

/** How a type on a node becomes what it is here; undefined where it cannot. */
export const planTypeChange = (was: TypeShape, now: TypeShape): TypeChange | undefined => {
  const name = qualified(now);
  if (was.kind !== now.kind) return undefined;
  switch (now.kind) {
    case 'e':
      return planLabels(name, was.labels, now.labels);
    case 'd':
      return { atOnce: [], atCommit: planDomain(name, was, now) };
    case 'c': {
      const [old, fresh] = [was.fields, now.fields];
      if (old.length !== fresh.length || old.some((f, i) => f.type !== fresh[i]?.type)) return undefined;
      return {
        atOnce: [],
        atCommit: fresh.flatMap((f, i) =>
          old[i]?.name === f.name
            ? []
            : [`alter type ${name} rename attribute ${ident(old[i]?.name ?? '')} to ${ident(f.name)}`],
        ),
      };
    }
    default:
      return { atOnce: [], atCommit: [] };
  }
};
