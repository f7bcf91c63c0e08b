import { request } from '../../catalog/catalog-writer.ts';
import { maybeOne, query, run } from '../../engine/spi.ts';
import { oidOf } from '../../hypertable/index.ts';
import { displayed, ident, qualified } from '../../lib/quote.ts';
import { columnCodec } from '../segment/column-codec.ts';
import { encoding, guardKeys, letModify } from '../chunk/compress-chunk.ts';
import { cannotAlter, checkViolated, columnNeeded, containsNulls } from './failures.ts';
import { holdersOf, rangeOf, shapeOf, type Compressed, type OpenChunk } from '../segment/open-chunk.ts';
import { readerDdl } from '../segment/reader-ddl.ts';
import { settleChunk } from '../chunk/settle-chunk.ts';
import type { TableColumn } from '../segment/read-columns.ts';
import { createHolder, createRowsView, type SegmentsShape } from '../segment/segments-ddl.ts';

interface KnownColumn {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
}

/** The residue has the columns of the root as they were when this was last looked at. */
const knownColumns = ({ parts }: Compressed): KnownColumn[] =>
  query<KnownColumn>(
    `select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as "notNull" from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attname !~ '^_ts_meta_' order by attnum`,
    [qualified(parts.residue)],
  );

interface CheckRow {
  readonly name: string;
  readonly definition: string;
  readonly expression: string;
}

const checksOf = (table: bigint): CheckRow[] =>
  query<CheckRow>(
    `select conname as name, pg_get_constraintdef(oid) as definition, pg_get_expr(conbin, conrelid) as expression
     from pg_constraint where conrelid = $1::int8::oid and contype = 'c' and convalidated order by conname`,
    [table],
  );

const anyRow = ({ parts }: Compressed, condition: string): boolean =>
  maybeOne(`select from ${qualified(parts.view)} where ${condition} limit 1`) !== undefined;

/** A payload is null where all values are, and its header says whether some are. What is dead was deleted before. */
const hasNulls = ({ parts, settings }: Compressed, column: TableColumn): boolean => {
  const name = ident(column.name);
  const inPayload =
    column.native === null
      ? ` or get_byte(${name}, 3) & 1 = 1`
      : ` or exists (select from unnest(${name}) u(x) where ${column.native.holder ? '(u.x).v' : 'u.x'} is not distinct from null)`;
  const inSegments = `${name} is null${settings.segmentBy.includes(column.name) ? '' : inPayload}`;
  return (
    maybeOne(`select from ${qualified(parts.segments)} where ${inSegments} limit 1`) !== undefined ||
    maybeOne(`select from ${qualified(parts.residue)} where ${name} is null limit 1`) !== undefined
  );
};

/** Existing rows get what PostgreSQL gives those of a heap: the default, evaluated now. */
const addColumn = (chunk: OpenChunk, { parts }: Compressed, column: TableColumn): void => {
  const fact = maybeOne<{ expression: string | null; identity: boolean }>(
    `select pg_get_expr(d.adbin, d.adrelid) as expression, a.attidentity <> '' as identity
     from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attrelid = $1::int8::oid and a.attname = $2`,
    [chunk.root.oid, column.name],
  );
  if (column.generated || fact?.identity === true)
    throw cannotAlter(
      displayed(chunk.relation),
      `Column "${column.name}" would have to be computed for compressed rows.`,
    );
  const expression = fact?.expression ?? null;
  if (expression === null && column.notNull) throw containsNulls(column.name, displayed(chunk.relation));
  for (const ddl of createHolder(column)) run(ddl);
  run(`alter table ${qualified(parts.segments)} add column ${ident(column.name)} ${columnCodec(column).stored}`);
  const collation = column.collation === null ? '' : ` collate ${column.collation}`;
  run(
    `alter table ${qualified(parts.residue)} add column ${ident(column.name)} ${column.type}${collation}${
      expression === null ? '' : ` default ${expression}`
    }`,
  );
  if (expression === null) return;
  encoding(() =>
    run(
      `update ${qualified(parts.segments)} c
       set ${ident(column.name)} = (select ${columnCodec(column).encode(expression)} from generate_series(1, c._ts_meta_count))`,
    ),
  );
  run(`alter table ${qualified(parts.residue)} alter column ${ident(column.name)} drop default`);
};

