import { maybeOne, one, run } from '../engine/spi.ts';
import { foreignOrigin } from './failures.ts';

export const originHere = (): string =>
  one<{ origin: string }>('select _tessera_functions.cluster_origin() as origin').origin;

/** Whose nodes the catalog lists; undefined before the first one. */
export const knownOrigin = (): string | undefined =>
  maybeOne<{ origin: string }>('select origin from _tessera_catalog.pg_dist_origin')?.origin;

/** Whether the nodes in the catalog are those of another database, of which this one is a copy. */
export const isCopy = (): boolean => {
  const known = knownOrigin();
  return known !== undefined && known !== originHere();
};

/** The name under which this database is known on its nodes; refused where the catalog is somebody else's. */
export const origin = (): string => {
  const here = originHere();
  const known = knownOrigin();
  if (known === undefined) run('insert into _tessera_catalog.pg_dist_origin (origin) values ($1)', [here]);
  else if (known !== here) throw foreignOrigin();
  return here;
};
