import type { Row } from './database.ts';

type Run = (sql: string, params: unknown[]) => Promise<Row[]>;

/**
 * Takes the members out of the extension, because pg_dump leaves members out of a dump. The database is of no use
 * afterwards.
 */
export const letMembersGo = async (run: Run, functions: boolean): Promise<void> => {
  const members = await run(
    `select o.type, o.identity, case when d.classid = 'pg_type'::regclass then
         (select c.relkind from pg_type t join pg_class c on c.oid = t.typrelid where t.oid = d.objid) end::text as rowtype_of
     from pg_depend d, pg_identify_object(d.classid, d.objid, 0) o
     where d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'
       and d.refobjid = (select oid from pg_extension where extname = 'tessera')`,
    [],
  );
  for (const m of members) {
    // Rules of views, array types and row types of tables go with their owners.
    if (m.type === 'rule' || /\[\]$/.test(m.identity) || (m.rowtype_of !== null && m.rowtype_of !== 'c')) continue;
    if (!functions && ['function', 'procedure', 'aggregate'].includes(m.type)) continue;
    const kind = m.type === 'composite type' ? 'type' : m.type;
    await run(`alter extension tessera drop ${kind} ${m.identity}`, []);
  }
};

/** A dump without comments, settings and blank lines. */
export const schemaOnly = (dump: string): string =>
  `${dump
    .split('\n')
    .filter(
      (line) =>
        line !== '' && !/^(--|\\|SET |SELECT pg_catalog\.set_config|CREATE EXTENSION|COMMENT ON EXTENSION)/.test(line),
    )
    .join('\n')}\n`;
