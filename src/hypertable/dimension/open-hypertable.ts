import { findHypertable, type Hypertable } from '../../catalog/hypertable.ts';
import { request } from '../../catalog/catalog-writer.ts';
import { one } from '../../engine/spi.ts';
import { displayed } from '../../lib/quote.ts';
import { notHypertable, notOwner } from './failures.ts';
import { nullArgument, relationMissing } from '../../lib/failures.ts';
import { findRelation, type Relation } from '../table/relation.ts';

export interface OpenHypertable {
  readonly hypertable: Hypertable;
  readonly root: Relation;
}

/** A continuous aggregate stands for the hypertable that holds its results. */
const behind = (oid: bigint): bigint =>
  one<{ oid: bigint }>('select _tessera_functions.hypertable_behind($1::int8::oid)::oid::int8 as oid', [oid]).oid;

/** The hypertable behind an OID given by the user; TS001 when it is none. */
export const openHypertable = (given: bigint | null): OpenHypertable => {
  if (given === null) throw nullArgument('relation');
  const seen = findRelation(given);
  if (seen === undefined) throw relationMissing(given);
  const oid = seen.kind === 'v' ? behind(given) : given;
  const root = oid === given ? seen : findRelation(oid);
  if (root === undefined) throw relationMissing(oid);
  const hypertable = findHypertable(oid);
  if (hypertable === undefined) throw notHypertable(displayed(root));
  return { hypertable, root };
};

/** The owner of the extension looks after everybody's hypertables, where he is no superuser as a member of their roles. */
const membership = (owner: string): string | undefined => {
  const { needed, grant } = one<{ needed: boolean; grant: string }>(
    `select current_user = _tessera_functions.extension_owner() as needed, format('grant %I to %I;', $1::text, current_user) as grant`,
    [owner],
  );
  return needed ? grant : undefined;
};

/** REASSIGN OWNED gives a table away without what its owner needs to have chunks. */
export const admitOwner = ({ hypertable, root }: OpenHypertable): void => {
  const schema = hypertable.associated_schema_name;
  if (schema !== '_tessera_internal') return;
  const { may } = one<{ may: boolean }>(`select has_schema_privilege($1, $2, 'CREATE') as may`, [root.owner, schema]);
  if (!may) request('open_schema', { relid: root.oid });
};

/** The same for an operation that only the owner may do. */
export const openOwnHypertable = (oid: bigint | null): OpenHypertable => {
  const opened = openHypertable(oid);
  if (!opened.root.owned) throw notOwner(displayed(opened.root), membership(opened.root.owner));
  admitOwner(opened);
  return opened;
};

/** The OID of a regclass argument, which plv8 hands over as text. */
export const oidOf = (table: string | null): bigint | null =>
  table === null ? null : one<{ oid: bigint }>('select $1::regclass::oid::int8 as oid', [table]).oid;
