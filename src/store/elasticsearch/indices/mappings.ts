/**
 * Index templates: strict, versioned, and only ever added to. ECS has the names where it knows the
 * thing (so Kibana and Grafana read the indices without a guide); the rest is under `shiplog`.
 *
 * `allow_auto_create: false` is what keeps a deleted day deleted: whatever the cluster's own
 * setting, a late write into it fails instead of making an index without its mapping.
 */
import type { ResolvedConfig } from '../cluster/config.ts';
import { Names } from './names.ts';

/** Counted up when a field is added. A cluster with a greater one is refused. */
export const TEMPLATE_VERSION = 2;

/** Above what Elasticsearch's own and Fleet's templates have. */
export const PRIORITY = 520;

type Properties = Record<string, object>;

/** A value to filter, sort and group by. */
const keyword = { type: 'keyword' };
/** To filter by only. */
const term = { type: 'keyword', doc_values: false };
/** To sort and group by only. */
const column = { type: 'keyword', index: false };
/** Only shown. */
const shown = { type: 'keyword', index: false, doc_values: false };
const blob = { type: 'object', enabled: false };
const date = { type: 'date', format: 'epoch_millis' };
const long = { type: 'long' };
const integer = { type: 'integer' };
const double = { type: 'double' };
const boolean = { type: 'boolean' };
const words = { type: 'text', analyzer: 'whitespace', norms: false };

function object(properties: Properties): object {
  return { properties };
}

const EVENT_PROPERTIES: Properties = {
  '@timestamp': date,
  event: object({
    id: term,
    action: keyword,
    outcome: keyword,
    ingested: { ...date, index: false },
    sequence: { ...long, index: false },
    duration: { ...long, index: false },
  }),
  log: object({ level: keyword }),
  host: object({ name: keyword }),
  service: object({ name: keyword, environment: keyword }),
  process: object({ command_line: shown, exit_code: integer }),
  error: object({ code: keyword, message: shown }),
  // For Kibana's searches; ours are over the words.
  message: { type: 'text', norms: false },
  labels: { type: 'flattened' },
  shiplog: object({
    id: column,
    digest: shown,
    kind: keyword,
    task: object({ id: keyword, change: blob }),
    attempt: integer,
    status: keyword,
    stream: keyword,
    source: keyword,
    writer: keyword,
    duration_ms: { ...double, index: false },
    progress: blob,
    params: blob,
    /** `@timestamp` is when it was received: the sender's clock was never set. */
    at_replaced: boolean,
    words,
  }),
};

/** Tasks, runs and steps of a day in one index: `shiplog.view` tells which. */
const VIEW_PROPERTIES: Properties = {
  event: object({ action: keyword, start: date, end: date, ingested: date, created: date }),
  host: object({ name: keyword }),
  service: object({ name: keyword, environment: keyword, version: keyword }),
  error: object({ code: keyword }),
  labels: { type: 'flattened' },
  shiplog: object({
    view: keyword,
    /** Counted up when views are folded anew from the beginning. */
    generation: integer,
    task: object({ id: keyword, created_by: keyword, over: boolean }),
    status: keyword,
    /** Before the end of its task is considered: what a task's counters count. */
    base_status: keyword,
    rank: integer,
    duration_ms: double,
    step: object({ index: integer, failed: keyword }),
    out_of_rotation: date,
    failure: object({ text: shown, fingerprint: keyword }),
    position: object({ shard: keyword, seq: long }),
    /** A run's row of the matrix, in one column. */
    cells: column,
    words,
    /** What is shown of a task, as JSON. */
    shown,
    /** The fold's own state, as JSON. */
    state: shown,
  }),
};

const HOST_PROPERTIES: Properties = {
  host: object({ name: keyword }),
  event: object({ created: date, ingested: date }),
  labels: { type: 'flattened' },
  shiplog: object({ state: shown }),
};

const META_PROPERTIES: Properties = {
  shiplog: object({
    kind: keyword,
    day: keyword,
    /** What the events of a task are stamped with. */
    task: object({
      said: shown,
      // From version 1.
      ...{ service: shown, environment: shown, said_at: { ...long, index: false } },
    }),
    /** Who keeps the views of a shard, and how far they are. */
    shard: object({
      owner: keyword,
      beat: { ...long, index: false },
      folded: long,
      history: long,
      generation: integer,
      /** Which fold made them. */
      fold: integer,
    }),
    /** What is left of a removed day: the last seq of each shard, and until when it is remembered. */
    final: blob,
    until: { ...long, index: false },
  }),
};

export interface Template {
  name: string;
  body: Record<string, unknown>;
}

export type IndexKind = 'events' | 'views' | 'hosts' | 'meta';

/** Settings and mappings of an index: given when it is made, so that nothing hangs on a template. */
export function indexBody(kind: IndexKind, config: ResolvedConfig): Record<string, unknown> {
  const perDay = kind === 'events' || kind === 'views';
  const shards = perDay ? config.shards : 1;
  const properties = {
    events: EVENT_PROPERTIES,
    views: VIEW_PROPERTIES,
    hosts: HOST_PROPERTIES,
    meta: META_PROPERTIES,
  }[kind];
  return {
    settings: {
      'index.number_of_shards': shards,
      'index.number_of_routing_shards': shards,
      'index.number_of_replicas': config.replicas,
      'index.refresh_interval': `${config.refreshMs}ms`,
      'index.translog.durability': 'request',
      ...(kind === 'events' ? { 'index.seq_no.index_options': 'points_and_doc_values' } : {}),
    },
    mappings: {
      dynamic: 'strict',
      date_detection: false,
      ...(perDay ? { _routing: { required: true } } : {}),
      properties,
    },
  };
}

export function templates(config: ResolvedConfig): Template[] {
  const names = new Names(config.prefix);
  const template = (kind: IndexKind, pattern: string): Template => ({
    name: pattern.replace(/-\*$/, ''),
    body: {
      index_patterns: [pattern],
      priority: PRIORITY,
      version: TEMPLATE_VERSION,
      allow_auto_create: false,
      _meta: { product: 'shiplog', version: TEMPLATE_VERSION },
      template: indexBody(kind, config),
    },
  });
  return [
    template('events', names.allEvents),
    template('views', names.allViews),
    template('hosts', names.hosts),
    template('meta', names.meta),
  ];
}
