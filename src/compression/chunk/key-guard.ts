import { CHANGED_SETTING, PLACES_SETTING, type KeyColumn, type PartNames } from '../../hypertable/index.ts';
import { ident, identList, literal, qualified } from '../../lib/quote.ts';
import { keyFunctionOf, modifyFunctionOf, type ChunkParts } from '../segment/open-chunk.ts';
import { compressedRows, type SegmentsShape } from '../segment/segments-ddl.ts';

/** A key as the guards need it. */
export interface GuardedKey {
  readonly name: string;
  readonly columns: readonly KeyColumn[];
}

const equal = (row: string, c: KeyColumn): string =>
  `${row}.${ident(c.column)}${c.collation} ${c.equals} new.${ident(c.column)}`;

/** Condition that a row has the key of NEW, as the index of the key sees it. */
export const hasKey = (row: string, key: GuardedKey): string => key.columns.map((c) => equal(row, c)).join(' and ');

export const keyDiffers = (key: GuardedKey): string =>
  key.columns.map((c) => `old.${ident(c.column)} is distinct from new.${ident(c.column)}`).join(' or ');

/** Condition that a segment may hold the key of NEW: equal where it has the value, between the ends where it has those. */
const mayHold = (s: SegmentsShape, key: GuardedKey): string => {
  const conditions = key.columns.flatMap((c) => {
    const n = s.settings.orderBy.findIndex((o) => o.column === c.column) + 1;
    if (n === 0) return [equal('c', c)];
    if (c.atMost === null || c.atLeast === null || c.collation !== '') return [];
    const value = `new.${ident(c.column)}`;
    return [`c._ts_meta_min_${n} ${c.atMost} ${value} and c._ts_meta_max_${n} ${c.atLeast} ${value}`];
  });
  return conditions.length === 0 ? 'true' : conditions.join(' and ');
};

/**
 * Whether a compressed row has the key of NEW. In a transaction that changed compressed rows only the loopback
 * connection knows what became of them; in any other the segments that may hold the key are looked through here, at a
 * tenth of the cost.
 */
const isTaken = (parts: ChunkParts, s: SegmentsShape, key: GuardedKey): string =>
  `(case when current_setting(${literal(CHANGED_SETTING)}, true) = 'on'
      then exists (select from ${qualified(parts.remote)} r where ${hasKey('r', key)})
      else exists (
        select from (${compressedRows(parts.segments, parts.residue, s, { segment: mayHold(s, key), residue: hasKey('c', key) })}) r
        where ${hasKey('r', key)})
    end)`;

const refuse = (key: GuardedKey): string => `raise exception using
        errcode = '23505', constraint = ${literal(key.name)}, table = tg_table_name, schema = tg_table_schema,
        message = ${literal(`duplicate key value violates unique constraint "${key.name}"`)},
        detail = 'A compressed row has that key already.';`;

/**
 * 'on' where keys of new rows are looked for after the INSERT. Whether there are triggers of the user is asked once a row, before it;
 * a row without such costs no second call.
 */
const lateSetting = (chunkId: number): string => `tessera.late_key_${chunkId}`;

/**
 * Before an INSERT, a row whose key is found is held in the tail, where PostgreSQL meets it: an error, or nothing to do.
 * Triggers of the user would fire for the row that is held, and may give another key afterwards; so where there are
 * any, and after every UPDATE, the key is looked for when the row is what it is to be.
 */
export const keyFunctionDdl = (
  parts: ChunkParts,
  chunkId: number,
  names: PartNames,
  s: SegmentsShape,
  columns: readonly string[],
  keys: readonly GuardedKey[],
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
  by_user bool;
begin
  if tg_when = 'BEFORE' then
    by_user := exists (
      select from pg_trigger t where t.tgrelid = tg_relid and t.tgconstraint = 0 and (t.tgtype & 1) = 1 and t.tgname !~ '^tessera_');
    if by_user <> coalesce(current_setting(${literal(lateSetting(chunkId))}, true) = 'on', false) then
      perform set_config(${literal(lateSetting(chunkId))}, case when by_user then 'on' else '' end, true);
    end if;
    if by_user
      or current_setting('tessera.holding', true) = 'on' and exists (select from ${qualified(names.places)} where ${holding})
    then
      return new;
    end if;
  else${keys
    .map(
      (key) => `
    if (tg_op = 'INSERT' or ${keyDiffers(key)}) and ${isTaken(parts, s, key)} then
      ${refuse(key)}
    end if;`,
    )
    .join('')}
    return null;
  end if;${keys
    .map(
      (key) => `
  if ${isTaken(parts, s, key)} then
    ${hold}
    return new;
  end if;`,
    )
    .join('')}
  return new;
end`)}`;
};

export const keyTriggerDdl = (parts: ChunkParts, chunkId: number): string[] =>
  [
    ['tessera_key', 'before insert', ''],
    ['tessera_key_after', 'after update', ''],
    ['tessera_key_late', 'after insert', `when (current_setting(${literal(lateSetting(chunkId))}, true) = 'on')`],
  ].map(
    ([name, event, when]) =>
      `create or replace trigger ${name} ${event} on ${qualified(parts.tail)} for each row ${when}
       execute function ${qualified(keyFunctionOf(parts))}()`,
  );

export const dropTriggerFunctions = (parts: ChunkParts): string =>
  `drop function if exists ${qualified(keyFunctionOf(parts))}(), ${qualified(modifyFunctionOf(parts))}()`;
