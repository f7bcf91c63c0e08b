import { describe, expect, test } from 'vitest';
import { splitList, type Clauses } from '../../../../src/lib/sql-clauses.ts';
import { tokenize } from '../../../../src/lib/sql-tokens.ts';
import {
  clauses,
  groupItems,
  hasSeveralStatements,
  replaceRelation,
  withoutOrder,
  withoutSemicolon,
} from '../../../../src/lib/view-text.ts';
import { addTarget, bucketArguments, bucketCall, bucketCallOf } from '../../../../src/cagg/query/view-text.ts';

// As pg_get_viewdef() of PostgreSQL 17 prints them with search_path = pg_catalog, pg_temp.
const PLAIN = ` SELECT public.time_bucket('01:00:00'::interval, "time") AS bucket,
    device,
    avg(temp) AS avg
   FROM public.conditions
  GROUP BY (public.time_bucket('01:00:00'::interval, "time")), device;`;
const JOINED = ` SELECT public.time_bucket('01:00:00'::interval, c."time", "offset" => '00:05:00'::interval) AS bucket,
    d.name,
    avg(c.temp) FILTER (WHERE ((c.temp > (3)::double precision) AND (c.note <> 'x FROM y WHERE ('::text))) AS avg
   FROM ((public.conditions c
     JOIN public.devices d ON ((d.id = c.device)))
     LEFT JOIN public.sites s ON ((s.id = d.site)))
  WHERE (c.note = 'it''s ; FROM ('::text)
  GROUP BY (public.time_bucket('01:00:00'::interval, c."time", "offset" => '00:05:00'::interval)), d.name
 HAVING (count(*) > 1);`;
const GROUPED = ` SELECT max(c.temp) AS max,
    string_agg(c.note, ','::text ORDER BY c.temp DESC, c.note) AS s,
    percentile_cont((0.5)::double precision) WITHIN GROUP (ORDER BY c.temp) AS p
   FROM public.conditions c,
    public.devices d
  WHERE (d.id = c.device)
  GROUP BY (public.time_bucket('01:00:00'::interval, c."time", timezone => 'Europe/Berlin'::text, origin => '2000-01-01 00:00:00+00'::timestamp with time zone)), d.id, (EXTRACT(dow FROM c."time")), (c.device IS DISTINCT FROM 3);`;
const KEYWORDS = ` SELECT public.time_bucket('01:00:00'::interval, "time") AS b,
    count(DISTINCT device) AS count,
    EXTRACT(epoch FROM min("time")) AS e,
    SUBSTRING(loc FROM 2 FOR 3) AS "substring",
    TRIM(BOTH ' '::text FROM loc) AS btrim,
        CASE
            WHEN (device IS DISTINCT FROM 3) THEN 'FROM'::text
            ELSE 'a\\b'::text
        END AS "case",
    ((device IS DISTINCT FROM 1) OR (temp IS DISTINCT FROM (2.0)::double precision)) AS x,
    max(("time" AT TIME ZONE 'utc'::text)) AS max,
    ARRAY[device, 2] AS "array",
    max("from") AS "from"
   FROM public.conditions
  GROUP BY (public.time_bucket('01:00:00'::interval, "time")), loc, device, temp;`;
const WEIRD = ` SELECT public.time_bucket('01:00:00'::interval, "time") AS b,
    sum("a.b") AS "sum, of(",
    count(t.*) AS count
   FROM "we""ird.s"."ta.b
le" t
  GROUP BY (public.time_bucket('01:00:00'::interval, "time"));`;
const SAME_NAMES = ` SELECT public.time_bucket('01:00:00'::interval, conditions."time") AS b,
    count(*) AS count
   FROM public.conditions,
    c.conditions c,
    public.sites
  WHERE (((c.temp)::double precision = conditions.temp) AND (sites.conditions = conditions.note))
  GROUP BY (public.time_bucket('01:00:00'::interval, conditions."time"));`;
