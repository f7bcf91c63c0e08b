import { nullArgument } from '../../lib/failures.ts';
import { defineFunction, returnsScalar } from '../../udf/define-function.ts';
import { answerOf, createAggregateView } from '../create-view.ts';

export const create_aggregate_view = defineFunction({
  schema: '_tessera_functions',
  name: 'create_aggregate_view',
  args: [
    { name: 'name', type: 'text', doc: 'of the view' },
    { name: 'query', type: 'text', doc: 'what it answers' },
    { name: 'if_not_exists', type: 'boolean', doc: 'a NOTICE instead of an error when the name is taken' },
    { name: 'search_path', type: 'text', doc: 'by which names are found' },
  ],
  returns: returnsScalar('bigint'),
  volatility: 'volatile',
  summary: 'Creates a view whose aggregates are computed where the rows are; the work behind create_aggregate_view().',
  privileges: 'owner of the tables',
  handler: (
    name: string | null,
    query: string | null,
    ifNotExists: boolean | null,
    searchPath: string,
  ): bigint | null => {
    if (name === null || query === null) throw nullArgument(name === null ? 'name' : 'query');
    return createAggregateView({ name, query, searchPath, ifNotExists: ifNotExists === true });
  },
});

export const split_query = defineFunction({
  schema: '_tessera_functions',
  name: 'split_query',
  args: [
    { name: 'query', type: 'text', doc: 'a query that aggregates' },
    { name: 'search_path', type: 'text', doc: 'by which names are found' },
  ],
  returns: returnsScalar('text'),
  volatility: 'volatile',
  summary: 'The SQL by which the parts of a table answer a query; the work behind tessera.query().',
  privileges: 'owner of the tables',
  handler: (query: string | null, searchPath: string): string => {
    if (query === null) throw nullArgument('query');
    return answerOf(query, searchPath);
  },
});
