/**
 * Cuts an SQL script into statements at the semicolons that are outside quotes, dollar quotes, comments and
 * parentheses. Comments in front of a statement stay with it.
 */
export const splitStatements = (script: string): string[] => {
  const statements: string[] = [];
  let start = 0;
  let i = 0;
  let depth = 0;
  let atomic = 0;
  const skipTo = (end: string, from: number): number => {
    const at = script.indexOf(end, from);
    if (at < 0) throw new Error(`unterminated ${JSON.stringify(end)} in: ${script.slice(i, i + 60)}`);
    return at + end.length;
  };
  while (i < script.length) {
    const c = script[i] as string;
    const two = script.slice(i, i + 2);
    if (two === '--') {
      const newline = script.indexOf('\n', i);
      i = newline < 0 ? script.length : newline + 1;
    } else if (two === '/*') i = skipTo('*/', i + 2);
    else if (c === "'") i = skipTo("'", i + 1);
    else if (c === '"') i = skipTo('"', i + 1);
    else if (c === '$') {
      const tag = /^\$([A-Za-z_]\w*)?\$/.exec(script.slice(i, i + 80))?.[0];
      i = tag === undefined ? i + 1 : skipTo(tag, i + tag.length);
    } else if (/[A-Za-z_]/.test(c)) {
      const word = /^\w+/.exec(script.slice(i, i + 80))?.[0] ?? c;
      const lower = word.toLowerCase();
      if (lower === 'begin' && /^begin\s+atomic\b/i.test(script.slice(i, i + 40))) atomic++;
      else if (atomic > 0 && lower === 'case') atomic++;
      else if (atomic > 0 && lower === 'end') atomic--;
      i += word.length;
    } else {
      if (c === '(') depth++;
      if (c === ')') depth--;
      i++;
      if (c === ';' && depth === 0 && atomic === 0) {
        statements.push(script.slice(start, i).trim());
        start = i;
      }
    }
  }
  const rest = script.slice(start).trim();
  if (stripComments(rest) !== '') throw new Error(`statement without a final semicolon: ${rest.slice(0, 80)}`);
  return statements.filter((s) => stripComments(s) !== ';');
};

/** The statement without the comments in front of it, trimmed. */
export const stripComments = (statement: string): string =>
  statement.replace(/^(\s*(--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/))*\s*/, '').trim();
