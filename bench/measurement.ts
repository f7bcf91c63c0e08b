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

/** Milliseconds that the body takes. */
export const timed = async (body: () => Promise<unknown>): Promise<number> => {
  const began = process.hrtime.bigint();
  await body();
  return Number(process.hrtime.bigint() - began) / 1e6;
};

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

type Timed = (round: number) => Promise<number>;

/**
 * Both, by turns. A machine that others share is slow at times, so each round has a ratio of its own, and the median of
 * them counts.
 */
export const paired = async (
  rounds: number,
  anchor: Timed,
  ours: Timed,
): Promise<Pick<Measurement, 'anchor' | 'ours'>> => {
  const anchors: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const first = round % 2 === 0 ? await anchor(round) : undefined;
    const mine = await ours(round);
    const base = first ?? (await anchor(round));
    anchors.push(base);
    ratios.push(mine / base);
  }
  return { anchor: median(anchors), ours: median(anchors) * median(ratios) };
};
