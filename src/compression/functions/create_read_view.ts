import { hypertableOid } from '../../catalog/hypertable.ts';
import { request } from '../../catalog/catalog-writer.ts';
import { callAs, currentUser, inMaintenance } from '../../engine/session.ts';
import { maybeOne } from '../../engine/spi.ts';
import { oidOf, openOwnHypertable } from '../../hypertable/index.ts';
import { displayed } from '../../lib/quote.ts';
import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import { notEnabled } from '../segment/failures.ts';
import { makeReaders } from '../chunk/make-readers.ts';
import { findSettings } from '../segment/open-chunk.ts';

export const make_readers = defineFunction({
  schema: '_tessera_functions',
  name: 'make_readers',
  args: [{ name: 'hypertable_id', type: 'integer', doc: 'id in _tessera_catalog.hypertable' }],
  returns: returnsScalar('text'),
  volatility: 'volatile',
  summary: 'The work behind create_read_view(), as the owner of the hypertable.',
  privileges: 'owner of the hypertable',
  handler: (id: number): null => {
    const open = openOwnHypertable(hypertableOid(id) ?? null);
    if (open.root.owner === currentUser()) inMaintenance(() => makeReaders(open.hypertable));
    else callAs(open.root.owner, open.hypertable.associated_schema_name, `_tessera_functions.make_readers(${id})`);
    return null;
  },
});

export const create_read_view = defineFunction({
  schema: 'api',
  name: 'create_read_view',
  args: [{ name: 'hypertable', type: 'regclass', doc: 'a hypertable with compression enabled' }],
  returns: returnsScalar('regclass'),
  volatility: 'volatile',
  summary:
    'Makes the view of schema tessera_read that reads the hypertable, and returns it. set_compression() does so by itself; this is for chunks compressed before 0.6.0, and for a view that was dropped.',
  errors: 'TS001 not a hypertable, 0A000 compression is not enabled',
  privileges: 'owner of the hypertable',
  locks: 'none on the hypertable; ACCESS EXCLUSIVE on the view',
  handler: (table: string | null): string | null => {
    const open = openOwnHypertable(oidOf(table));
    if (findSettings(open.hypertable.id) === undefined) throw notEnabled(displayed(open.root));
    if (open.root.owner === currentUser()) inMaintenance(() => makeReaders(open.hypertable));
    else
      callAs(
        open.root.owner,
        open.hypertable.associated_schema_name,
        `_tessera_functions.make_readers(${open.hypertable.id})`,
      );
    request('build_read_view', { hypertable_id: open.hypertable.id });
    return (
      maybeOne<{ name: string }>(
        `select relation::text as name from _tessera_catalog.read_view where hypertable_id = $1`,
        [open.hypertable.id],
      )?.name ?? null
    );
  },
});
