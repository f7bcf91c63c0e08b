import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commentText, signature } from './emit-sql.ts';
import { loadDeclarations, root, sqlFunctions, views } from './collect.ts';
import { splitStatements, stripComments } from './split-statements.ts';

interface Entry {
  readonly name: string;
  readonly text: string;
}

const COMMENT = /^comment on (function|aggregate|view) (.+?\)?) is\s+'(.*)'\s*;$/is;

const fromSql = (): Entry[] =>
  [...sqlFunctions(), ...views()]
    .flatMap((f) => splitStatements(f.text))
    .map((s) => COMMENT.exec(stripComments(s)))
    .filter((m) => m !== null)
    .map((m) => ({ name: (m[2] ?? '').replaceAll('\n', ' '), text: (m[3] ?? '').replaceAll("''", "'") }));

const isPublic = (e: Entry): boolean => /^(@extschema@|tessera|tessera_information)\./.test(e.name);

/** "name: meaning" lines become a list; the first line stays a paragraph. */
const body = (text: string): string => {
  const [first = '', ...rest] = text.split('\n');
  const items = rest.map((line) => {
    const at = line.indexOf(': ');
    return at < 0 ? `- ${line}` : `- \`${line.slice(0, at)}\`: ${line.slice(at + 2)}`;
  });
  return [first, '', ...items].join('\n').trim();
};

export const referencePage = async (): Promise<string> => {
  const declared = (await loadDeclarations()).map((f) => ({ name: signature(f), text: commentText(f) }));
  const entries = [...declared, ...fromSql()]
    .filter(isPublic)
    .map((e) => ({ ...e, name: e.name.replace('@extschema@.', '') }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const sections = entries.map((e) => `## \`${e.name}\`\n\n${body(e.text)}\n`);
  return `# Reference\n\nMade from the declarations of the functions by \`make docs\`. User functions live in the schema given at
\`create extension\`, \`public\` by default; the page leaves it out.\n\n${sections.join('\n')}`;
};

if (process.argv[1]?.endsWith('reference-docs.ts'))
  writeFileSync(join(root, 'docs/reference.md'), await referencePage());
