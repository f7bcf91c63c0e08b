import { withSettings } from '../engine/session.ts';
import { hasSqlState, isCancel, isSpiError, one, query, subtransaction } from '../engine/spi.ts';
import { ident, literal } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { loopbackElsewhere, remoteFailure } from './failures.ts';
import type { Node } from './node.ts';
import { origin } from './origin.ts';
import { isTouched } from './touched.ts';

/** Calls of a node, each a session of its own. */
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

const dblink = (): string => one<{ name: string }>('select _tessera_functions.dblink_schema() as name').name;

const named = <T>(node: Pick<Node, 'name' | 'port'>, body: () => T): T => {
  try {
    return body();
  } catch (e) {
    if (isSpiError(e) && !isCancel(e)) throw remoteFailure(node, e);
    throw e;
  }
};

/** Makes a value part of a statement: as a parameter, or as a literal. */
type Embed = (value: string) => string;

/** Where a statement goes, and what text goes there for a statement that is given as an SQL expression. */
interface Route {
  readonly server: string;
  readonly text: (statement: string, kind: 'exec' | 'rows', embed: Embed) => string;
}

/**
 * dblink opens a connection for each call and closes it before it returns, which takes some milliseconds: a connection that
 * has a name belongs to the session and not to a role, and JavaScript does not get to close it when the statement is
 * cancelled. Whoever called us could then use it with our rights.
 */
const direct = (server: string, prelude: string): Route => ({
  server,
  text: (statement, _kind, embed) => `${embed(prelude)} || ${statement}`,
});

/** Statements that are, or contain, the end of a transaction. A block of PL/pgSQL may commit as well. */
const ENDS_TRANSACTIONS = '^\\s*(begin|commit|rollback|do)\\y';
/** Commands of users that may well run in a transaction. */
const PLAIN_COMMAND =
  '^\\s*(insert|update|delete|merge|truncate|(create|alter|drop)\\s+(table|view|schema|role|user|function|type|sequence|extension))\\y';

/**
 * Calls a node from another session of this server. That can wait for it with a limit: dblink and libpq know none, and in
 * most versions do not notice a cancel either. There a connection may have a name, too, and what changes something gets its
 * COMMIT as a message of its own, which a node that wakes up too late never sees.
 */
const throughLoopback = (l: Loopback, server: string, prelude: string): Route => {
  const { silence, patience, pid, vxid } = one<{ silence: number; patience: number | null; pid: number; vxid: string }>(
    `select _tessera_functions.setting('node_timeout')::float8 as silence, pg_backend_pid() as pid,
       (select l.virtualxid from pg_locks l where l.locktype = 'virtualxid' and l.pid = pg_backend_pid() and l.granted limit 1) as vxid,
       (select greatest(extract(epoch from statement_timestamp() - clock_timestamp())::float8 + t.s, 0.001)
        from (select extract(epoch from current_setting('statement_timeout')::interval)::float8 as s) t where t.s > 0) as patience`,
  );
  const suffix = l.member ? '' : '_aside';
  const due = patience !== null && patience < silence;
  const first = Math.ceil(1000 * (due ? patience : silence));
  const role = l.member ? `set role ${ident(l.me)}; ` : '';
  const probe = `${role}set statement_timeout = ${Math.ceil(1000 * silence)}; ${attentive()}select _tessera_functions.probe_node${suffix}(${literal(server)})`;
  const connect = `begin perform _tessera_functions.open_node${suffix}(${literal(server)}, ${silence}, ${due}); end`;
  const begin = `${role}${attentive()}set statement_timeout = ${first}; do ${literal(connect)}; set statement_timeout = 0;
    select r from _tessera_functions.ask_node${suffix}(${literal(prelude)}, `;
  const end = `, ${silence}, ${patience ?? 'null'}, ${literal(probe)}, ${pid}, ${literal(vxid)}) r`;
  const text: Route['text'] = (statement, kind, embed) => {
    const inTransaction =
      kind === 'exec' ? `${statement} !~* ${literal(ENDS_TRANSACTIONS)}` : `${statement} ~* ${literal(PLAIN_COMMAND)}`;
    // A command ends it, because dblink_exec() takes no rows.
    const tail = kind === 'exec' ? '; reset lock_timeout' : '';
    return `concat(${embed(begin)}, quote_literal(${statement}), ', ', (${inTransaction})::text, ${embed(end + tail)})`;
  };
  return { server: l.server, text };
};

