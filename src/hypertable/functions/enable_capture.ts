import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { disableCapture, enableCapture } from '../capture/capture.ts';
import { nullArgument } from '../../lib/failures.ts';
import { openOwnHypertable } from '../dimension/open-hypertable.ts';

const relation = { name: 'relation', type: 'bigint', doc: 'OID of the hypertable' } as const;
const locks = 'SHARE ROW EXCLUSIVE on the hypertable and all its chunks, waited for in short attempts';

export const enable_capture = defineFunction({
  schema: '_tessera_functions',
  name: 'enable_capture',
  args: [relation, { name: 'step', type: 'bigint', doc: 'how exact the log must be, in internal time' }],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Logs changes of a hypertable from now on, as continuous aggregates need it.',
  privileges: 'owner of the hypertable',
  locks,
  handler: (oid: bigint | null, step: bigint | null): void => {
    if (step === null) throw nullArgument('step');
    enableCapture(openOwnHypertable(oid), step);
  },
});

export const disable_capture = defineFunction({
  schema: '_tessera_functions',
  name: 'disable_capture',
  args: [relation],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Logs changes of a hypertable no longer, and forgets those that were.',
  privileges: 'owner of the hypertable',
  locks: 'SHARE ROW EXCLUSIVE on the hypertable, ACCESS EXCLUSIVE on its chunks, waited for in short attempts',
  handler: (oid: bigint | null): void => disableCapture(openOwnHypertable(oid)),
});
