import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type Compilable,
} from 'kysely';
import type { Database } from './database.ts';
import { query } from '../engine/spi.ts';

/** Builds catalog queries; nothing is ever sent through Kysely's own driver, `rows` executes what compile() gives. */
export const db = new Kysely<Database>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (k) => new PostgresIntrospector(k),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
}).withSchema('_tessera_catalog');

export const rows = <T>(builder: Compilable<T>): T[] => {
  const compiled = builder.compile();
  return query<T>(compiled.sql, compiled.parameters as readonly unknown[]);
};

export const firstRow = <T>(builder: Compilable<T>): T | undefined => rows(builder)[0];
