/** Deterministic numbers below 2^32 (xorshift, Marsaglia 2003). */
export const random = (seed: number): (() => number) => {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
};
