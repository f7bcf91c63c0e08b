import { ident, literal, qualified, type RelationName } from '../../lib/quote.ts';

/** Names of the parts of a hypertable that are not chunks. */
export interface PartNames {
  readonly defaultPartition: RelationName;
  readonly pending: RelationName;
  readonly placeFunction: RelationName;
  readonly places: RelationName;
  readonly noted: RelationName;
}

interface Association {
  readonly associated_schema_name: string;
  readonly associated_table_prefix: string;
}

const named = (h: Association, suffix: string): RelationName => ({
  schema: h.associated_schema_name,
  name: `${h.associated_table_prefix}_${suffix}`,
});

export const partNames = (h: Association): PartNames => ({
  defaultPartition: named(h, 'default'),
  pending: named(h, 'pending'),
  placeFunction: named(h, 'place'),
  places: named(h, 'places'),
  noted: named(h, 'noted'),
});

export const chunkName = (h: Association, chunkId: number): RelationName => named(h, `${chunkId}_chunk`);
/** The partition of one time slice that is itself divided by hash; its leaves are the chunks. */
export const spaceSliceName = (h: Association, chunkId: number): RelationName => named(h, `${chunkId}_slice`);

export interface StorageOptions {
  readonly reloptions: readonly string[] | null;
  readonly tablespace: string | null;
}

const withClause = (reloptions: readonly string[] | null): string => {
  if (reloptions === null || reloptions.length === 0) return '';
  const options = reloptions.map((o) => {
    const at = o.indexOf('=');
    return `${o.slice(0, at)} = ${literal(o.slice(at + 1))}`;
  });
  return ` with (${options.join(', ')})`;
};

const LIKE = 'including defaults including generated including constraints including storage including compression';

/** A table of the shape of the root, ready to be filled and attached. Indexes come with ATTACH, built by sorting. */
export const createChunkTable = (chunk: RelationName, root: RelationName, storage: StorageOptions): string =>
  `create table ${qualified(chunk)} (like ${qualified(root)} ${LIKE})${withClause(storage.reloptions)}` +
  (storage.tablespace === null ? '' : ` tablespace ${ident(storage.tablespace)}`);

export const createSpaceSliceTable = (
  slice: RelationName,
  root: RelationName,
  column: string,
  indexed: boolean,
): string =>
  `create table ${qualified(slice)} (like ${qualified(root)} ${LIKE}${indexed ? ' including indexes' : ''}) partition by hash (${ident(column)})`;

/** A chunk that is itself divided, by the value of an expression. */
export const createListChunk = (
  chunk: RelationName,
  parent: RelationName,
  bounds: string,
  expression: string,
): string =>
  `create table ${qualified(chunk)} partition of ${qualified(parent)} ${bounds} partition by list ((${expression}))`;

export const createHashPartition = (
  leaf: RelationName,
  parent: RelationName,
  modulus: number,
  remainder: number,
  storage: StorageOptions,
): string =>
  `create table ${qualified(leaf)} partition of ${qualified(parent)} for values with (modulus ${modulus}, remainder ${remainder})` +
  withClause(storage.reloptions) +
  (storage.tablespace === null ? '' : ` tablespace ${ident(storage.tablespace)}`);

export const attachPartition = (root: RelationName, partition: RelationName, bounds: string): string =>
  `alter table ${qualified(root)} attach partition ${qualified(partition)} ${bounds}`;

/** Setting that is 'on' while this transaction has already noted that rows wait in the default partition. */
export const notedSetting = (hypertableId: number): string => `tessera.noted_${hypertableId}`;

/** Setting that is 'on' while this transaction has truncated the hypertable and its chunks are still there. */
export const truncatedSetting = (hypertableId: number): string => `tessera.truncated_${hypertableId}`;

/**
 * The function belongs to the owner of the hypertable and runs as him, whoever inserts. It goes on working, without
 * creating chunks, after the extension was dropped.
 */
