-- State of first and last where neither a key of 64 bits nor an array of the value's type will do:
-- both parts as text that reads back exactly. keyed is false while only NULL "by" was seen.
create type _tessera_functions.bookend as (
  keyed boolean,
  by_type regtype,
  by_text text,
  value_text text
);
