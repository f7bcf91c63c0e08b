import { clauseTargets } from '../../lib/clause-targets.ts';
import { defineFunction, returnsScalar } from '../../udf/define-function.ts';

export const clause_targets = defineFunction({
  schema: '_tessera_functions',
  name: 'clause_targets',
  args: [{ name: 'sent', type: 'text', doc: 'a statement' }],
  returns: returnsScalar('text'),
  volatility: 'immutable',
  summary: 'Tables that a statement names with TABLESAMPLE or ONLY, and with which of them, as JSON.',
  privileges: 'anybody',
  handler: (sent: string): string => JSON.stringify(clauseTargets(sent)),
});
