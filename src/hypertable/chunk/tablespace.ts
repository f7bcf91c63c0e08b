import { db, rows } from '../../catalog/kysely.ts';
import type { Slice } from '../../catalog/dimension-slice.ts';
import type { Hypertable } from '../../catalog/hypertable.ts';
import { maybeOne, one } from '../../engine/spi.ts';
import { tablespaceDenied, tablespaceMissing } from './failures.ts';
import type { Relation } from '../table/relation.ts';

export const attachedTablespaces = (h: Hypertable): string[] =>
  rows(db.selectFrom('tablespace').select('tablespace_name').where('hypertable_id', '=', h.id).orderBy('id')).map(
    (r) => r.tablespace_name,
  );

/**
 * Attached tablespaces are taken in turn: by the rank of the hash partition when there is a hash dimension, else by
 * the rank of the slice in time. Without any, that of the root.
 */
export const chooseTablespace = (h: Hypertable, root: Relation, slice: Slice): string | null => {
  const attached = attachedTablespaces(h);
  if (attached.length === 0) return root.tablespace;
  const rank = one<{ n: number }>(
    `select count(*)::int as n from _tessera_catalog.dimension_slice s join _tessera_catalog.dimension d on d.id = s.dimension_id
     where d.hypertable_id = $1 and d.interval_length is not null and s.range_start < $2`,
    [h.id, slice.start],
  ).n;
  return attached[rank % attached.length] ?? null;
};

/** As CREATE TABLE does: the owner needs CREATE on a tablespace, unless it is the one of the database. */
export const requireTablespace = (name: string, owner: string): void => {
  const found = maybeOne<{ ok: boolean }>(
    `select has_tablespace_privilege($1::name, t.oid, 'create')
       or t.oid = (select dattablespace from pg_database where datname = current_database()) as ok
     from pg_tablespace t where t.spcname = $2`,
    [owner, name],
  );
  if (found === undefined) throw tablespaceMissing(name);
  if (!found.ok) throw tablespaceDenied(name, owner);
};
