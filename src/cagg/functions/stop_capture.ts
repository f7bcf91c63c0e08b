import { disableCapture, openHypertable } from '../../hypertable/index.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';

export const stop_capture = defineFunction({
  schema: '_tessera_functions',
  name: 'stop_capture',
  args: [{ name: 'hypertable', type: 'bigint', doc: 'OID of the hypertable' }],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Ends the capture of changes of a hypertable, when its last continuous aggregate was dropped.',
  privileges: 'owner of the hypertable',
  locks: 'SHARE ROW EXCLUSIVE on the hypertable, ACCESS EXCLUSIVE on its chunks, in short attempts',
  handler: (hypertable: bigint | null): void => disableCapture(openHypertable(hypertable)),
});
