import { one, query, run } from '../../engine/spi.ts';
import { inMaintenance } from '../../engine/session.ts';
import type { Cagg } from '../query/cagg.ts';
import { queryWhere, type SourcedView } from '../query/ranged-query.ts';
import { replaceUserView, STALE } from './user-view-ddl.ts';

/** The query over raw rows of the range that the view names for each part it has to read. */
export const rawQueryOf = (v: SourcedView): string =>
  queryWhere(v, (time) => `${time} >= ${STALE.first} and ${time} <= ${STALE.last}`);

/** Makes the view anew in place, under the names its columns have by now. */
export const rebuildView = (cagg: Cagg, materializedOnly: boolean): void => {
  const columns = query<{ view: string; mat: string }>(
    `select v.attname as view, m.attname as mat
     from pg_attribute v join pg_attribute m on m.attrelid = $2::int8::oid and m.attnum = v.attnum
     where v.attrelid = $1::int8::oid and v.attnum > 0 order by v.attnum`,
    [cagg.userView, cagg.matOid],
  );
  const { options } = one<{ options: string[] | null }>(
    'select reloptions::text[] as options from pg_class where oid = $1::int8::oid',
    [cagg.userView],
  );
  inMaintenance(() =>
    run(
      replaceUserView(
        cagg.view,
        {
          id: cagg.id,
          mat: cagg.mat,
          columns,
          bucketColumn: cagg.bucketColumn,
          timeType: cagg.timeType,
          rawQuery: rawQueryOf({ view: cagg.partialView, source: cagg.source, timeColumn: cagg.timeColumn }),
        },
        materializedOnly,
        options,
      ),
    ),
  );
};
