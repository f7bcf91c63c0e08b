import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { createReference } from '../distribute/create-reference.ts';

export const create_reference_table = defineFunction({
  schema: '_tessera_functions',
  name: 'create_reference_table',
  args: [{ name: 'relation', type: 'bigint', doc: 'OID of the table' }],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Puts a copy of a table on every node; the work behind the function of the same name.',
  privileges: 'owner of the table',
  locks: 'SHARE ROW EXCLUSIVE on the table',
  handler: (oid: bigint) => createReference(oid),
});
