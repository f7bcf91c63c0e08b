import { CHANGED_SETTING, PLACES_SETTING, type ChunkKey, type PartNames } from '../hypertable/index.ts';
import { ident, identList, literal, qualified } from '../lib/quote.ts';
import { keyFunctionOf, modifyFunctionOf, type ChunkParts } from './open-chunk.ts';
import { compressedRows, type SegmentsShape } from './segments-ddl.ts';

/** Condition that a segment may hold the key of NEW: equal where it has the value, between the ends where it has those. */
const mayHold = (s: SegmentsShape, key: ChunkKey): string =>
  key.columns
    .map((column) => {
      const n = s.settings.orderBy.findIndex((o) => o.column === column) + 1;
      return n === 0
        ? `c.${ident(column)} = new.${ident(column)}`
        : `c._ts_meta_min_${n} <= new.${ident(column)} and c._ts_meta_max_${n} >= new.${ident(column)}`;
    })
    .join(' and ');

const has = (row: string, key: ChunkKey): string =>
  key.columns.map((c) => `${row}.${ident(c)} = new.${ident(c)}`).join(' and ');

/**
 * Whether a compressed row has the key. In a transaction that changed compressed rows only the loopback connection
 * knows what became of them; in any other the segments that may hold the key are looked through here, at a tenth of
 * the cost.
 */
const check = (parts: ChunkParts, s: SegmentsShape, key: ChunkKey, hold: string): string => `
  if (case when current_setting(${literal(CHANGED_SETTING)}, true) = 'on'
      then exists (select from ${qualified(parts.remote)} r where ${has('r', key)})
      else exists (
        select from (${compressedRows(parts.segments, parts.residue, s, { segment: mayHold(s, key), residue: has('c', key) })}) r
        where ${has('r', key)})
    end)
  then
    -- A row that is held for a moment would fire them.
    if exists (
      select from pg_trigger t where t.tgrelid = tg_relid and t.tgconstraint = 0 and (t.tgtype & 1) = 1
        and t.tgname !~ '^tessera_')
    then
      raise exception using
        errcode = '23505', constraint = ${literal(key.name)}, table = tg_table_name, schema = tg_table_schema,
        message = ${literal(`duplicate key value violates unique constraint "${key.name}"`)},
        detail = 'A compressed row has that key already.';
    end if;
    ${hold}
    return new;
  end if;`;

/** A row whose key is found is held in the tail, where PostgreSQL meets it: an error, or nothing to do. */
export const keyFunctionDdl = (
  parts: ChunkParts,
  names: PartNames,
  s: SegmentsShape,
  columns: readonly string[],
  keys: readonly ChunkKey[],
): string => {
  const tail = `${literal(qualified(parts.tail))}::regclass`;
  // Anybody can set the setting, but only this function writes there.
  const holding = `tail = ${tail} and row_tid = '(0,0)' and held_by = pg_current_xact_id()`;
  const hold = `perform set_config('tessera.holding', 'on', true);
    insert into ${qualified(names.places)} (tail, row_tid) values (${tail}, '(0,0)');
    insert into ${qualified(parts.tail)} (${identList(columns)}) overriding system value
      values (${columns.map((c) => `new.${ident(c)}`).join(', ')}) on conflict do nothing returning ctid into held;
    perform set_config('tessera.holding', '', true);
    delete from ${qualified(names.places)} where ${holding};
    if held is not null then
      insert into ${qualified(names.places)} (tail, row_tid) values (${tail}, held);
      perform set_config(${literal(PLACES_SETTING)}, 'on', true);
    end if;`;
  return `create or replace function ${qualified(keyFunctionOf(parts))}() returns trigger
language plpgsql security definer set search_path to pg_catalog, pg_temp set intervalstyle to 'postgres'
as ${literal(`
declare
  held tid;
begin
  if current_setting('tessera.holding', true) = 'on' and exists (select from ${qualified(names.places)} where ${holding}) then
    return new;
  end if;${keys.map((key) => check(parts, s, key, hold)).join('')}
  return new;
end`)}`;
};

export const keyTriggerDdl = (parts: ChunkParts): string =>
  `create or replace trigger tessera_key before insert on ${qualified(parts.tail)} for each row
   execute function ${qualified(keyFunctionOf(parts))}()`;

export const dropTriggerFunctions = (parts: ChunkParts): string =>
  `drop function if exists ${qualified(keyFunctionOf(parts))}(), ${qualified(modifyFunctionOf(parts))}()`;