const NESTED = ` SELECT public.time_bucket('01:00:00'::interval, conditions."time") AS b,
    count(*) AS count
   FROM ((public.conditions
     JOIN c.conditions x ON ((x.temp = conditions.device)))
     CROSS JOIN (public.sites
     JOIN public.devices USING (id)))
  GROUP BY (public.time_bucket('01:00:00'::interval, conditions."time")), sites.id;`;
const NAMED_JOIN = ` SELECT public.time_bucket('01:00:00'::interval, j.t) AS b,
    count(*) AS count
   FROM (public.conditions
     LEFT JOIN public.devices ON ((devices.id = conditions.device))) j(t, device, temp, note, "from", loc, id, name, "time", site)
  GROUP BY (public.time_bucket('01:00:00'::interval, j.t));`;
const SAMPLED = ` SELECT public.time_bucket('01:00:00'::interval, "time") AS b,
    count(*) AS count,
    max(CURRENT_DATE) AS max
   FROM ONLY public.conditions TABLESAMPLE system (10)
  GROUP BY (public.time_bucket('01:00:00'::interval, "time"))
  ORDER BY (public.time_bucket('01:00:00'::interval, "time"))
 LIMIT 3;`;
const SUBQUERIES = ` SELECT public.time_bucket('01:00:00'::interval, s."time") AS b,
    count(*) AS count
   FROM ( SELECT conditions."time",
            conditions.device
           FROM public.conditions) s,
    generate_series(1, 3) g(g),
    ( VALUES (1)) v,
    LATERAL ( SELECT s.device) l
  GROUP BY (public.time_bucket('01:00:00'::interval, s."time"));`;
const CONDITIONS = { schema: 'public', name: 'conditions' };

const clause = (text: string, name: keyof Clauses): string | undefined => {
  const range = clauses(text)[name];
  return range && text.slice(range.start, range.end);
};
const between = (text: string, start: string, end: string): string =>
  text.slice(text.indexOf(start) + start.length, text.lastIndexOf(end)).trim();

describe('tokens', () => {
  const texts = (text: string): string[] => tokenize(text).map((t) => t.text);
  test('strings, names and casts', () => {
    expect(texts(`a.b::text||'it''s'"x ""y"E'\\'q'`)).toEqual([
      ...['a', '.', 'b', '::', 'text', '|', '|', "'it''s'", '"x ""y"', "E'\\'q'"],
    ]);
    expect(texts('f(a => $1, b := 1.5e3)')).toEqual(['f', '(', 'a', '=>', '$1', ',', 'b', ':=', '1.5e3', ')']);
  });
  test('dollar quotes end at their own tag', () => {
    expect(texts('$$a;b$$ $x$ $$;$y$ $x$ c$1$')).toEqual(['$$a;b$$', '$x$ $$;$y$ $x$', 'c$1$']);
  });
  test('comments are left out, nested ones too', () => {
    expect(texts("a -- b ; '\n/* c /* ; */ ' */ d/**/e -")).toEqual(['a', 'd', 'e', '-']);
    expect(texts('a /* b')).toEqual(['a']);
  });
  test('an E string goes on after a line break', () => {
    expect(texts("E'a' -- x\n '\\'' b")).toEqual(["E'a' -- x\n '\\''", 'b']);
    expect(texts("E'a' '\\' b")).toEqual(["E'a'", "'\\'", 'b']);
  });
  test('depth counts parentheses and brackets', () => {
    expect(tokenize('a(b[c])').map((t) => t.depth)).toEqual([0, 0, 1, 1, 2, 1, 0]);
  });
  test('long texts take linear time', () => {
    expect(tokenize(`'${"a''".repeat(1_000_000)}'`)).toHaveLength(1);
    expect(tokenize('a,'.repeat(200_000))).toHaveLength(400_000);
  });
});

