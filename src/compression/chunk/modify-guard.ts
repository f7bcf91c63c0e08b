import { ident, identList, literal, qualified } from '../../lib/quote.ts';
import { hasKey, keyDiffers, type GuardedKey } from './key-guard.ts';
import { modifyFunctionOf, type ChunkParts } from '../segment/open-chunk.ts';

export interface ModifyShape {
  readonly chunkId: number;
  /** The chunk as a message names it. */
  readonly chunk: string;
  /** Columns that are stored as they are given, not generated. */
  readonly columns: readonly string[];
  readonly keys: readonly GuardedKey[];
  /** Condition on the columns that a row belongs to the chunk. */
  readonly inside: string;
}

const checkKey = (parts: ChunkParts, key: GuardedKey): string => `
  if ${keyDiffers(key)} then
    -- Two who change keys at a time could give two rows the same one.
    lock table ${qualified(parts.residue)} in share row exclusive mode;
    if exists (select from ${qualified(parts.view)} r where ${hasKey('r', key)})
      or exists (select from only ${qualified(parts.tail)} r where ${hasKey('r', key)})
    then
      raise exception using
        errcode = '23505', constraint = ${literal(key.name)},
        message = ${literal(`duplicate key value violates unique constraint "${key.name}"`)},
        detail = 'A row of the compressed chunk has that key already.';
    end if;
  end if;`;

/**
 * Trigger of a decompression view: takes the segment of the row apart and changes the row in the residue. The change
 * counts when the client of the loopback connection commits, whatever becomes of the connection.
 */
export const modifyFunctionDdl = (parts: ChunkParts, s: ModifyShape): string => {
  const residue = qualified(parts.residue);
  const columns = identList(s.columns);
  return `create or replace function ${qualified(modifyFunctionOf(parts))}() returns trigger
language plpgsql set search_path to pg_catalog, pg_temp
as ${literal(`
declare
  mark xid8 := _tessera_functions.writer_xid();
  number int8;
begin
  for attempt in 1 .. 2 loop
    update ${residue} c set _ts_meta_dead = mark
    where c._ts_meta_segment = old._ts_meta_segment and c._ts_meta_row = old._ts_meta_row
      and _tessera_functions.is_done(c._ts_meta_born)
      and (c._ts_meta_dead is null
        or not _tessera_functions.is_done(c._ts_meta_dead) and _tessera_functions.reject_running(c._ts_meta_dead));
    exit when found;
    if attempt = 2 or not _tessera_functions.take_apart(${s.chunkId}, old._ts_meta_segment) then
      -- This command has changed the row already, as a join may make it try twice.
      return null;
    end if;
  end loop;
  if tg_op = 'DELETE' then
    return old;
  end if;
  if not (select coalesce(${s.inside}, true) from (select new.*) r) then
    raise exception using
      errcode = '23514',
      message = ${literal(`new row for relation "${s.chunk}" violates partition constraint`)},
      detail = 'A row of a compressed chunk cannot move to another chunk.',
      hint = 'Delete the row and insert it again, or decompress the chunk.';
  end if;${s.keys.map((key) => checkKey(parts, key)).join('')}
  number := nextval(pg_get_serial_sequence(${literal(qualified(parts.segments))}, '_ts_meta_id'));
  insert into ${residue} (${columns}, _ts_meta_segment, _ts_meta_row, _ts_meta_tid, _ts_meta_born)
  values (${s.columns.map((c) => `new.${ident(c)}`).join(', ')}, number, 1, ('(' || number || ',1)')::tid, mark);
  return new;
end`)}`;
};

export const modifyTriggerDdl = (parts: ChunkParts): string =>
  `create or replace trigger modify_compressed instead of update or delete on ${qualified(parts.view)}
   for each row execute function ${qualified(modifyFunctionOf(parts))}()`;
