import { request } from '../../catalog/catalog-writer.ts';
import { currentUser, inMaintenance } from '../../engine/session.ts';
import { maybeOne, notice, one, run, warning } from '../../engine/spi.ts';
import {
  assignTriggerDdl,
  clearTriggerDdl,
  chunkKeys,
  demoteKeys,
  partNames,
  placeFunctionDdl,
  placesDdl,
  truncateTriggerDdl,
  promoteKeys,
  recordParts,
  readGroupedViews,
  readIncomingForeignKeys,
  readSamplers,
  rootKeys,
  timeDimension,
  type ChunkKey,
  type OpenHypertable,
} from '../../hypertable/index.ts';
import { displayed, ident, qualified } from '../../lib/quote.ts';
import { foreignKeyOutside, keyColumnsOutside, stillCompressed, stillScheduled, tableHas } from './failures.ts';
import { findSettings } from '../segment/open-chunk.ts';
import { readTableColumns } from '../segment/read-columns.ts';
import { planSettings, type CompressionSettings, type OrderColumn } from '../settings/settings-plan.ts';

const checkTable = ({ root }: OpenHypertable): void => {
  const name = displayed(root);
  const facts = one<{ rls: boolean; exclusion: string | null; trigger: string | null; collecting: string | null }>(
    `select c.relrowsecurity as rls,
       (select conname from pg_constraint where conrelid = c.oid and contype = 'x' limit 1) as exclusion,
       (select tgname from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal
          and (t.tgconstraint <> 0 or t.tgdeferrable) limit 1) as trigger,
       (select tgname from pg_trigger t where t.tgrelid = c.oid and t.tgtype & 24 > 0
          and (t.tgnewtable is not null or t.tgoldtable is not null) limit 1) as collecting
     from pg_class c where c.oid = $1::int8::oid`,
    [root.oid],
  );
  if (facts.rls) throw tableHas(name, 'It has row-level security.');
  if (facts.exclusion !== null) throw tableHas(name, `It has the exclusion constraint "${facts.exclusion}".`);
  if (facts.trigger !== null) throw tableHas(name, `Its trigger "${facts.trigger}" is a constraint trigger.`);
  if (facts.collecting !== null)
    throw tableHas(
      name,
      `Its trigger "${facts.collecting}" has a transition table, and changes of compressed rows are not collected.`,
      'Make it a trigger FOR EACH ROW.',
    );
  const [sampler] = readSamplers(root.oid);
  if (sampler !== undefined)
    throw tableHas(
      name,
      `PostgreSQL would leave TABLESAMPLE out of ${sampler}, and take all rows.`,
      `Write in its place: (select * from ${name} where random() < 0.1)`,
    );
  const [view] = readGroupedViews(root.oid);
  if (view !== undefined)
    throw tableHas(
      name,
      `View "${view}" groups by its key and names other columns; the key goes to the chunks.`,
      `Have the view name these columns in GROUP BY: create or replace view ${view} as ...`,
    );
  const incoming = readIncomingForeignKeys(root.oid)[0];
  if (incoming !== undefined)
    throw tableHas(
      name,
      `Foreign key "${incoming.name}" of table "${incoming.child}" points at it.`,
      'Drop that foreign key.',
    );
};

