import { featureTypes, installFiles, sqlFunctions, updateFiles, views } from '../collect.ts';
import { splitStatements, stripComments } from '../split-statements.ts';

const CREATES =
  /^create (?:or replace )?(?:unlogged )?(function|procedure|aggregate|view|table|sequence|type|domain) (?:if not exists )?([^\s(]+)/i;

/** Scripts run under a search_path of pg_catalog: what is created without its schema would end up there, or nowhere. */
export const checkQualified = (): string[] =>
  [...installFiles(), ...updateFiles(), ...featureTypes(), ...sqlFunctions(), ...views()].flatMap((file) =>
    splitStatements(file.text).flatMap((statement) => {
      const [, kind, name] = CREATES.exec(stripComments(statement)) ?? [];
      return name === undefined || name.includes('.')
        ? []
        : [`${file.path}: ${kind} ${name} is created without its schema; write it in full`];
    }),
  );
