import format from 'pg-format';

/** Always in double quotes: pg-format's own list of reserved words is older than PostgreSQL's. */
export const ident = (name: string): string => {
  const quoted = format.ident(name);
  return quoted.startsWith('"') ? quoted : `"${quoted}"`;
};

export const literal = (value: string | null): string => format.literal(value);

export interface RelationName {
  readonly schema: string;
  readonly name: string;
}

export const qualified = (r: RelationName): string => `${ident(r.schema)}.${ident(r.name)}`;

/** As a person writes it in a message: quoted only where SQL needs it. */
export const displayed = (r: RelationName): string => `${format.ident(r.schema)}.${format.ident(r.name)}`;

export const identList = (names: readonly string[]): string => names.map(ident).join(', ');
