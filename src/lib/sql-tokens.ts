export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'symbol';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** How many parentheses and brackets are open around it; a bracket itself counts as outside. */
  readonly depth: number;
}

const LETTER = 'A-Za-z_\\u0080-\\uffff';
const ESCAPED = "'[^'\\\\]*(?:(?:\\\\[\\s\\S]|'')[^'\\\\]*)*'";
// A string goes on in another one after a line break, and E'' then rules there too.
const GAP = '(?:[ \\t\\f\\v]|--[^\\n\\r]*)*[\\n\\r](?:\\s|--[^\\n\\r]*[\\n\\r])*';
const TOKEN = new RegExp(
  [
    '(?<space>[ \\t\\n\\r\\f\\v]+|--[^\\n\\r]*)',
    `(?<string>[eE]${ESCAPED}(?:${GAP}${ESCAPED})*|'[^']*(?:''[^']*)*'|(?<dollar>\\$(?:[${LETTER}][${LETTER}0-9]*)?\\$)[\\s\\S]*?\\k<dollar>)`,
    '(?<quoted>"[^"]*(?:""[^"]*)*")',
    `(?<word>[${LETTER}][${LETTER}0-9$]*)`,
    '(?<number>\\d[\\w.]*|\\$\\d+)',
    '(?<symbol>::|=>|:=|[\\s\\S])',
  ].join('|'),
  'y',
);
const KINDS = ['string', 'quoted', 'word', 'number', 'symbol'] as const;

/** Block comments nest; one that is not closed goes to the end. */
const commentEnd = (text: string, start: number): number => {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let m = mark.exec(text); m !== null; m = mark.exec(text)) {
    depth += m[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return text.length;
};

/** Tokens without spaces and comments. Expects standard_conforming_strings to be on. */
export const tokenize = (text: string): Token[] => {
  const tokens: Token[] = [];
  let depth = 0;
  for (let start = 0; start < text.length; ) {
    if (text.startsWith('/*', start)) {
      start = commentEnd(text, start);
      continue;
    }
    TOKEN.lastIndex = start;
    const match = TOKEN.exec(text);
    if (match === null) break;
    const end = TOKEN.lastIndex;
    const [found] = match;
    const kind = KINDS.find((k) => match.groups?.[k] !== undefined);
    if (kind !== undefined) {
      if (kind === 'symbol' && (found === ')' || found === ']')) depth = Math.max(0, depth - 1);
      tokens.push({ kind, text: found, start, end, depth });
      if (kind === 'symbol' && (found === '(' || found === '[')) depth++;
    }
    start = end;
  }
  return tokens;
};

export const isWord = (token: Token | undefined, ...words: readonly string[]): boolean =>
  token?.kind === 'word' && words.includes(token.text.toUpperCase());
export const isSymbol = (token: Token | undefined, symbol: string): boolean =>
  token?.kind === 'symbol' && token.text === symbol;

/** The name an identifier stands for: ASCII letters are folded unless it is quoted. */
export const nameOf = (token: Token | undefined): string | undefined => {
  if (token?.kind === 'quoted') return token.text.slice(1, -1).replaceAll('""', '"');
  return token?.kind === 'word' ? token.text.replace(/[A-Z]/g, (c) => c.toLowerCase()) : undefined;
};

/** Index of the token that closes the bracket at `open`; the number of tokens when none does. */
export const closing = (tokens: readonly Token[], open: number): number => {
  const depth = tokens[open]?.depth;
  for (let i = open + 1; i < tokens.length; i++) if (tokens[i]?.depth === depth) return i;
  return tokens.length;
};

/** Tokens as one text in which neither spaces nor comments nor the case of words make a difference. */
export const normalized = (tokens: readonly Token[]): string =>
  tokens.map((t) => (t.kind === 'word' ? t.text.toLowerCase() : t.text)).join(' ');

/** The tokens of each statement of a text, without the semicolons. */
export const statements = (text: string): Token[][] => {
  const found: Token[][] = [[]];
  for (const token of tokenize(text))
    if (token.depth === 0 && isSymbol(token, ';')) found.push([]);
    else found.at(-1)?.push(token);
  return found.filter((s) => s.length > 0);
};

/** Tokens between the commas outside of the brackets in which the first of them stands. */
export const splitTokens = (tokens: readonly Token[]): Token[][] => {
  const depth = tokens[0]?.depth;
  const found: Token[][] = [[]];
  for (const token of tokens)
    if (token.depth === depth && isSymbol(token, ',')) found.push([]);
    else found.at(-1)?.push(token);
  return found;
};
