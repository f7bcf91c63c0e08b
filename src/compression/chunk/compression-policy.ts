import { findPolicy } from '../../jobs/index.ts';
import {
  lagBound,
  resolveBounds,
  selectChunks,
  type Config,
  type OpenHypertable,
  type SelectedChunk,
} from '../../hypertable/index.ts';
import { badPolicyConfig } from './failures.ts';
import { findCompressed } from '../segment/open-chunk.ts';
import { needsRecompression } from './recompress-chunk.ts';

export interface PlannedChunk extends SelectedChunk {
  readonly action: 'compress' | 'recompress';
}

const isLag = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number';

const oldEnough = ({ hypertable }: OpenHypertable, config: Config): SelectedChunk[] => {
  if (isLag(config?.compress_after))
    return selectChunks(hypertable, {
      older: lagBound(hypertable, config.compress_after),
      newer: null,
      before: null,
      after: null,
    });
  if (typeof config?.compress_created_before !== 'string')
    throw badPolicyConfig('It has neither "compress_after" nor "compress_created_before".');
  return selectChunks(
    hypertable,
    resolveBounds(hypertable, {
      type: 'interval',
      older_than: null,
      newer_than: null,
      created_before: config.compress_created_before,
      created_after: null,
    }),
  );
};

/** Raises an error for a limit or switch that a run could not follow. */
export const checkOptions = (config: Config): void => {
  const most = config?.maxchunks_to_compress ?? 0;
  if (!Number.isInteger(most) || Number(most) < 0)
    throw badPolicyConfig('"maxchunks_to_compress" is not a whole number; 0 means all chunks.');
  for (const name of ['recompress', 'verbose_log'])
    if (typeof (config?.[name] ?? false) !== 'boolean') throw badPolicyConfig(`"${name}" is neither true nor false.`);
};

/** What the policy has to do now, oldest chunk first. */
export const chunksToCompress = (open: OpenHypertable, config: Config): PlannedChunk[] => {
  const most = config?.maxchunks_to_compress;
  const limit = typeof most === 'number' && most > 0 ? most : Number.POSITIVE_INFINITY;
  const planned: PlannedChunk[] = [];
  for (const chunk of oldEnough(open, config)) {
    if (planned.length >= limit) break;
    const compressed = findCompressed(chunk.id);
    if (compressed === undefined) planned.push({ ...chunk, action: 'compress' });
    else if (config?.recompress !== false && needsRecompression(compressed))
      planned.push({ ...chunk, action: 'recompress' });
  }
  return planned;
};

export const findPolicyOf = ({ hypertable }: OpenHypertable): boolean =>
  findPolicy('policy_compression', hypertable.id) !== undefined;
