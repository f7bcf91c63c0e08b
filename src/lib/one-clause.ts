/** A string, a quoted name, or one character; what quotes and is not closed matches as a character. */
const TOKEN = /\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^'\\]|'')*'|"(?:[^"]|"")*"|--|\/\*|[\s\S]/g;

/**
 * Whether SQL text can be put behind what it belongs to without being more than one clause of that statement: nothing ends
 * the statement or begins another clause, and nothing hides that. For text that came from somebody else.
 */
export const isOneClause = (text: string): boolean => {
  let depth = 0;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.length === 1 && /['"$\\\0]/.test(token)) return false;
    if (token === '--' || token === '/*' || token === ';') return false;
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (depth < 0 || (token === ',' && depth === 0)) return false;
  }
  return depth === 0;
};