export const placeFunctionDdl = (hypertableId: number, parts: PartNames): string => `
create or replace function ${qualified(parts.placeFunction)}() returns trigger
language plpgsql security definer set search_path to pg_catalog, pg_temp
as $place$
declare
  place record;
begin
  if tg_argv[0] = 'assign' then
    perform pg_current_xact_id(), set_config(${literal(CHANGED_SETTING)}, 'on', true);
    return null;
  end if;
  if tg_argv[0] = 'truncate' then
    if exists (select from pg_partition_tree(tg_relid) t join pg_class c on c.oid = t.relid where c.relkind = 'f') then
      raise exception using
        errcode = '0A000',
        message = format('cannot truncate "%s" because it has compressed chunks', tg_relid::regclass),
        hint = format('Run: select truncate_hypertable(%L);', pg_partition_root(tg_relid));
    end if;
    return null;
  end if;
  if tg_argv[0] = 'clear' then
    perform set_config(${literal(PLACES_SETTING)}, '', true);
    for place in
      execute ${literal(`delete from ${qualified(parts.places)} where held_by = pg_current_xact_id() returning tail, row_tid`)}
    loop
      execute format('delete from only %s where ctid = $1', place.tail) using place.row_tid;
    end loop;
    return null;
  end if;
  if tg_argv[0] = 'noted' then
    execute ${literal(`select min(low)::text as low, max(high)::text as high from ${qualified(parts.noted)} where hypertable_id = ${hypertableId}`)} into place;
    if place.low is not null then
      perform set_config('tessera.lo_${hypertableId}_c', place.low, true), set_config('tessera.hi_${hypertableId}_c', place.high, true),
        _tessera_functions.note_time(${hypertableId});
    end if;
    return null;
  end if;
  if tg_argv[0] = 'truncated' then
    perform set_config(${literal(truncatedSetting(hypertableId))}, 'on', true);
    ${`insert into ${qualified(parts.pending)} default values`};
    return null;
  end if;
  if tg_argv[0] = 'note' then
    execute format('insert into %I.%I default values', tg_table_schema, ${literal(parts.pending.name)});
    return null;
  end if;
  perform set_config(${literal(notedSetting(hypertableId))}, '', true);
  if to_regprocedure('_tessera_functions.place_rows(integer)') is not null then
    perform _tessera_functions.place_rows(${hypertableId});
  else
    execute format('delete from %I.%I where noted_by = pg_current_xact_id()', tg_table_schema, tg_table_name);
  end if;
  return null;
end
$place$`;

/** postgres_fdw would try to truncate a view. */
export const truncateTriggerDdl = (table: RelationName, parts: PartNames): string =>
  `create or replace trigger tessera_truncate before truncate on ${qualified(table)} for each statement
   execute function ${qualified(parts.placeFunction)}('truncate')`;

/** 'on' once a statement of this transaction may have changed compressed rows. */
export const CHANGED_SETTING = 'tessera.changed_compressed';
/** 'on' while rows stand in the tail of a compressed chunk for such as have their key in its segments. */
export const PLACES_SETTING = 'tessera.places_held';

/**
 * A row whose key a compressed row has already must meet it in the index of the heap it is inserted into, because ON
 * CONFLICT DO NOTHING looks nowhere else. So a row with that key is held there until the statement ends.
 */
export const placesDdl = (parts: PartNames): string[] => [
  `create table ${qualified(parts.places)} (tail regclass not null, row_tid tid not null, held_by xid8 not null default pg_current_xact_id())`,
  `alter table ${qualified(parts.places)} replica identity full`,
];

export const clearTriggerDdl = (table: RelationName, parts: PartNames): string =>
  `create or replace trigger tessera_clear after insert on ${qualified(table)} for each statement
   when (current_setting('${PLACES_SETTING}', true) = 'on') execute function ${qualified(parts.placeFunction)}('clear')`;

/**
 * Changes of compressed rows are carried out over another connection and carry the transaction that makes them, which
 * must have a number by then.
 */
export const assignTriggerDdl = (table: RelationName, parts: PartNames): string =>
  `create or replace trigger tessera_assign before update or delete on ${qualified(table)} for each statement
   execute function ${qualified(parts.placeFunction)}('assign')`;

/**
 * An ordinary AFTER ROW trigger keeps COPY's multi-insert. Its WHEN runs once per row, in C: the first row of a
 * transaction sets the flag and fires, the others see the flag. ATTACH is not possible while a trigger of the default
 * partition itself runs, so the deferred trigger sits on a table of its own.
 *
 * A row of that table which is left after commit says that the default partition holds, or held, row versions others
 * may see: see fresh-heap.ts. So both triggers fire for replicated rows as well, and the table is logged.
 */
export const placeTriggersDdl = (hypertableId: number, parts: PartNames): string[] => {
  const setting = literal(notedSetting(hypertableId));
  return [
    `create table ${qualified(parts.pending)} (noted_by xid8 not null default pg_catalog.pg_current_xact_id())`,
    // A publication of all tables would refuse the deletion of marks otherwise.
    `alter table ${qualified(parts.pending)} replica identity full`,
    `create trigger tessera_note after insert on ${qualified(parts.defaultPartition)} for each row
       when (current_setting(${setting}, true) is distinct from 'on' and set_config(${setting}, 'on', true) = 'on')
       execute function ${qualified(parts.placeFunction)}('note')`,
    `create constraint trigger tessera_place after insert on ${qualified(parts.pending)}
       deferrable initially deferred for each row execute function ${qualified(parts.placeFunction)}('place')`,
    `alter table ${qualified(parts.defaultPartition)} enable always trigger tessera_note`,
    `alter table ${qualified(parts.pending)} enable always trigger tessera_place`,
  ];
};

/** A partition cannot be dropped while TRUNCATE has it open, but at commit, when a row of the pending table asks for it. */
export const truncatedTriggerDdl = (root: RelationName, parts: PartNames): readonly [string, string] => [
  `create or replace trigger ${TRUNCATED_TRIGGER} after truncate on ${qualified(root)} for each statement
     execute function ${qualified(parts.placeFunction)}('truncated')`,
  `alter table only ${qualified(root)} enable always trigger ${TRUNCATED_TRIGGER}`,
];
export const TRUNCATED_TRIGGER = 'tessera_truncated';
