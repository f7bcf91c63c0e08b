import { ident, identList, literal, qualified, type RelationName } from '../../lib/quote.ts';
import type { TypeShape, Named } from './type-shape.ts';

export interface Column {
  readonly number: number;
  readonly name: string;
  readonly type: string;
  readonly collation: string | null;
  readonly notNull: boolean;
  readonly generated: string | null;
  readonly compression: string | null;
  readonly storage: string;
  /** That of the type. */
  readonly usualStorage: string;
  /** Of statistics; null for the usual one. */
  readonly target: number | null;
  readonly options: readonly string[];
}

export interface Statistics {
  readonly name: string;
  readonly kinds: readonly string[];
  readonly columns: string;
  /** Null for the usual one. */
  readonly target: number | null;
}

export interface ShardDefinition {
  readonly columns: readonly Column[];
  readonly checks: readonly Named[];
  readonly indexes: readonly Named[];
  readonly statistics: readonly Statistics[];
  readonly replicaIdentity: string;
  /** Types of users that the columns consist of. */
  readonly types: readonly TypeShape[];
}

export interface Key extends Named {
  /** p primary key, u unique, x exclusion, f foreign key, i unique index */
  readonly kind: string;
  /** OID of the table a foreign key points at. */
  readonly referenced: bigint | null;
}

export interface Belonging {
  /** Table on the node that hashes as the distributed table does. */
  readonly hash: RelationName;
  readonly column: string;
  readonly modulus: number;
  readonly remainder: number;
}

/** Schema on the nodes for tables by which shards check that rows belong to them. */
export const HASH_SCHEMA = 'tessera_shards';

/** PostgreSQL truncates names to 63 bytes; a name that would lose its number gets one made of a digest instead. */
export const shardName = (name: string, shardid: bigint, digest: (text: string) => string, bytes: number): string => {
  const suffix = `_${shardid}`;
  if (bytes + suffix.length <= 63) return name + suffix;
  // Cut by characters that are surely short enough: no character has more than four bytes.
  const kept = [...name].slice(0, Math.max(1, Math.floor((63 - suffix.length - 9) / 4)));
  return `${kept.join('')}_${digest(name).slice(0, 8)}${suffix}`;
};

const columnDdl = (c: Column): string =>
  [
    ident(c.name),
    c.type,
    c.collation === null ? '' : `collate ${c.collation}`,
    c.generated === null ? '' : `generated always as (${c.generated}) stored`,
    c.notNull ? 'not null' : '',
  ]
    .filter((part) => part !== '')
    .join(' ');

const COMPRESSION: Readonly<Record<string, string>> = { l: 'lz4', p: 'pglz' };

export const setCompression = (c: Column): string =>
  `alter column ${ident(c.name)} set compression ${c.compression === null ? 'default' : COMPRESSION[c.compression]}`;

/** What is not said in CREATE TABLE. */
export const columnSettings = (c: Column): string[] => [
  ...(c.storage === c.usualStorage ? [] : [`alter column ${ident(c.name)} set storage ${c.storage}`]),
  ...(c.compression === null ? [] : [setCompression(c)]),
  ...(c.target === null ? [] : [`alter column ${ident(c.name)} set statistics ${c.target}`]),
  ...(c.options.length === 0 ? [] : [`alter column ${ident(c.name)} set (${c.options.join(', ')})`]),
];

export const belongsDdl = (b: Belonging): string =>
  `constraint tessera_row_belongs_to_shard check (pg_catalog.satisfies_hash_partition(${literal(qualified(b.hash))}::pg_catalog.regclass, ${b.modulus}, ${b.remainder}, ${ident(b.column)}))`;

/** The bare table: all that rows need on their way in, nothing that slows them down. */
export const tableDdl = (shard: RelationName, d: ShardDefinition, belonging: Belonging | undefined): string[] => [
  `create table ${qualified(shard)} (${[
    ...d.columns.map(columnDdl),
    ...d.checks.map((c) => `constraint ${ident(c.name)} ${c.definition}`),
    ...(belonging === undefined ? [] : [belongsDdl(belonging)]),
  ].join(', ')})`,
  ...d.columns
    .map(columnSettings)
    .filter((settings) => settings.length > 0)
    .map((settings) => `alter table ${qualified(shard)} ${settings.join(', ')}`),
  ...(d.replicaIdentity === 'default' ? [] : [`alter table ${qualified(shard)} replica identity ${d.replicaIdentity}`]),
];

type NameOf = (name: string) => string;

/** Primary key, unique constraints and unique indexes: what replicated updates find their rows by. */
export const keyDdl = (shard: RelationName, key: Key, nameOf: NameOf): string =>
  key.kind === 'i'
    ? `create unique index ${ident(nameOf(key.name))} on ${qualified(shard)} ${key.definition}`
    : `alter table ${qualified(shard)} add constraint ${ident(nameOf(key.name))} ${key.definition}`;

export const indexDdl = (shard: RelationName, index: Named, nameOf: NameOf): string =>
  `create index ${ident(nameOf(index.name))} on ${qualified(shard)} ${index.definition}`;

export const statisticsDdl = (shard: RelationName, s: Statistics, nameOf: NameOf): string => {
  const name = qualified({ schema: shard.schema, name: nameOf(s.name) });
  const kinds = s.kinds.length === 0 ? '' : ` (${s.kinds.join(', ')})`;
  return `create statistics ${name}${kinds} on ${s.columns} from ${qualified(shard)}${
    s.target === null ? '' : `;\nalter statistics ${name} set statistics ${s.target}`
  }`;
};

export const foreignKeyDdl = (shard: RelationName, key: Key, referenced: RelationName, valid: boolean): string =>
  `alter table ${qualified(shard)} add constraint ${ident(key.name)} ${key.definition.replace(
    ' REFERENCES %s(',
    () => ` REFERENCES ${qualified(referenced)}(`,
  )}${valid || key.definition.endsWith(' NOT VALID') ? '' : ' NOT VALID'}`;

export const foreignTableDdl = (
  local: RelationName,
  root: RelationName,
  bounds: string,
  server: string,
  shard: RelationName,
): string =>
  `create foreign table ${qualified(local)} partition of ${qualified(root)} ${bounds} server ${ident(server)}
   options (schema_name ${literal(shard.schema)}, table_name ${literal(shard.name)})`;

export const hashBounds = (modulus: number, remainder: number): string =>
  `for values with (modulus ${modulus}, remainder ${remainder})`;

export const columnList = (d: ShardDefinition): string =>
  identList(d.columns.filter((c) => c.generated === null).map((c) => c.name));