const rebuildView = (chunk: OpenChunk, compressed: Compressed, s: SegmentsShape): void => {
  const { parts } = compressed;
  const view = { ...parts, chunkId: chunk.id, generation: compressed.generation + 1n };
  run(createRowsView(view, s));
  for (const ddl of readerDdl(view, s, rangeOf(chunk))) run(ddl);
  letModify(chunk, parts);
  guardKeys(chunk, parts, s);
  request('recompress_chunk', { hypertable_id: chunk.hypertable.id, chunk_id: chunk.id });
};

const syncChecks = (chunk: OpenChunk, compressed: Compressed): void => {
  const residue = qualified(compressed.parts.residue);
  const [wanted, known] = [checksOf(chunk.root.oid), checksOf(oidOf(residue) ?? 0n)];
  for (const k of known)
    if (!wanted.some((w) => w.name === k.name)) run(`alter table ${residue} drop constraint ${ident(k.name)}`);
  for (const w of wanted) {
    if (known.some((k) => k.name === w.name)) continue;
    if (anyRow(compressed, `not (${w.expression})`)) throw checkViolated(w.name, displayed(chunk.relation));
    run(`alter table ${residue} add constraint ${ident(w.name)} ${w.definition}`);
  }
};

/** Does to the segments of a chunk what ALTER TABLE did to the columns and checks of the root. */
export const syncChunk = (chunk: OpenChunk, compressed: Compressed): void => {
  const { parts, settings, bounds } = compressed;
  const s = shapeOf(chunk, settings, bounds, parts.segments);
  const known = knownColumns(compressed);
  settleChunk(compressed);
  const find = (name: string): KnownColumn | undefined => known.find((k) => k.name === name);
  const gone = known.filter((k) => !s.columns.some((c) => c.name === k.name));
  const added = s.columns.filter((c) => find(c.name) === undefined);
  const needed = gone.find(
    (g) => settings.segmentBy.includes(g.name) || settings.orderBy.some((o) => o.column === g.name),
  );
  if (needed !== undefined) throw columnNeeded(needed.name);
  for (const c of s.columns) {
    const before = find(c.name);
    if (before === undefined) continue;
    if (before.type !== c.type)
      throw cannotAlter(
        displayed(chunk.relation),
        `The type of column "${c.name}" cannot change from ${before.type} to ${c.type}.`,
      );
    if (c.notNull && !before.notNull && hasNulls(compressed, c)) throw containsNulls(c.name, displayed(chunk.relation));
  }
  const changed = s.columns.filter((c) => find(c.name) !== undefined && find(c.name)?.notNull !== c.notNull);
  if (gone.length + added.length + changed.length > 0) {
    run(`drop view if exists ${qualified(parts.view)}, ${qualified(parts.reader)}`);
    const holders = holdersOf(parts.segments);
    // DROP TYPE ... CASCADE has taken them already.
    for (const g of gone)
      for (const table of [parts.segments, parts.residue])
        run(`alter table ${qualified(table)} drop column if exists ${ident(g.name)}`);
    const kept = holdersOf(parts.segments);
    for (const holder of holders) if (!kept.includes(holder)) run(`drop type ${holder}`);
    for (const c of added) addColumn(chunk, compressed, c);
    for (const c of s.columns)
      if (find(c.name)?.notNull !== c.notNull)
        run(
          `alter table ${qualified(parts.residue)} alter column ${ident(c.name)} ${c.notNull ? 'set' : 'drop'} not null`,
        );
    rebuildView(chunk, compressed, s);
    request('repair_chunk', {
      hypertable_id: chunk.hypertable.id,
      chunk_id: chunk.id,
      rows_view: oidOf(qualified(parts.view)),
      reader: oidOf(qualified(parts.reader)),
    });
  }
  syncChecks(chunk, compressed);
};
