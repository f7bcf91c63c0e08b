create extension plv8;

create function f(a int, b text, c jsonb, d int[], e bytea, t timestamptz) returns jsonb language plv8 as $$
  return { a, b, c, d, e: e && e.length, t: t && t.toISOString() } $$;

select f(1, 'x', '{"a": [1, null]}', array[1, null], '\x00ff', now()), f(null, null, null, null, null, null);

create function rows() returns table (x int, y text) language plv8 as $$ plv8.return_next({ x: 1, y: 'a' }); return [{ x: 2, y: null }] $$;

select * from rows();

do $$ for (let i = 0; i < 50; i++) {
  try { plv8.execute('select 1/0') } catch (e) { if (e.sqlerrcode !== '22012') throw e }
  plv8.subtransaction(() => plv8.execute('select $1::int, $2::text', [i, 'x']));
} $$ language plv8;

do $$ const p = plv8.prepare('select g from generate_series(1, $1) g', ['int']); p.execute([5]);
  const c = p.cursor([5]); c.fetch(); c.fetch(2); c.move(1); c.close(); p.free() $$ language plv8;

do $$ const e = new Error('meant to fail'); e.detail = 'd'; e.hint = 'h'; throw e $$ language plv8;

do $$ const g = () => g(); try { g() } catch (e) {} $$ language plv8;

create domain nn as int not null;

create type pair as (a nn, b int[]);

create function held(a int) returns pair language plv8 as $$ return { a, b: [1, 2] } $$;

select held(1), held(2);

select held(null);

create function echo(x plv8_float8array) returns plv8_float8array language plv8 as $$ return x $$;

select echo(array[1.5, 2.5]);

create function doubles(x jsonb) returns jsonb language plv8 as $$ return { x, y: [0.1 + 0.2, 5n, new Date(0), 'z\u0000'] } $$;

select doubles('{"a": [1e20, {"b": null}], "__proto__": {"c": 1}}');

do $$ plv8.execute('select $1::pair[], $2::bytea', [[{ a: 1, b: [1] }, null], new ArrayBuffer(5)]) $$ language plv8;

do $$ try { plv8.execute('select $1::float8[]', [new Float64Array(3)]) } catch (e) { if (e.sqlerrcode !== '0A000') throw e } $$ language plv8;

do $$ const a = []; for (;;) a.push(new ArrayBuffer(1e7)) $$ language plv8;

create table t (a int, b text);

create function trg() returns trigger language plv8 as $$ NEW.b = TG_OP; return NEW $$;

create trigger trg before insert on t for each row execute function trg();

insert into t select i from generate_series(1, 20) i;

create procedure p() language plv8 as $$ plv8.execute('insert into t values (99)'); plv8.commit() $$;

call p();

set statement_timeout = '2s';

do $$ for (;;); $$ language plv8;

set statement_timeout = 0;

select 'everything' || ' ran' as done, count(*) from t where b = 'INSERT';

