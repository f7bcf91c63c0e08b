import { isWord, nameOf, splitTokens, statements } from '../../lib/sql-tokens.ts';
import { defineFunction, returnsScalar } from '../../udf/define-function.ts';

export const drops_tessera = defineFunction({
  schema: '_tessera_functions',
  name: 'drops_tessera',
  args: [{ name: 'sent', type: 'text', doc: 'what the client sent' }],
  returns: returnsScalar('boolean'),
  volatility: 'immutable',
  summary: 'Whether a text has a statement DROP EXTENSION that names tessera.',
  privileges: 'anybody',
  handler: (sent: string | null): boolean =>
    statements(sent ?? '').some((tokens) => {
      if (!isWord(tokens[0], 'DROP') || !isWord(tokens[1], 'EXTENSION')) return false;
      const names = tokens.slice(isWord(tokens[2], 'IF') && isWord(tokens[3], 'EXISTS') ? 4 : 2);
      return splitTokens(names).some(([name]) => nameOf(name) === 'tessera');
    }),
});
