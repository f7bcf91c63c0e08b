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

const VARIABLE = 'TESSERA_TEST_ADDRESS';

export const publishAddress = (address: ServerAddress): void => {
  process.env[VARIABLE] = JSON.stringify(address);
};

export const serverAddress = (): ServerAddress => {
  const text = process.env[VARIABLE];
  if (text === undefined) throw new Error('the test server is not set up: run the tests with make test, or npx vitest');
  return JSON.parse(text) as ServerAddress;
};

export type TemplateKind = 'tessera' | 'plv8';

const RUN = 'TESSERA_TEST_RUN';

/** Two runs on one server each have templates of their own. */
export const publishTemplates = (run: string): void => {
  process.env[RUN] = run;
};

export const templateName = (kind: TemplateKind): string =>
  `tessera_template_${process.env[RUN] ?? ''}_${kind === 'plv8' ? 'p' : 't'}`;
