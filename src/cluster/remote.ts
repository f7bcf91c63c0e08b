import { withSettings } from '../engine/session.ts';
import { hasSqlState, isCancel, isSpiError, one, query, subtransaction } from '../engine/spi.ts';
import { ident, literal } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { loopbackElsewhere, remoteFailure } from './failures.ts';
import type { Node } from './node.ts';
import { origin } from './origin.ts';

/** Calls of a node, each a session of its own. Every error names the node. */
export interface Remote {
  /** Statements that return no rows; one transaction unless they say otherwise. */
  exec(sql: string): void;
  /** Calls a function for what it does; like exec(), and unlike rows(), it notices a cancel while it waits. */
  perform(call: string): void;
  /** Rows of a query, through JSON: int8 beyond 2^53 must be asked for as text. */
  rows<T = Record<string, unknown>>(sql: string): T[];
  one<T = Record<string, unknown>>(sql: string): T;
  /** Runs there, for each row of a query here, its first column with @rows@ replaced by the second as a literal. */
  each(query: string): void;
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
    if (isSpiError(e) && !isCancel(e)) throw remoteFailure(node, e);
    throw e;
  }
};

/**
 * Calls through a foreign server. dblink opens a connection for each and closes it before it returns, which takes some
 * milliseconds: a connection that has a name belongs to the session and not to a role, and JavaScript does not get to
 * close it when the statement is cancelled. Whoever called us could then use it with our rights. exec() notices a cancel
 * while it waits; rows() and answer(), which are dblink(), do not, and are for what answers soon.
 */
export const withServer = <T>(
  server: string,
  node: Pick<Node, 'name' | 'port'>,
  body: (remote: Remote) => T,
  prelude = '',
): T => {
  const schema = dblink();
  const call = <R>(sql: string, statement: string): R[] =>
    named(node, () => {
      // A connection that somebody has given the name of the server would be taken for it.
      query(
        `select ${schema}.dblink_disconnect(c) from unnest(${schema}.dblink_get_connections()) c where c = $1::text`,
        [server],
      );
      return query<R>(sql, [server, prelude + statement]);
    });
  const remote: Remote = {
    exec: (sql) => void call(`select ${schema}.dblink_exec($1, $2)`, sql),
    rows: <R>(sql: string) =>
      call<{ r: string }>(
        `select r from ${schema}.dblink($1, $2) as t(r text)`,
        `select pg_catalog.row_to_json(q)::text from (${sql}) q`,
      ).map((row) => JSON.parse(row.r) as R),
    // A command ends it, because dblink_exec() takes no rows; PL/pgSQL would not do: PostgreSQL fails to make a slot in it
    // when somebody changes a catalog at that moment.
    perform: (expression) => remote.exec(`select ${expression}; reset lock_timeout`),
    each: (sql) =>
      void call(
        `select count(${schema}.dblink_exec($1, $2 || replace(e.template, '@rows@', quote_literal(e.rows)))) as n from (${sql}) e`,
        '',
      ),
    answer: (sql) =>
      call<{ r: string | null }>(`select r from ${schema}.dblink($1, $2) as t(r text)`, sql)[0]?.r ?? null,
    one: <R>(sql: string) => {
      const [row] = remote.rows<R>(sql);
      if (row === undefined) throw new Error(`query returned no row: ${sql}`);
      return row;
    },
  };
  return body(remote);
};

/** As the owner of the extension on a node, unless the node is the business of another database. */
export const withNode = <T>(node: Node, body: (remote: Remote) => T, prelude = ''): T => {
  origin();
  return withServer(`tessera_node_${node.id}`, node, body, prelude);
};

/** True where the node answers. */
export const answers = (node: Node): boolean => {
  try {
    withNode(node, (remote) => remote.rows('select 1'));
    return true;
  } catch (e) {
    if (isCancel(e)) throw e;
    return false;
  }
};

let attention: string | undefined;
/** Has a session end when its caller is gone, and not go on with a move that nobody waits for. Some platforms cannot tell. */
const attentive = (): string => {
  if (attention !== undefined) return attention;
  try {
    subtransaction(() => withSettings({ client_connection_check_interval: '1s' }, () => undefined));
    attention = `set client_connection_check_interval = '1s'; `;
  } catch (e) {
    if (!hasSqlState(e, SQLSTATE.invalidParameterValue)) throw e;
    attention = '';
  }
  return attention;
};

/** A session that has the rights of the owner of the extension only within a function of his. */
const lent = (remote: Remote): Remote => {
  const exec = (sql: string): void => remote.perform(`_tessera_functions.aside_exec(${literal(sql)})`);
  const answers = (sql: string): (string | null)[] =>
    remote
      .rows<{ r: string | null }>(`select r from _tessera_functions.aside_rows(${literal(sql)}) r`)
      .map((row) => row.r);
  const rows = <R>(sql: string): R[] =>
    answers(`select pg_catalog.row_to_json(q)::text from (${sql}) q`).map((r) => JSON.parse(r as string) as R);
  return {
    exec,
    rows,
    perform: (call) => exec(`select ${call}`),
    each: (sql) => remote.each(sql),
    answer: (sql) => answers(sql)[0] ?? null,
    one: <R>(sql: string): R => {
      const [row] = rows<R>(sql);
      if (row === undefined) throw new Error(`query returned no row: ${sql}`);
      return row;
    },
  };
};

/**
 * Runs statements in sessions of their own on this server, as the current role, so that they are committed now, for good,
 * whatever becomes of this transaction.
 */
export const aside = <T>(body: (remote: Remote) => T, prelude = ''): T => {
  const { server, me, port, member } = one<{ server: string | null; me: string; port: number; member: boolean }>(
    `select (select s.srvname::text from pg_foreign_server s where s.srvname = _tessera_functions.loopback_of(current_user)
       and not _tessera_functions.leads_elsewhere(s.oid)) as server,
       current_user::text as me, current_setting('port')::int as port,
       -- Since PostgreSQL 16 a role that is no superuser cannot make others members of itself.
       coalesce((select pg_has_role(r.oid, current_user, 'MEMBER') from pg_roles r where r.rolname = _tessera_functions.login_of(current_user)), false) as member`,
  );
  // A login made now could not get in before this transaction has committed.
  if (server === null) throw loopbackElsewhere(me);
  return withServer(
    server,
    { name: 'localhost', port },
    (remote) => body(member ? remote : lent(remote)),
    `${member ? `set role ${ident(me)}; ` : ''}set synchronous_commit = on; set statement_timeout = 0; ${attentive()}${prelude}`,
  );
};
