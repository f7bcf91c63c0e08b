/** How a table is to be spread. */
export interface Distribution {
  readonly column: string | null;
  readonly with: string;
  readonly shardCount: number | null;
}
