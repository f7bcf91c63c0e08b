import { defineFunction, returnsScalar, type FunctionDeclaration, type Handler } from '../../udf/define-function.ts';
import { attachShards, registerTable, type NewTable } from '../register.ts';

/** Work of the owner of the extension on behalf of a caller, whom each body checks. */
const request = <P>(
  name: string,
  summary: string,
  body: (caller: string, payload: P) => unknown,
): FunctionDeclaration =>
  defineFunction({
    schema: '_tessera_functions',
    name: `request_shard_${name}`,
    args: [
      { name: 'caller', type: 'name', doc: 'who asks, as noted by the first trigger of the requests' },
      { name: 'payload', type: 'jsonb', doc: 'the arguments by name' },
    ],
    returns: returnsScalar('jsonb'),
    volatility: 'volatile',
    summary,
    privileges: 'owner of the table',
    handler: ((caller: string, payload: P) => ({ result: body(caller, payload) ?? null })) as Handler,
  });

export const request_shard_register = request<NewTable>(
  'register',
  'Records a distributed table and makes its shards.',
  registerTable,
);

export const request_shard_attach = request<{ relid: string }>(
  'attach',
  'Notes which foreign table leads to which shard.',
  (caller, p) => attachShards(caller, BigInt(p.relid)),
);
