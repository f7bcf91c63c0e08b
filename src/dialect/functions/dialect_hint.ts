import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import { rewrite } from '../rewrite-plan.ts';
import { findForeign } from '../statement-plan.ts';

const FUNCTIONS: Readonly<Record<string, string>> = {
  'ALTER TABLE': 'Call set_compression() or set_chunk_time_interval().',
  'CREATE TABLE': 'Create the table without these options, then call create_hypertable() and set_compression().',
};
const OF_AGGREGATES = 'Call create_continuous_aggregate(), alter_continuous_aggregate() or set_compression().';

export const dialect_hint = defineFunction({
  schema: '_tessera_functions',
  name: 'dialect_hint',
  args: [
    { name: 'sent', type: 'text', doc: 'what the client sent' },
    { name: 'tag', type: 'text', doc: 'the command that begins' },
  ],
  returns: returnsScalar('text'),
  volatility: 'immutable',
  summary:
    'What to write in the place of a statement with options of TimescaleDB; null when there is none of that command.',
  privileges: 'anybody',
  handler: (sent: string, tag: string): string | null => {
    const found = findForeign(sent, tag);
    if (found === undefined) return null;
    const written = rewrite(found);
    if (written === undefined || written.statements.length === 0) return FUNCTIONS[tag] ?? OF_AGGREGATES;
    const left = written.unknown.length === 0 ? '' : ` (without ${written.unknown.join(', ')}, of which there is none)`;
    return `Write${left}: ${written.statements.join(' ')}`;
  },
});
