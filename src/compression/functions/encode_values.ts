import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import type { ValueKind } from '../codec/column.ts';
import { encode, type Codec } from '../codec/encode.ts';
import { rowsOfSentArray } from '../codec/sent-array.ts';
import { sentAsTimes } from '../segment/time-values.ts';

export const encode_values = defineFunction({
  schema: '_tessera_functions',
  name: 'encode_values',
  args: [
    { name: 'sent', type: 'bytea', doc: 'array_send() of the values of a segment in their order' },
    { name: 'kind', type: 'text', doc: 'how the codec sees the values' },
    { name: 'algorithm', type: 'text', doc: 'the algorithm for them' },
    { name: 'times', type: 'boolean', doc: 'whether they are dates or timestamps, whose far values are kept as text' },
  ],
  returns: returnsScalar('bytea'),
  volatility: 'immutable',
  strict: true,
  parallelSafe: true,
  summary: 'The payload of one column of a segment; null when every value is null.',
  privileges: 'anybody',
  handler: (sent: Uint8Array, kind: ValueKind, algorithm: Codec['algorithm'], times: boolean): Uint8Array | null => {
    const rows = rowsOfSentArray(sent, kind);
    const far = times ? sentAsTimes(rows, kind) : undefined;
    return far === undefined ? encode({ kind, algorithm }, rows) : encode({ kind: 'text', algorithm: 'array' }, far);
  },
});
