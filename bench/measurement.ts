/** Milliseconds of an anchor and of tessera, measured in the same run; the goal is a bound on their ratio. */
export interface Measurement {
  readonly name: string;
  readonly anchor: number;
  readonly ours: number;
  readonly goal?: number | undefined;
  /** The goal bounds the difference in milliseconds instead. */
  readonly differenceGoal?: number;
  readonly note?: string;
  /** Milliseconds unless said otherwise. */
  readonly unit?: 'ms' | 'MB' | 'B';
}
