import type { RelationName } from '../../lib/quote.ts';

export interface Named {
  readonly name: string;
  readonly definition: string;
}

export interface Label {
  /** Stays when the label is renamed. */
  readonly id: number;
  readonly name: string;
}

/** What a type that the columns of a table consist of is like. */
export interface TypeShape extends RelationName {
  readonly id: number;
  /** e enum, c composite, d domain, r range */
  readonly kind: string;
  readonly labels: readonly Label[];
  readonly fields: readonly { readonly name: string; readonly type: string }[];
  readonly checks: readonly Named[];
  readonly notNull: boolean;
}
