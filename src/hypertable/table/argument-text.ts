import { hasSqlState, one, subtransaction } from '../../engine/spi.ts';

/** Whether a text is a value of a type of times, lengths of time or integers. */
export const reads = (text: string, type: string): boolean => {
  try {
    subtransaction(() => one(`select $1::text::${type} as value`, [text]));
    return true;
  } catch (e) {
    if (hasSqlState(e, '22007', '22008', '22P02', '22003', '22015')) return false;
    throw e;
  }
};

/** A number alone would be seconds to PostgreSQL: '2024' or '30' is meant for something else. */
export const readsInterval = (text: string): boolean => !/^\s*[+-]?[\d.]+\s*$/.test(text) && reads(text, 'interval');
