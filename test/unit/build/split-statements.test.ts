import { describe, expect, test } from 'vitest';
import { orReplace } from '../../../build/assemble.ts';
import { splitStatements, stripComments } from '../../../build/split-statements.ts';

describe('splitStatements', () => {
  test('cuts at semicolons outside quotes, comments, dollar quotes and bodies', () => {
    const script = `
      -- a comment; with a semicolon
      select 'a;b', "c;d", $$ e; f $$, $x$ $$;$$ $x$; /* g; h */
      create function f() returns int language sql begin atomic select case when true then 1 else 2 end; select 3; end;
      select (1);`;
    expect(splitStatements(script).map(stripComments)).toHaveLength(3);
  });

  test('refuses what is not finished', () => {
    expect(() => splitStatements('select 1')).toThrow(/final semicolon/);
    expect(() => splitStatements(`select 'a;`)).toThrow(/unterminated/);
  });
});

test('orReplace changes statements and leaves bodies alone', () => {
  const body = `create function f() returns void language plpgsql as $$ begin execute 'create function g() returns int'; end $$;`;
  expect(orReplace(`-- why\n${body}\ncreate view v as select 1;\ngrant select on v to public;`)).toBe(
    `-- why\n${body.replace('create function f', 'create or replace function f')}\n\ncreate or replace view v as select 1;\n\ngrant select on v to public;`,
  );
});