describe('clauses', () => {
  test('of a query with all of them', () => {
    expect(clause(JOINED, 'select')).toBe(between(JOINED, ' SELECT ', '\n   FROM (('));
    expect(clause(JOINED, 'from')).toBe(between(JOINED, '   FROM ', '\n  WHERE (c'));
    expect(clause(JOINED, 'where')).toBe("(c.note = 'it''s ; FROM ('::text)");
    expect(clause(JOINED, 'groupBy')).toBe(between(JOINED, ' GROUP BY ', '\n HAVING'));
    expect(clause(JOINED, 'having')).toBe('(count(*) > 1)');
    expect(clause(JOINED, 'rest')).toBeUndefined();
  });
  test('those that are missing are missing', () => {
    expect(Object.keys(clauses(PLAIN))).toEqual(['select', 'from', 'groupBy']);
    expect(clause(PLAIN, 'from')).toBe('public.conditions');
  });
  test('keywords inside of expressions start none', () => {
    expect(clause(KEYWORDS, 'from')).toBe('public.conditions');
    expect(splitList(clause(KEYWORDS, 'select') ?? '')).toHaveLength(10);
    expect(clause(GROUPED, 'from')).toBe('public.conditions c,\n    public.devices d');
    expect(clause('SELECT a IS NOT DISTINCT FROM b, c.from AS where FROM t', 'from')).toBe('t');
  });
  test('ORDER BY and what follows is the rest', () => {
    expect(clause(SAMPLED, 'rest')).toBe(`ORDER BY (public.time_bucket('01:00:00'::interval, "time"))\n LIMIT 3`);
    expect(clause(SAMPLED, 'groupBy')).toBe(`(public.time_bucket('01:00:00'::interval, "time"))`);
  });
  test('ORDER BY at the end goes, unless it decides which rows there are', () => {
    const ordered = SAMPLED.replace(/\s*LIMIT 3/, '');
    expect(ordered).toMatch(/ORDER BY/);
    expect(withoutOrder(ordered)).toBe(SAMPLED.slice(0, SAMPLED.indexOf('ORDER BY')).trimEnd());
    for (const text of [SAMPLED, PLAIN, GROUPED, 'SELECT 1 UNION SELECT 2 ORDER BY 1', 'TABLE t'])
      expect(withoutOrder(text)).toBeUndefined();
  });
  test('the texts of clauses in brackets are left alone', () => {
    expect(Object.keys(clauses(SUBQUERIES))).toEqual(['select', 'from', 'groupBy']);
  });
  test('another statement is refused', () => {
    expect(() => clauses(' WITH x AS (SELECT 1) SELECT 2')).toThrow('cannot read the definition of a view');
  });
});

