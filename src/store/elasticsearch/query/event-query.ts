/** EventFilter to a query: it selects the very events that `matchesEvent` does. */
import { LOG_LEVELS } from '../../../domain/event/event.ts';
import type { EventFilter } from '../../../domain/search/filter.ts';
import type { SearchField, SearchQuery } from '../../../domain/search/search.ts';
import { all, between, hasLabels, names, oneOf, phrase, type Query } from './dsl.ts';

const SEARCH_FIELDS: Record<SearchField, string> = {
  level: 'log.level',
  host: 'host.name',
  step: 'event.action',
  status: 'shiplog.status',
  service: 'service.name',
  environment: 'service.environment',
  source: 'shiplog.source',
  stream: 'shiplog.stream',
};

export function eventQuery(filter: EventFilter): Query {
  const filters: Query[] = [
    ...oneOf('shiplog.task.id', filter.taskId === undefined ? undefined : [filter.taskId]),
    ...oneOf('shiplog.kind', filter.kinds),
    ...oneOf('service.name', filter.services),
    ...oneOf('service.environment', filter.environments),
    ...names('host.name', filter.hosts),
    ...oneOf('event.action', filter.steps),
    ...oneOf('shiplog.attempt', filter.attempts),
    ...oneOf('log.level', filter.levels),
    ...oneOf('log.level', atLeast(filter.minLevel)),
    ...oneOf('shiplog.status', filter.statuses),
    ...oneOf('shiplog.stream', filter.streams),
    ...oneOf('shiplog.source', filter.sources),
    ...between('@timestamp', filter.from, filter.to),
    ...hasLabels(filter.labels),
  ];
  const not: Query[] = [];
  for (const { query, negated } of searchTerms(filter.search))
    (negated ? not : filters).push(query);
  return all(filters, not);
}

function atLeast(level: EventFilter['minLevel']): string[] | undefined {
  return level === undefined ? undefined : LOG_LEVELS.slice(LOG_LEVELS.indexOf(level));
}

function searchTerms(search: SearchQuery | undefined): { query: Query; negated: boolean }[] {
  return (search?.terms ?? []).map((term) => ({
    negated: term.negated,
    query:
      term.kind === 'words'
        ? phrase('shiplog.words', term.words, term.prefix)
        : { [term.prefix ? 'prefix' : 'term']: { [SEARCH_FIELDS[term.field]]: term.value } },
  }));
}
