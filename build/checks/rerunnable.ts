import { sqlFunctions, views } from '../collect.ts';
import { splitStatements, stripComments } from '../split-statements.ts';

const ALLOWED = /^(create (function|procedure|aggregate|view) |comment on |grant |revoke )/;

/** Files that every update runs again may hold only what can run twice. */
export const checkRerunnable = (): string[] =>
  [...sqlFunctions(), ...views()].flatMap((file) => {
    const statements = splitStatements(file.text).map(stripComments);
    const bad = statements
      .filter((s) => !ALLOWED.test(s))
      .map(
        (s) =>
          `${file.path}: "${s.slice(0, 50).replaceAll('\n', ' ')}…" cannot run twice; put it into sql/install and sql/updates`,
      );
    const created = statements.filter((s) => /^create (function|aggregate|view) /.test(s)).length;
    const commented = statements.filter((s) => /^comment on (function|aggregate|view) /.test(s)).length;
    return commented < created ? [...bad, `${file.path}: ${created - commented} object(s) without COMMENT ON`] : bad;
  });
