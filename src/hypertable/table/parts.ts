import type { Hypertable } from '../../catalog/hypertable.ts';
import { request } from '../../catalog/catalog-writer.ts';

/**
 * Has the catalog note by OID which tables and functions were made for the hypertable beside its partitions. Whoever acts
 * with the rights of the owner of the extension later touches these, and nothing that merely has such a name.
 */
export const recordParts = (h: Pick<Hypertable, 'id'>): void => request('record_parts', { hypertable_id: h.id });
