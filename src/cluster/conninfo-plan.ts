export interface Conninfo {
  /** Options of the foreign server. */
  readonly server: Readonly<Record<string, string>>;
  /** Options of the user mapping, which ordinary roles cannot read. */
  readonly mapping: Readonly<Record<string, string>>;
}

const OPTION = /\s*([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s']+))(?=\s|$)/y;
const MAPPING = new Set(['user', 'password', 'sslcert', 'sslkey', 'sslpassword']);

/** Reads libpq's `name=value name='a value'`; undefined when it is none. */
export const parseConninfo = (text: string): Conninfo | undefined => {
  const server: Record<string, string> = {};
  const mapping: Record<string, string> = {};
  OPTION.lastIndex = 0;
  const trimmed = text.trim();
  let at = 0;
  while (at < trimmed.length) {
    OPTION.lastIndex = at;
    const found = OPTION.exec(trimmed);
    if (found === null) return undefined;
    const name = found[1] as string;
    const value = found[2] === undefined ? (found[3] as string) : found[2].replaceAll(/\\(.)/g, '$1');
    (MAPPING.has(name) ? mapping : server)[name] = value;
    at = OPTION.lastIndex;
  }
  return { server, mapping };
};