const checkKeys = (table: string, keys: readonly ChunkKey[], settings: CompressionSettings): void => {
  const known = new Set([...settings.segmentBy, ...settings.orderBy.map((o) => o.column)]);
  for (const key of keys) {
    if (key.kind === 'f') {
      const outside = key.columns.find((c) => !settings.segmentBy.includes(c));
      if (outside !== undefined) throw foreignKeyOutside(key.name, outside);
      continue;
    }
    if (key.columns.includes('') || / WHERE \(/.test(key.definition) || /NULLS NOT DISTINCT/.test(key.definition))
      throw tableHas(
        table,
        `Its unique index "${key.name}" is partial, over expressions, or takes nulls for equal.`,
        'Drop that index, or make it one of plain columns.',
      );
    if (/ DEFERRABLE/.test(key.definition))
      throw tableHas(
        table,
        `Its key "${key.name}" is deferrable.`,
        'Drop that key, and add it again without DEFERRABLE.',
      );
    const outside = key.columns.filter((c) => !known.has(c));
    if (outside.length > 0) throw keyColumnsOutside(key.name, outside);
  }
};

/** As SQL has it, so that it can be given back as an option. */
export const orderByText = (list: readonly OrderColumn[]): string =>
  list
    .map((o) => `${ident(o.column)} ${o.descending ? 'desc' : 'asc'} nulls ${o.nullsFirst ? 'first' : 'last'}`)
    .join(', ');
const segmentByText = (list: readonly string[]): string => list.map(ident).join(', ');

const compressedChunks = (hypertableId: number): number =>
  one<{ n: number }>(
    `select count(*)::int as n from _tessera_catalog.compression_settings where hypertable_id = $1 and chunk_id is not null`,
    [hypertableId],
  ).n;

const same = (a: CompressionSettings, b: CompressionSettings): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Sets how the hypertable compresses from now on; an option that is null stays as it is. */
export const enableCompression = (open: OpenHypertable, segmentBy: string | null, orderBy: string | null): void => {
  const { hypertable, root } = open;
  const before = findSettings(hypertable.id);
  checkTable(open);
  const settings = planSettings({
    table: displayed(root),
    columns: readTableColumns(root.oid, null),
    timeColumn: timeDimension(hypertable).column_name,
    segmentBy: segmentBy ?? (before === undefined ? null : segmentByText(before.segmentBy)),
    orderBy: orderBy ?? (before === undefined ? null : orderByText(before.orderBy)),
  });
  const known = before === undefined ? rootKeys(root.oid) : chunkKeys(hypertable.id);
  checkKeys(displayed(root), known, settings);
  if (before !== undefined && same(before, settings)) return;
  inMaintenance(() => {
    if (before === undefined) {
      const keys = demoteKeys(open);
      for (const key of keys.filter((k) => k.kind !== 'f'))
        notice(`key "${key.name}" is kept by each chunk; ON CONFLICT cannot name it any more`);
    }
    if (before === undefined) {
      const parts = partNames(hypertable);
      // A hypertable of an earlier version has a function that does not know what is asked of it here.
      run(placeFunctionDdl(hypertable.id, parts));
      run(assignTriggerDdl(root, parts));
      for (const ddl of placesDdl(parts)) run(ddl);
      if (root.owner !== currentUser()) run(`alter table ${qualified(parts.places)} owner to ${ident(root.owner)}`);
      run(clearTriggerDdl(root, parts));
      run(truncateTriggerDdl(root, parts));
    }
    recordParts(hypertable);
    request('set_compression', {
      hypertable_id: hypertable.id,
      segmentby: settings.segmentBy,
      orderby: settings.orderBy,
    });
    run('select _tessera_functions.guard_table($1::int8::oid)', [root.oid]);
  });
  if (before !== undefined && compressedChunks(hypertable.id) > 0)
    warning(
      'chunks that are compressed already keep the segments they have; decompress and compress them to change that',
    );
};

export const disableCompression = (open: OpenHypertable): void => {
  const { hypertable, root } = open;
  if (findSettings(hypertable.id) === undefined) return;
  const count = compressedChunks(hypertable.id);
  if (count > 0) throw stillCompressed(displayed(root), count);
  const policy = maybeOne(
    `select from _tessera_catalog.bgw_job where hypertable_id = $1 and proc_name = 'policy_compression'`,
    [hypertable.id],
  );
  if (policy !== undefined) throw stillScheduled(displayed(root));
  inMaintenance(() => {
    promoteKeys(open);
    for (const trigger of ['tessera_assign', 'tessera_clear', 'tessera_truncate'])
      run(`drop trigger if exists ${trigger} on ${qualified(root)}`);
    run(`drop table if exists ${qualified(partNames(hypertable).places)}`);
    request('set_compression', { hypertable_id: hypertable.id, segmentby: [], orderby: null });
    run('select _tessera_functions.guard_table($1::int8::oid)', [root.oid]);
  });
};
