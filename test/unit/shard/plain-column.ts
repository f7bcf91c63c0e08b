import type { Column } from '../../../src/shard/table/shard-ddl.ts';

/** What an integer column has that nothing was said about. */
export const PLAIN: Omit<Column, 'number' | 'name'> = {
  type: 'integer',
  collation: null,
  notNull: false,
  generated: null,
  compression: null,
  storage: 'plain',
  usualStorage: 'plain',
  target: null,
  options: [],
};
