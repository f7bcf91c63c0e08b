/** An entry of compress_segmentby or compress_orderby. */
export interface ClauseEntry {
  readonly column: string;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export type ParsedClauses =
  | { readonly kind: 'entries'; readonly entries: readonly ClauseEntry[] }
  | { readonly kind: 'error'; readonly detail: string };

type Token = { readonly kind: 'name' | 'word' | 'comma' | 'other'; readonly text: string };

const TOKEN = /\s*(?:"((?:[^"]|"")+)"|([\p{L}_][\p{L}\p{N}_$]*)|(,)|(\S))/uy;

/** An identifier as SQL has it: quoted as it stands, or folded to lower case (ASCII, as PostgreSQL does in UTF-8). */
const tokens = (text: string): Token[] => {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let m = TOKEN.exec(text); m !== null; m = TOKEN.exec(text)) {
    const [, quoted, word, comma, other] = m;
    if (quoted !== undefined) found.push({ kind: 'name', text: quoted.replaceAll('""', '"') });
    else if (word !== undefined) found.push({ kind: 'word', text: word.replace(/[A-Z]/g, (c) => c.toLowerCase()) });
    else if (comma !== undefined) found.push({ kind: 'comma', text: ',' });
    else if (other !== undefined) found.push({ kind: 'other', text: other });
  }
  return found;
};

const failure = (detail: string): ParsedClauses => ({ kind: 'error', detail });
const said = (token: Token | undefined): string =>
  token === undefined ? 'The list ends too early.' : `There is a syntax error at or near "${token.text}".`;

/**
 * A comma-separated list of column names, with ASC or DESC and NULLS FIRST or LAST where directions are allowed, as
 * GROUP BY and ORDER BY have them: NULLS LAST by default, NULLS FIRST after DESC. An empty text is an empty list.
 */
export const parseClauses = (text: string, directions: boolean): ParsedClauses => {
  const list = tokens(text);
  const entries: ClauseEntry[] = [];
  let at = 0;
  const word = (...words: string[]): string | undefined => {
    const token = list[at];
    if (token?.kind !== 'word' || !words.includes(token.text)) return undefined;
    at++;
    return token.text;
  };
  if (list.length === 0) return { kind: 'entries', entries };
  for (;;) {
    const name = list[at];
    if (name === undefined || (name.kind !== 'name' && name.kind !== 'word')) return failure(said(name));
    at++;
    let descending = false;
    let nullsFirst = false;
    if (directions) {
      descending = word('asc', 'desc') === 'desc';
      nullsFirst = descending;
      if (word('nulls') !== undefined) {
        const place = word('first', 'last');
        if (place === undefined) return failure(said(list[at]));
        nullsFirst = place === 'first';
      }
    }
    entries.push({ column: name.text, descending, nullsFirst });
    const next = list[at];
    if (next === undefined) return { kind: 'entries', entries };
    if (next.kind !== 'comma') return failure(said(next));
    at++;
  }
};
