import { runAs } from '../../engine/session.ts';
import { one } from '../../engine/spi.ts';
import { defineFunction, returnsVoid } from '../../udf/define-function.ts';
import { cannotRunForOwner } from '../failures.ts';
import { openOwnJob } from '../job.ts';

export const run_as_owner = defineFunction({
  schema: '_tessera_functions',
  name: 'run_as_owner',
  args: [{ name: 'job_id', type: 'integer', doc: 'a job of another role than the current one' }],
  returns: returnsVoid,
  volatility: 'volatile',
  summary: 'Runs a job as the role that owns it, whose code must not run with the rights of somebody else.',
  privileges: 'member of the role that owns the job',
  errors: '0A000 it ends transactions by itself, or the owner may create nothing in the schema of its procedure',
  handler: (id: number): void => {
    const job = openOwnJob(id, 'run');
    const found = one<{ command: string; is_procedure: boolean; autonomous: boolean; owner: string }>(
      `select c.command, c.is_procedure, c.autonomous,
         (select r.rolname::text from pg_roles r where r.oid = $2::text::regrole) as owner
       from _tessera_functions.job_command($1) c`,
      [id, job.owner],
    );
    const statement = found.is_procedure ? found.command : found.command.replace(/^select /, 'perform ');
    if (found.autonomous || !runAs(found.owner, job.proc_schema, statement)) throw cannotRunForOwner(id, job.owner);
  },
});
