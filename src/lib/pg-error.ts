import { packSqlState } from './sqlstate.ts';

export interface ErrorReport {
  readonly sqlstate: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

/**
 * An error that reaches psql as PostgreSQL's own: plv8 takes the SQLSTATE from the packed integer in `code`, and
 * DETAIL and HINT from the properties of those names.
 */
export class PgError extends Error {
  readonly sqlstate: string;
  readonly code: number;
  readonly detail?: string;
  readonly hint?: string;

  constructor(report: ErrorReport) {
    super(report.message);
    // plv8 prints the stack as CONTEXT; for a failure that is meant for the user it says nothing.
    this.stack = '';
    this.sqlstate = report.sqlstate;
    this.code = packSqlState(report.sqlstate);
    if (report.detail !== undefined) this.detail = report.detail;
    if (report.hint !== undefined) this.hint = report.hint;
  }
}

/** One that is meant for the user; `failures.ts` next to the code that raises them say which there are. */
export const fail = (sqlstate: string, message: string, detail?: string, hint?: string): PgError =>
  new PgError({ sqlstate, message, detail, hint });
