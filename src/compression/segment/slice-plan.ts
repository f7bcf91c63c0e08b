/** What decides into how many slices a chunk is cut. */
export interface RowSpread {
  readonly rows: bigint;
  /** distinct combinations of the segmentby columns */
  readonly groups: bigint;
  /** least and greatest time, in internal time */
  readonly first: bigint;
  readonly last: bigint;
  /** the unit of the time column in internal time: a day for dates */
  readonly unit: bigint;
}

/** More arms in the decompression view cost planning time and skip little more. */
const MOST_SLICES = 16n;
/** Where a group has this many segments or fewer, there is nothing to skip. */
const FEW = 3n;
/** Below a full segment, so that an uneven slice does not spill a few rows into a second one. */
const ROWS_PER_SLICE = 950n;

/**
 * Bounds between slices of equal width, so that a group has about one segment in each. Slices are what a query on time
 * can skip; segments do not reach over their bounds.
 */
export const planSlices = ({ rows, groups, first, last, unit }: RowSpread): bigint[] => {
  if (rows === 0n || groups === 0n) return [];
  const wanted = (rows + groups * ROWS_PER_SLICE - 1n) / (groups * ROWS_PER_SLICE);
  if (wanted <= FEW) return [];
  const count = wanted > MOST_SLICES ? MOST_SLICES : wanted;
  const width = last - first + unit;
  const bounds: bigint[] = [];
  for (let i = 1n; i < count; i++) {
    const at = first + (width * i) / count;
    // Up to the next value the column can have: rounding down could put the bound below the first row.
    const offset = (((at - first) % unit) + unit) % unit;
    const bound = offset === 0n ? at : at + unit - offset;
    if (bound > first && bound <= last && bound !== bounds.at(-1)) bounds.push(bound);
  }
  return bounds;
};