describe('replacing a relation', () => {
  const replaced = (text: string, relation = CONDITIONS): string | undefined => {
    const result = replaceRelation(text, relation, '(X)');
    expect(result.count).toBe(result.text === text ? 0 : 1);
    return clause(result.text, 'from');
  };
  test('without an alias it keeps its name', () => {
    expect(replaceRelation(PLAIN, CONDITIONS, 'other.rel').text).toBe(
      PLAIN.replace('FROM public.conditions', 'FROM other.rel AS conditions'),
    );
  });
  test('with an alias it keeps that', () => {
    expect(replaceRelation(JOINED, CONDITIONS, '(X)').text).toBe(JOINED.replace('((public.conditions c', '(((X) c'));
    expect(replaced('SELECT 1 FROM public.conditions AS c')).toBe('(X) AS c');
    expect(replaced('SELECT 1 FROM public.conditions "LEFT"(a, b)')).toBe('(X) "LEFT"(a, b)');
  });
  test('at any place of FROM', () => {
    expect(replaced(JOINED, { schema: 'public', name: 'sites' })).toContain('LEFT JOIN (X) s ON');
    expect(replaced(NESTED)).toContain(
      '(((X) AS conditions\n     JOIN c.conditions x ON ((x.temp = conditions.device)))',
    );
    expect(replaced(NESTED, { schema: 'public', name: 'sites' })).toContain('CROSS JOIN ((X) AS sites\n     JOIN');
    expect(replaced(NESTED, { schema: 'public', name: 'devices' })).toContain('JOIN (X) AS devices USING (id)))');
    expect(replaced(NAMED_JOIN)).toContain('((X) AS conditions\n     LEFT JOIN');
    expect(replaced(GROUPED, { schema: 'public', name: 'devices' })).toBe('public.conditions c,\n    (X) d');
    expect(replaced(SAMPLED)).toBe('ONLY (X) AS conditions TABLESAMPLE system (10)');
  });
  test('names are compared as PostgreSQL reads them', () => {
    expect(replaced(WEIRD, { schema: 'we"ird.s', name: 'ta.b\nle' })).toBe('(X) t');
    expect(replaced(WEIRD.replace(' t\n', '\n'), { schema: 'we"ird.s', name: 'ta.b\nle' })).toBe('(X) AS "ta.b\nle"');
    expect(replaced(PLAIN, { schema: 'Public', name: 'conditions' })).toBe('public.conditions');
  });
  test('columns, aliases and other relations of that name stay', () => {
    expect(replaceRelation(SAME_NAMES, CONDITIONS, '(X)')).toEqual({
      text: SAME_NAMES.replace('FROM public.conditions', 'FROM (X) AS conditions'),
      count: 1,
    });
    expect(replaced(SAME_NAMES, { schema: 'c', name: 'conditions' })).toContain('public.conditions,\n    (X) c,\n');
    expect(replaced(SAME_NAMES, { schema: 'sites', name: 'conditions' })).toBe(clause(SAME_NAMES, 'from'));
    const on = 'SELECT 1 FROM (a.x public JOIN b.y ON ((public.conditions = y.b)))';
    expect(replaced(on)).toBe(clause(on, 'from'));
  });
  test('types and functions of that name stay', () => {
    const text = "SELECT ''::public.conditions FROM public.conditions(1), a.b WHERE (b.c = ''::public.conditions)";
    expect(replaceRelation(text, CONDITIONS, '(X)')).toEqual({ text, count: 0 });
  });
  test('subqueries stay as they are', () => {
    expect(replaceRelation(SUBQUERIES, CONDITIONS, '(X)')).toEqual({ text: SUBQUERIES, count: 0 });
  });
  test('each reference is replaced and counted', () => {
    const { text, count } = replaceRelation(
      'SELECT 1 FROM (s.t a CROSS JOIN s.t) WHERE x',
      { schema: 's', name: 't' },
      '(X)',
    );
    expect([text, count]).toEqual(['SELECT 1 FROM ((X) a CROSS JOIN (X) AS t) WHERE x', 2]);
  });
  test('a query without FROM has nothing to replace', () => {
    expect(replaceRelation(' SELECT 1;', CONDITIONS, '(X)').count).toBe(0);
  });
});

describe('adding a column', () => {
  test('it comes last in the select list', () => {
    expect(addTarget(KEYWORDS, 'count(*)', 'a"b')).toBe(
      KEYWORDS.replace('max("from") AS "from"', 'max("from") AS "from",\n    count(*) AS "a""b"'),
    );
  });
});

