import type { FunctionDeclaration } from '../../udf/define-function.ts';
import { defineRequest } from '../../udf/define-request.ts';
import { createForeignKey, createKey, dropKey } from '../change/change-keys.ts';
import { badAction } from '../key/failures.ts';

const request = <P>(
  name: string,
  summary: string,
  body: (caller: string, payload: P) => unknown,
): FunctionDeclaration => defineRequest({ feature: 'shard', name, summary, privileges: 'owner of the table', body });

interface KeyRequest {
  readonly relid: string;
  readonly columns: (string | null)[];
  readonly kind: string;
  readonly name: string | null;
}

export const request_shard_create_key = request<KeyRequest>(
  'create_key',
  'Records a key of a distributed table and has its shards get it.',
  (caller, p) =>
    createKey(caller, BigInt(p.relid), { columns: p.columns, kind: p.kind === 'p' ? 'p' : 'u', name: p.name }),
);

interface ForeignKeyRequest {
  readonly relid: string;
  readonly columns: (string | null)[];
  readonly referenced: string;
  readonly referencedColumns: (string | null)[] | null;
  readonly onDelete: string;
  readonly onUpdate: string;
  readonly name: string | null;
  readonly notValid: boolean;
}

const LETTERS = ['a', 'r', 'c', 'n'];

export const request_shard_create_foreign_key = request<ForeignKeyRequest>(
  'create_foreign_key',
  'Records a foreign key of a distributed table and has its shards get it.',
  (caller, p) => {
    for (const action of [p.onDelete, p.onUpdate]) if (!LETTERS.includes(action)) throw badAction('action', action);
    createForeignKey(caller, BigInt(p.relid), {
      columns: p.columns,
      referenced: BigInt(p.referenced),
      referencedColumns: p.referencedColumns,
      onDelete: p.onDelete,
      onUpdate: p.onUpdate,
      name: p.name,
      notValid: p.notValid,
    });
  },
);

export const request_shard_drop_key = request<{ readonly relid: string; readonly name: string }>(
  'drop_key',
  'Takes a key of a distributed table out of the catalog and has its shards lose it.',
  (caller, p) => dropKey(caller, BigInt(p.relid), p.name),
);
