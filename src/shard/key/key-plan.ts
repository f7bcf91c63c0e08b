import { identList, literal } from '../../lib/quote.ts';

const utf8Length = (text: string): number => {
  let bytes = 0;
  for (const c of text) {
    const code = c.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
};

const cut = (text: string, bytes: number): string => {
  let kept = '';
  for (const c of text) {
    if (utf8Length(kept + c) > bytes) break;
    kept += c;
  }
  return kept;
};

/** Names are at most 63 bytes long. */
const LONGEST = 63;

/** As PostgreSQL names constraints: the table, the columns, what it is, and a number if need be. */
export const keyName = (
  table: string,
  columns: readonly string[],
  ending: 'pkey' | 'key' | 'fkey',
  taken: readonly string[],
): string => {
  for (let n = 0; ; n++) {
    const tail = `_${ending}${n === 0 ? '' : n}`;
    const middle = ending === 'pkey' ? '' : columns.join('_');
    const room = LONGEST - utf8Length(tail) - (middle === '' ? 0 : 1);
    // Both give way alike.
    const half = Math.floor(room / 2);
    const first = cut(table, Math.max(half, room - utf8Length(middle)));
    const name = `${first}${middle === '' ? '' : `_${cut(middle, room - utf8Length(first))}`}${tail}`;
    if (!taken.includes(name)) return name;
  }
};

export const uniqueDefinition = (kind: 'p' | 'u', columns: readonly string[]): string =>
  `${kind === 'p' ? 'PRIMARY KEY' : 'UNIQUE'} (${identList(columns)})`;

const ACTIONS: ReadonlyMap<string, string> = new Map([
  ['no action', 'a'],
  ['restrict', 'r'],
  ['cascade', 'c'],
  ['set null', 'n'],
]);

/** The letter of pg_constraint for an action as SQL calls it. */
export const actionOf = (text: string): string | undefined =>
  ACTIONS.get(text.trim().toLowerCase().replaceAll(/\s+/g, ' '));

const spelled = (event: 'UPDATE' | 'DELETE', action: string): string => {
  const [words] = [...ACTIONS].find(([, letter]) => letter === action) ?? ['no action'];
  return action === 'a' ? '' : ` ON ${event} ${words.toUpperCase()}`;
};

export const foreignKeyDefinition = (
  columns: readonly string[],
  referenced: readonly string[],
  onUpdate: string,
  onDelete: string,
): string =>
  `FOREIGN KEY (${identList(columns)}) REFERENCES %s(${identList(referenced)})${spelled('UPDATE', onUpdate)}${spelled('DELETE', onDelete)}`;

/** At the end of the definition of a key that rows from before need not fit. */
export const NOT_VALID = ' NOT VALID';

interface ForeignKeyCall {
  readonly table: string;
  readonly columns: readonly string[];
  readonly target: string;
  readonly referencedColumns: readonly string[];
  readonly onUpdate: string | null;
  readonly onDelete: string | null;
  readonly name: string;
}

const texts = (values: readonly string[]): string => `array[${values.map(literal).join(', ')}]`;

const option = (argument: string, action: string | null): string => {
  const [words] = [...ACTIONS].find(([, letter]) => letter === action) ?? [];
  return action === 'a' || words === undefined ? '' : `, ${argument} => ${literal(words)}`;
};

/** The call that adds a key to a distributed table without asking the rows it has. */
export const foreignKeyCall = (k: ForeignKeyCall): string =>
  `select create_distributed_foreign_key(${literal(k.table)}, ${texts(k.columns)}, ${literal(k.target)}, ${texts(k.referencedColumns)}` +
  `${option('on_delete', k.onDelete)}${option('on_update', k.onUpdate)}, constraint_name => ${literal(k.name)}, not_valid => true);`;
