import { isSpiError, one, query } from '../engine/spi.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { connectionLost, remoteFailure } from './failures.ts';
import type { Node } from './node.ts';

/** A session on a node. Every error names the node. */
export interface Remote {
  /** Statements that return no rows. */
  exec(sql: string): void;
  /** Rows of a query, through JSON: int8 beyond 2^53 must be asked for as text. */
  rows<T = Record<string, unknown>>(sql: string): T[];
  one<T = Record<string, unknown>>(sql: string): T;
  /** The one value of a query as text, or the tag of a command. */
  answer(sql: string): string | null;
}

/** The schema dblink was installed in. */
const dblink = (): string =>
  one<{ name: string }>(
    `select quote_ident(n.nspname) as name from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'dblink'`,
  ).name;

const named = <T>(node: Pick<Node, 'name' | 'port'>, body: () => T): T => {
  try {
    return body();
  } catch (e) {
    if (isSpiError(e) && e.sqlerrcode !== SQLSTATE.queryCanceled) throw remoteFailure(node, e);
    throw e;
  }
};

/**
 * The rows of one statement. Not by dblink(): when its caller is cancelled it waits for the statement to end all the same,
 * which may take as long as a move does.
 */
const fetch = (
  schema: string,
  name: string,
  node: Pick<Node, 'name' | 'port'>,
  sql: string,
): { r: string | null }[] => {
  const result = (): { r: string | null }[] =>
    query<{ r: string | null }>(`select r from ${schema}.dblink_get_result($1) as t(r text)`, [name]);
  const { sent } = one<{ sent: number }>(`select ${schema}.dblink_send_query($1, $2) as sent`, [name, sql]);
  if (sent !== 1) throw connectionLost(node);
  try {
    return result();
  } finally {
    // A second, empty one ends it, after an error too.
    result();
  }
};

/**
 * Opens a session over a foreign server, and ends it whatever happens: dblink's connections belong to the session and not
 * to a role, so one that stayed open could be used by whoever called us. A cancelled statement passes by `finally`: every
 * function from which this is reached says opensSessions, and SQL ends the sessions by their names.
 */
export const withServer = <T>(server: string, node: Pick<Node, 'name' | 'port'>, body: (remote: Remote) => T): T => {
  const schema = dblink();
  const name = one<{ name: string }>(`select 'tessera session ' || gen_random_uuid() as name`).name;
  named(node, () => query(`select ${schema}.dblink_connect($1, $2)`, [name, server]));
  const remote: Remote = {
    exec: (sql) => named(node, () => void query(`select ${schema}.dblink_exec($1, $2)`, [name, sql])),
    rows: <R>(sql: string) =>
      named(node, () =>
        fetch(schema, name, node, `select pg_catalog.row_to_json(q)::text from (${sql}) q`).map(
          (row) => JSON.parse(row.r as string) as R,
        ),
      ),
    answer: (sql) => named(node, () => fetch(schema, name, node, sql))[0]?.r ?? null,
    one: <R>(sql: string) => {
      const [row] = remote.rows<R>(sql);
      if (row === undefined) throw new Error(`query returned no row: ${sql}`);
      return row;
    },
  };
  try {
    return body(remote);
  } finally {
    try {
      query(`select ${schema}.dblink_disconnect($1)`, [name]);
    } catch {
      // A connection that is gone has nothing left to close.
    }
  }
};

/** A session of the owner of the extension on a node. */
export const withNode = <T>(node: Node, body: (remote: Remote) => T): T =>
  withServer(`tessera_node_${node.id}`, node, body);

/** True where the node answers. */
export const answers = (node: Node): boolean => {
  try {
    withNode(node, (remote) => remote.rows('select 1'));
    return true;
  } catch (e) {
    if (isSpiError(e) && e.sqlerrcode === SQLSTATE.queryCanceled) throw e;
    return false;
  }
};

/**
 * Runs statements in a session of their own on this server, so that they are committed now, whatever becomes of this
 * transaction.
 */
export const aside = <T>(body: (remote: Remote) => T): T => {
  const { server } = one<{ server: string }>(
    `select coalesce((select s.srvname from pg_foreign_server s
       where s.srvtype = 'tessera loopback' and s.srvversion = current_user and not _tessera_functions.leads_elsewhere(s.oid)),
       _tessera_functions.make_loopback(current_user))::text as server`,
  );
  return withServer(
    server,
    { name: 'localhost', port: Number(one<{ p: string }>(`select current_setting('port') as p`).p) },
    body,
  );
};
