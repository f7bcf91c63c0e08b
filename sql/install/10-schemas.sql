create schema _tessera_catalog;
comment on schema _tessera_catalog is 'metadata of hypertables, readable by everybody, written by tessera alone';
create schema _tessera_functions;
comment on schema _tessera_functions is 'internal functions and types of tessera';
create schema tessera_information;
comment on schema tessera_information is 'views about hypertables, dimensions and chunks';
create schema tessera_read;
comment on schema tessera_read is 'views of hypertables with compression, which decode compressed rows in the session that reads them';
create schema tessera;
comment on schema tessera is 'care of the extension itself';

grant usage on schema _tessera_catalog, _tessera_functions, tessera_information, tessera_read, tessera to public;
