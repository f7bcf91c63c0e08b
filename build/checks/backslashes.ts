import { sqlFunctions } from '../collect.ts';

const FUNCTION = /create (?:function|procedure) ([^\s(]+)([\s\S]*?)as (\$\w*\$)([\s\S]*?)\3/g;
const STRING = /(\b[eE])?'((?:[^']|'')*)'/g;

/** Where standard_conforming_strings is off, as some clients have it, a backslash in a plain string means something else. */
export const checkBackslashes = (): string[] =>
  sqlFunctions().flatMap((file) =>
    [...file.text.matchAll(FUNCTION)]
      .filter(([, , head = '', , body = '']) => {
        if (head.includes('set standard_conforming_strings to on')) return false;
        return [...body.replaceAll(/--.*/g, '').matchAll(STRING)].some(
          ([, e, text]) => e === undefined && text?.includes('\\'),
        );
      })
      .map(
        ([, name]) =>
          `${file.path}: ${name} has a backslash in a string; add "set standard_conforming_strings to on" or use E''`,
      ),
  );
