import { dump } from '../harness/psql.ts';
import type { Database } from '../harness/database.ts';

/**
 * The shape of everything the extension owns: tables with their columns, constraints, indexes and comments; functions
 * with bodies, grants and comments; views; types; triggers. pg_dump leaves members of extensions out, so they are let go
 * first; the database is of no use afterwards.
 */
export const catalogShape = async (db: Database): Promise<string> => {
  const members = await db.query(
    `select pg_identify_object(classid, objid, 0) as object, (pg_identify_object(classid, objid, 0)).type as type,
       (pg_identify_object(classid, objid, 0)).identity as identity
     from pg_depend where refclassid = 'pg_extension'::regclass and deptype = 'e'
       and refobjid = (select oid from pg_extension where extname = 'tessera')`,
  );
  for (const m of members) {
    // Rules of views and types of tables go with their owners.
    if (m.type === 'rule' || /\[\]$/.test(m.identity)) continue;
    if (
      m.type === 'type' &&
      (await db.value(
        'select typrelid <> 0 and (select relkind <> $2 from pg_class where oid = typrelid) from pg_type where oid = $1::regtype',
        [m.identity, 'c'],
      ))
    )
      continue;
    const kind = m.type === 'composite type' ? 'type' : m.type;
    await db.query(`alter extension tessera drop ${kind} ${m.identity}`);
  }
  return dump(db.name, ['--schema-only', '--no-owner'])
    .split('\n')
    .filter((line) => !line.startsWith('--') && !line.startsWith('\\') && line !== '')
    .join('\n');
};
