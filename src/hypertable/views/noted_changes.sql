create view _tessera_functions.noted_changes as
select hypertable_id, low, high from _tessera_functions.take_noted();
comment on view _tessera_functions.noted_changes is 'what a loopback connection noted of compressed rows; each is shown once';
grant select on _tessera_functions.noted_changes to public;
