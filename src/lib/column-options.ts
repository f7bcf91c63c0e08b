/**
 * SQL for the options of a column that people set, as text[]. PostgreSQL keeps a version of each column among them
 * since its minor releases of November 2026, pg_attver, which nobody sets and every table has for itself.
 */
export const columnOptions = (attoptions: string): string =>
  `array(select o from unnest(${attoptions}) with ordinality u(o, n) where not starts_with(o, 'pg_attver=') order by n)`;
