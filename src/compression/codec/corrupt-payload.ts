import { PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

/** Bytes that no encoder of ours wrote: damaged, cut short, or of a version this code does not know. */
export class CorruptPayload extends PgError {
  constructor(detail: string) {
    super({
      sqlstate: SQLSTATE.dataCorrupted,
      message: 'compressed column data is corrupt',
      detail,
      hint: 'restore the chunk from a backup; the other columns and segments of the chunk stay readable',
    });
  }
}
