import type { Slice } from '../catalog/dimension-slice.ts';
import type { Hypertable } from '../catalog/hypertable.ts';
import type { Relation } from './relation.ts';

/** Where a new chunk goes: the tablespace of the root. */
export const chooseTablespace = (_h: Hypertable, root: Relation, _slice: Slice, _remainder?: number): string | null =>
  root.tablespace;