describe('the bucket', () => {
  test('items of GROUP BY', () => {
    expect(groupItems(GROUPED).slice(1)).toEqual([
      'd.id',
      '(EXTRACT(dow FROM c."time"))',
      '(c.device IS DISTINCT FROM 3)',
    ]);
    expect(groupItems(PLAIN)).toEqual([`(public.time_bucket('01:00:00'::interval, "time"))`, 'device']);
    expect(groupItems(PLAIN.replace('GROUP BY', 'GROUP BY DISTINCT'))).toEqual(groupItems(PLAIN));
    expect(groupItems('SELECT 1')).toEqual([]);
  });
  test('arguments with and without names', () => {
    expect(bucketCall(groupItems(GROUPED)[0] ?? '', 'public')).toEqual([
      { name: null, text: "'01:00:00'::interval" },
      { name: null, text: 'c."time"' },
      { name: 'timezone', text: "'Europe/Berlin'::text" },
      { name: 'origin', text: "'2000-01-01 00:00:00+00'::timestamp with time zone" },
    ]);
    expect(bucketCall(groupItems(JOINED)[0] ?? '', 'public')?.[2]).toEqual({
      name: 'offset',
      text: "'00:05:00'::interval",
    });
    expect(bucketCall(`public.time_bucket(make_interval(hours => 1), "time")`, 'public')).toEqual([
      { name: null, text: 'make_interval(hours => 1)' },
      { name: null, text: '"time"' },
    ]);
  });
  test('anything but exactly one call is none', () => {
    for (const item of [
      'device',
      `(other.time_bucket('1 day'::interval, t))`,
      `((public.time_bucket('1 day'::interval, t))::date)`,
      `(public.time_bucket('1 day'::interval, t) + '1 day'::interval)`,
      `(public.time_bucket('1 day'::interval, t)) + (x)`,
      `(public.time_bucket_gapfill('1 day'::interval, t))`,
      'public.time_bucket',
      '',
    ])
      expect(bucketCall(item, 'public'), item).toBeUndefined();
  });
  test('the schema may need quotes', () => {
    const call = `("My ""s".time_bucket('1 day'::interval, t))`;
    expect(bucketCall(call, 'My "s')).toHaveLength(2);
    expect(bucketCall(call.replace('"My ""s"', 'public'), 'My "s')).toBeUndefined();
  });
  test('what the arguments are for, the called overload tells', () => {
    const args = bucketCall(`public.time_bucket('1 day'::interval, t, x)`, 'public') ?? [];
    const none = { width: "'1 day'::interval", ts: 't', timezone: null, origin: null, offset: null };
    expect(bucketArguments(args, { names: ['bucket_width', 'ts', 'offset'] })).toEqual({ ...none, offset: 'x' });
    expect(bucketArguments(args, { names: ['bucket_width', 'ts', 'origin'] })).toEqual({ ...none, origin: 'x' });
    const zoned = { names: ['bucket_width', 'ts', 'timezone', 'origin', 'offset'] };
    expect(bucketArguments(args, zoned)).toEqual({ ...none, timezone: 'x' });
    const named = bucketCall(`public.time_bucket(ts => t, bucket_width => '1 day'::interval, "offset" => y)`, 'public');
    expect(bucketArguments(named ?? [], zoned)).toEqual({ ...none, offset: 'y' });
    expect(() => bucketArguments(args.slice(0, 1), zoned)).toThrow('cannot read the definition of a view');
  });
  test('the same call with another time', () => {
    const names = ['bucket_width', 'ts', 'timezone', 'origin', 'offset'];
    const args = bucketCall(groupItems(JOINED)[0] ?? '', 'public') ?? [];
    expect(bucketCallOf('My s', args, { names }, 'now()')).toBe(
      `"My s".time_bucket('01:00:00'::interval, now(), "offset" => '00:05:00'::interval)`,
    );
    const named = bucketCall('public.time_bucket(ts => t, bucket_width => w)', 'public') ?? [];
    expect(bucketCallOf('public', named, { names }, 'x')).toBe('"public".time_bucket("ts" => x, "bucket_width" => w)');
  });
});

describe('what someone typed', () => {
  test('one statement, with or without a semicolon', () => {
    for (const text of [
      'select 1',
      'select 1 ;  ',
      'select 1; -- the end;\n/* ; /* ; */ */',
      "select ';', $$;$$, $a$;$$;$a$, E'\\';', \";\" -- ;",
      "select E'a'\n  '\\'; drop table x'",
      '',
    ])
      expect(hasSeveralStatements(text), text).toBe(false);
  });
  test('several statements', () => {
    for (const text of [
      'select 1; select 2',
      'select 1;/* */drop table x;',
      "select 'a\\'; drop table x --'",
      'select $a$ $a$; drop table x',
      'select 1 -- x\n; x',
      "select E'a'\n'\\''; drop table x --'",
      'select (1; x)',
    ])
      expect(hasSeveralStatements(text), text).toBe(true);
  });
  test('a semicolon at the end goes away', () => {
    expect(withoutSemicolon(' SELECT 1;\n')).toBe('SELECT 1');
    expect(withoutSemicolon("SELECT ';'")).toBe("SELECT ';'");
    expect(withoutSemicolon('select 1; -- x')).toBe('select 1');
    expect(withoutSemicolon('select 1 -- x;')).toBe('select 1 -- x;');
  });
});
