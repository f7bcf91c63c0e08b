import { request } from '../../catalog/catalog-writer.ts';
import { maybeOne, notice, query, run } from '../../engine/spi.ts';
import { inMaintenance } from '../../engine/session.ts';
import { displayed, ident, qualified } from '../../lib/quote.ts';
import { defineFunction, returnsScalar, returnsSetof, returnsVoid } from '../../udf/define-function.ts';
import { tablespaceAttached, tablespaceMissing, tablespaceNotAttached } from '../chunk/failures.ts';
import { nullArgument } from '../../lib/failures.ts';
import { oidOf, openHypertable, openOwnHypertable, type OpenHypertable } from '../dimension/open-hypertable.ts';
import { attachedTablespaces, requireTablespace } from '../chunk/tablespace.ts';

const hypertable = { name: 'hypertable', type: 'regclass', doc: 'the hypertable' } as const;

export const attach_tablespace = defineFunction({
  schema: 'api',
  name: 'attach_tablespace',
  args: [
    { name: 'tablespace', type: 'name', doc: 'a tablespace on which the owner of the hypertable has CREATE' },
    hypertable,
    {
      name: 'if_not_attached',
      type: 'boolean',
      default: 'false',
      doc: 'a notice instead of an error when it is attached',
    },
  ],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Lets new chunks go to a tablespace; several are taken in turn.',
  errors: 'TS001 not a hypertable, TS140 attached already, 42704 no such tablespace, 42501 no CREATE on it',
  privileges: 'owner of the hypertable, who needs CREATE on the tablespace',
  handler: (name: string | null, table: string | null, ifNotAttached: boolean | null): void => {
    if (name === null) throw nullArgument('tablespace');
    const opened = openOwnHypertable(oidOf(table));
    requireTablespace(name, opened.root.owner);
    const attached = attachedTablespaces(opened.hypertable);
    if (attached.includes(name)) {
      if (ifNotAttached !== true) throw tablespaceAttached(name, displayed(opened.root));
      notice(`tablespace "${name}" is already attached to hypertable "${displayed(opened.root)}", skipping`);
      return;
    }
    request('attach_tablespace', { hypertable_id: opened.hypertable.id, tablespace_name: name });
    if (attached.length === 0 && opened.root.tablespace === null)
      inMaintenance(() => run(`alter table ${qualified(opened.root)} set tablespace ${ident(name)}`));
  },
});

const detach = ({ hypertable: h, root }: OpenHypertable, name: string | null): number => {
  const { removed } = request<{ removed: number }>('detach_tablespace', { hypertable_id: h.id, tablespace_name: name });
  if (removed > 0 && root.tablespace !== null && (name === null || root.tablespace === name))
    inMaintenance(() => run(`alter table ${qualified(root)} set tablespace pg_default`));
  return removed;
};

export const detach_tablespace = defineFunction({
  schema: 'api',
  name: 'detach_tablespace',
  args: [
    { name: 'tablespace', type: 'name', doc: 'the tablespace' },
    { name: 'hypertable', type: 'regclass', default: 'null', doc: 'the hypertable; null for all that the caller owns' },
    {
      name: 'if_attached',
      type: 'boolean',
      default: 'false',
      doc: 'a notice instead of an error when it is not attached',
    },
  ],
  returns: returnsScalar('integer'),
  volatility: 'volatile',
  summary:
    'Keeps new chunks off a tablespace and returns from how many hypertables it was detached. Existing chunks stay.',
  errors: 'TS001 not a hypertable, TS150 not attached, 42704 no such tablespace',
  privileges: 'owner of the hypertable',
  handler: (name: string | null, table: string | null, ifAttached: boolean | null): number => {
    if (name === null) throw nullArgument('tablespace');
    if (maybeOne('select from pg_tablespace where spcname = $1', [name]) === undefined) throw tablespaceMissing(name);
    if (table !== null) {
      const opened = openOwnHypertable(oidOf(table));
      if (attachedTablespaces(opened.hypertable).includes(name)) return detach(opened, name);
      if (ifAttached !== true) throw tablespaceNotAttached(name, displayed(opened.root));
      notice(`tablespace "${name}" is not attached to hypertable "${displayed(opened.root)}", skipping`);
      return 0;
    }
    const users = query<{ oid: bigint }>(
      `select h.relid::oid::int8 as oid from _tessera_catalog.tablespace t join _tessera_catalog.hypertable h on h.id = t.hypertable_id
       where t.tablespace_name = $1 order by h.id`,
      [name],
    ).map((r) => openHypertable(r.oid));
    const own = users.filter((o) => o.root.owned);
    for (const o of own) detach(o, name);
    if (own.length < users.length)
      notice(`tablespace "${name}" stays attached to ${users.length - own.length} hypertable(s) of other owners`);
    return own.length;
  },
});

export const detach_tablespaces = defineFunction({
  schema: 'api',
  name: 'detach_tablespaces',
  args: [hypertable],
  returns: returnsScalar('integer'),
  volatility: 'volatile',
  summary: 'Detaches all tablespaces from a hypertable and returns how many there were.',
  errors: 'TS001 not a hypertable',
  privileges: 'owner of the hypertable',
  handler: (table: string | null): number => detach(openOwnHypertable(oidOf(table)), null),
});

export const show_tablespaces = defineFunction({
  schema: 'api',
  name: 'show_tablespaces',
  args: [hypertable],
  returns: returnsSetof('name'),
  volatility: 'stable',
  summary: 'The tablespaces attached to a hypertable, in the order in which they were attached.',
  errors: 'TS001 not a hypertable',
  privileges: 'anybody',
  handler: (table: string | null): string[] => attachedTablespaces(openHypertable(oidOf(table)).hypertable),
});
