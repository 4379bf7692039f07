/**
 * What fails, grouped by cause, in two searches: the largest groups first, then what is in them.
 *
 * Every shard tells only the first of its own groups. What is common over all may be rare in each,
 * so all shards tell all of theirs, by count alone; hosts, tasks and a sample are asked for the
 * few that are shown.
 */
import { z } from 'zod';
import { failureMessage } from '../../../domain/fold/failure-groups.ts';
import type { FailureGroup } from '../../../domain/fold/views.ts';
import type { StepFilter } from '../../../domain/search/filter.ts';
import type { Searcher } from '../cluster/searcher.ts';
import type { Names } from '../indices/names.ts';
import { all } from '../query/dsl.ts';
import { stepQuery } from '../query/view-query.ts';
import type { ViewReader } from './view-reader.ts';

export interface FailureQuery {
  filter: StepFilter;
  first: number;
}

const KEY = z.object({ key: z.string() });
const KEYS = z.object({ buckets: z.array(KEY) });
const SAMPLE = z.object({
  _source: z.object({
    host: z.object({ name: z.string() }),
    event: z.object({ action: z.string() }),
    shiplog: z.object({ task: z.object({ id: z.string() }) }),
  }),
});
const GROUP = KEY.extend({
  doc_count: z.number(),
  hostCount: z.object({ value: z.number() }),
  hosts: KEYS,
  steps: KEYS,
  tasks: KEYS,
  first: z.object({ value: z.number() }),
  last: z.object({ value: z.number() }),
  sample: z.object({ hits: z.object({ hits: z.tuple([SAMPLE]) }) }),
});
type Group = z.infer<typeof GROUP>;
const LARGEST = z.object({ groups: KEYS });
const GROUPS = z.object({ groups: z.object({ buckets: z.array(GROUP) }) });

const FINGERPRINT = 'shiplog.failure.fingerprint';
/** Groups of one shard that are looked at to find the largest of all. */
const GROUPS_SEEN_MAX = 50_000;
const NAMES_MAX = 20;

export async function readFailureGroups(
  { searcher, names, views }: { searcher: Searcher; names: Names; views: ViewReader },
  queries: readonly FailureQuery[],
): Promise<FailureGroup[][]> {
  const ask = <A>(bodies: Record<string, unknown>[], schema: z.ZodType<A>) =>
    searcher.aggregate(
      bodies.map((body) => ({ index: names.allViews, body })),
      schema,
    );
  const counted = await ask(queries.map(largestGroups), LARGEST);
  const largest = counted.map(({ aggregations }) => listed(aggregations?.groups));
  const found = queries.flatMap((query, at) => {
    const fingerprints = largest[at] as string[];
    return fingerprints.length === 0 ? [] : [{ at, body: groupDetails(query, fingerprints) }];
  });
  const answers = await ask(
    found.map(({ body }) => body),
    GROUPS,
  );
  const groups: Group[][] = queries.map(() => []);
  for (const [i, { at }] of found.entries()) {
    groups[at] = answers[i]?.aggregations?.groups.buckets ?? [];
  }
  const samples = await views.stepsByKey(
    groups.flat().map(({ sample }) => {
      const [newest] = sample.hits.hits;
      const { host, event, shiplog } = newest._source;
      return { taskId: shiplog.task.id, host: host.name, step: event.action };
    }),
  );
  let next = 0;
  return groups.map((some) =>
    some.flatMap((group): FailureGroup[] => {
      const sample = samples[next++];
      return sample == null
        ? []
        : [{ ...described(group), message: failureMessage(sample), sample }];
    }),
  );
}

function listed(keys: z.infer<typeof KEYS> | undefined): string[] {
  return keys?.buckets.map(({ key }) => key) ?? [];
}

function described({ key, doc_count, hostCount, hosts, steps, tasks, first, last }: Group) {
  return {
    fingerprint: key,
    count: doc_count,
    hostCount: hostCount.value,
    hosts: listed(hosts),
    steps: listed(steps),
    tasks: listed(tasks),
    firstAt: first.value,
    lastAt: last.value,
  };
}

const LAST = { max: { field: 'event.end' } };
const ORDER = [{ _count: 'desc' }, { last: 'desc' }, { _key: 'asc' }];

function grouped(filter: StepFilter, groups: object): Record<string, unknown> {
  return {
    size: 0,
    track_total_hits: false,
    query: all([stepQuery(filter), { exists: { field: FINGERPRINT } }]),
    aggs: { groups },
  };
}

/** The fingerprints of the largest groups, counted over all shards. */
export function largestGroups({ filter, first }: FailureQuery): Record<string, unknown> {
  const terms = { field: FINGERPRINT, size: first, shard_size: GROUPS_SEEN_MAX, order: ORDER };
  return grouped(filter, { terms, aggs: { last: LAST } });
}

/** What is in these groups. Their names are newest first: so a shard's first are enough. */
export function groupDetails(
  { filter }: FailureQuery,
  fingerprints: readonly string[],
): Record<string, unknown> {
  const newest = (field: string) => ({
    terms: { field, size: NAMES_MAX, order: [{ last: 'desc' }, { _key: 'asc' }] },
    aggs: { last: LAST },
  });
  return grouped(filter, {
    terms: { field: FINGERPRINT, size: fingerprints.length, include: fingerprints, order: ORDER },
    aggs: {
      hostCount: { cardinality: { field: 'host.name', precision_threshold: 10_000 } },
      hosts: newest('host.name'),
      steps: newest('event.action'),
      tasks: newest('shiplog.task.id'),
      first: { min: { field: 'event.end' } },
      last: LAST,
      sample: {
        top_hits: {
          size: 1,
          sort: [
            { 'event.end': 'desc' },
            { 'shiplog.task.id': 'asc' },
            { 'host.name': 'asc' },
            { 'event.action': 'asc' },
          ],
          _source: ['host.name', 'event.action', 'shiplog.task.id'],
        },
      },
    },
  });
}
