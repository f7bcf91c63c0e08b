import { request } from '../../catalog/catalog-writer.ts';
import { inMaintenance } from '../../engine/session.ts';
import { query, run } from '../../engine/spi.ts';
import { literal, qualified } from '../../lib/quote.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { badStorageOption } from '../create/failures.ts';
import { nullArgument } from '../../lib/failures.ts';
import { oidOf, openOwnHypertable } from '../dimension/open-hypertable.ts';

const NAME = /^[a-z_]+(\.[a-z_]+)?$/;

/** What holds rows, or will: chunks, the default partition, and what compressed chunks have for late rows. */
const heapsOf = (root: bigint, id: number): string[] =>
  query<{ name: string }>(
    `select c.oid::regclass::text as name
     from (
       select t.relid::oid as oid from pg_partition_tree($1::int8::oid) t
       union
       select k.tail::oid from _tessera_catalog.compressed_chunk k join _tessera_catalog.chunk c on c.id = k.chunk_id
       where c.hypertable_id = $2) p
     join pg_class c on c.oid = p.oid and c.relkind = 'r' order by c.oid`,
    [root, id],
  ).map((r) => r.name);

const checkedName = (name: string | null | undefined, given: string | null): string => {
  if (name === null || name === undefined || !NAME.test(name)) throw badStorageOption(given);
  return name;
};

/** The name in name=value, as pg_class.reloptions has them. */
const nameOf = (option: string | null): string => checkedName(option?.match(/^([^=]*)=/)?.[1], option);

export const set_chunk_storage = defineFunction({
  schema: 'api',
  name: 'set_chunk_storage',
  args: [
    { name: 'hypertable', type: 'regclass', doc: 'the hypertable' },
    {
      name: 'set_options',
      type: 'text[]',
      default: `'{}'`,
      doc: `storage parameters of tables, each as name=value: '{fillfactor=80,autovacuum_enabled=false}'`,
    },
    { name: 'reset_options', type: 'text[]', default: `'{}'`, doc: 'names of storage parameters to take back' },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary:
    'Sets storage parameters of all chunks, those to come included, as ALTER TABLE ... SET (...) does for a table, which PostgreSQL refuses for partitioned ones.',
  errors: 'TS001 not a hypertable, 22023 no name=value, or no such parameter or value',
  privileges: 'owner of the hypertable',
  locks: 'SHARE UPDATE EXCLUSIVE on the hypertable and each chunk, or what ALTER TABLE takes for the parameter',
  handler: (table: string | null, set: (string | null)[] | null, reset: (string | null)[] | null): void => {
    const oid = oidOf(table);
    const { root } = openOwnHypertable(oid);
    if (set === null) throw nullArgument('set_options');
    if (reset === null) throw nullArgument('reset_options');
    const given = set.map((o) => [nameOf(o), o as string] as const);
    const taken = reset.map((name) => checkedName(name, name));
    const ddl = [
      ...(taken.length === 0 ? [] : [`reset (${taken.join(', ')})`]),
      ...(given.length === 0
        ? []
        : [`set (${given.map(([name, o]) => `${name} = ${literal(o.slice(name.length + 1))}`).join(', ')})`]),
    ];
    if (ddl.length === 0) return;
    // No chunk is attached meanwhile.
    run(`lock table only ${qualified(root)} in share update exclusive mode`);
    const { hypertable } = openOwnHypertable(oid);
    inMaintenance(() => {
      for (const heap of heapsOf(root.oid, hypertable.id)) run(`alter table ${heap} ${ddl.join(', ')}`);
    });
    const changed = new Set([...taken, ...given.map(([name]) => name)]);
    const kept = (hypertable.chunk_reloptions ?? []).filter((o) => !changed.has(nameOf(o)));
    request('set_chunk_storage', { hypertable_id: hypertable.id, options: [...kept, ...given.map(([, o]) => o)] });
  },
});