const remoteBy = (route: Route, server: string, node: Pick<Node, 'name' | 'port'>): Remote => {
  const schema = dblink();
  const call = <R>(body: () => R[]): R[] =>
    named(node, () => {
      // A connection that somebody has given the name of the server would be taken for it.
      query(
        `select ${schema}.dblink_disconnect(c) from unnest(${schema}.dblink_get_connections()) c where c = any($1::text[])`,
        [[route.server, server]],
      );
      return body();
    });
  const send = <R>(kind: 'exec' | 'rows', select: string, statement: string): R[] =>
    call(() => {
      const values = [route.server, statement];
      const text = route.text('$2::text', kind, (value) => `$${values.push(value)}::text`);
      return query<R>(
        select.replace('%', () => `$1, ${text}`),
        values,
      );
    });
  const rows = `select r from ${schema}.dblink(%) as t(r text)`;
  const remote: Remote = {
    exec: (sql) => void send('exec', `select ${schema}.dblink_exec(%)`, sql),
    rows: <R>(sql: string) =>
      send<{ r: string }>('rows', rows, `select pg_catalog.row_to_json(q)::text from (${sql}) q`).map(
        (row) => JSON.parse(row.r) as R,
      ),
    // PL/pgSQL would not do: PostgreSQL fails to make a slot in it when somebody changes a catalog at that moment.
    perform: (expression) => remote.exec(`select ${expression}; reset lock_timeout`),
    each: (sql) => {
      const text = route.text(`replace(e.template, '@rows@', quote_literal(e.rows))`, 'exec', literal);
      call(() => query(`select count(${schema}.dblink_exec(${literal(route.server)}, ${text})) as n from (${sql}) e`));
    },
    answer: (sql) => send<{ r: string | null }>('rows', rows, sql)[0]?.r ?? null,
    one: <R>(sql: string) => {
      const [row] = remote.rows<R>(sql);
      if (row === undefined) throw new Error(`query returned no row: ${sql}`);
      return row;
    },
  };
  return remote;
};

interface Loopback {
  readonly server: string;
  readonly me: string;
  /** Whether its login may act as the current role. */
  readonly member: boolean;
}

const findLoopback = (): Loopback | undefined => {
  const found = one<{ server: string | null; me: string; member: boolean }>(
    `select (select s.srvname::text from pg_foreign_server s where s.srvname = _tessera_functions.loopback_of(current_user)
       and not _tessera_functions.leads_elsewhere(s.oid)) as server,
       current_user::text as me,
       -- Since PostgreSQL 16 a role that is no superuser cannot make others members of itself.
       coalesce((select pg_has_role(r.oid, current_user, 'MEMBER') from pg_roles r where r.rolname = _tessera_functions.login_of(current_user)), false) as member`,
  );
  return found.server === null ? undefined : { ...found, server: found.server };
};

/** Calls through the foreign server of a node; every error names it. */
export const withServer = <T>(
  server: string,
  node: Pick<Node, 'name' | 'port'>,
  body: (remote: Remote) => T,
  prelude = '',
): T => {
  const loopback = isTouched(server) ? undefined : findLoopback();
  const route = loopback === undefined ? direct(server, prelude) : throughLoopback(loopback, server, prelude);
  return body(remoteBy(route, server, node));
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
  const loopback = findLoopback();
  const { me, port } = one<{ me: string; port: number }>(
    `select current_user::text as me, current_setting('port')::int as port`,
  );
  // A login made now could not get in before this transaction has committed.
  if (loopback === undefined) throw loopbackElsewhere(me);
  const { server, member } = loopback;
  const begin = `${member ? `set role ${ident(me)}; ` : ''}set synchronous_commit = on; set statement_timeout = 0; ${attentive()}${prelude}`;
  const remote = remoteBy(direct(server, begin), server, { name: 'localhost', port });
  return body(member ? remote : lent(remote));
};
