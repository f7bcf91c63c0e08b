/** Where the tests' server is: the embedded one, a DSN of the user's, or a container. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  /** Folder of psql and pg_dump of the server's version; the PATH when unset. */
  readonly bin?: string;
  /** Ports of further servers on the same host, which tests make nodes of a cluster. */
  readonly workers?: readonly number[];
}

/** Servers as a managed service hands them over, where TESSERA_PROFILE says so. */
export type Profile = 'managed' | undefined;
export const profile = (): Profile => (process.env.TESSERA_PROFILE === 'managed' ? 'managed' : undefined);

/** Tests of both profiles run side by side, in processes that one has started. */
const variable = (of: Profile): string => `TESSERA_TEST_ADDRESS${of === undefined ? '' : '_MANAGED'}`;

export const publishAddress = (address: ServerAddress, of: Profile = profile()): void => {
  process.env[variable(of)] = JSON.stringify(address);
};

export const serverAddress = (): ServerAddress => {
  const text = process.env[variable(profile())];
  if (text === undefined) throw new Error('the test server is not set up: run the tests with make test, or npx vitest');
  return JSON.parse(text) as ServerAddress;
};

export type TemplateKind = 'tessera' | 'plv8';

/** How a role logs in; the password of one that a test made is its name. */
export const loginAs = (role: string): { readonly user: string; readonly password?: string } => {
  const { user, password } = serverAddress();
  if (role !== user) return { user: role, password: role };
  return { user, ...(password === undefined ? {} : { password }) };
};

const RUN = 'TESSERA_TEST_RUN';

/** Two runs on one server each have templates of their own; both profiles of one run have the same names. */
export const publishTemplates = (run: string): void => {
  process.env[RUN] ??= run;
};

export const templateName = (kind: TemplateKind): string =>
  `tessera_template_${process.env[RUN] ?? ''}_${kind === 'plv8' ? 'p' : 't'}`;
