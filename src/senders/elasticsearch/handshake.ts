/**
 * What clients ask around their bulk requests, and what they get: who the server is, a licence,
 * health, and that their templates and policies are welcome (they are not kept: there is nothing
 * that they would change). What Shiplog does not do is said in Elasticsearch's own shape.
 */
import { ElasticsearchError } from './errors.ts';

export interface Answer {
  status: number;
  body: unknown;
}

export interface Asked {
  method: string;
  /** Without the mount, decoded; none for the root. */
  segments: readonly string[];
  /** The version of the server that the client expects. */
  version: string;
}

const CLUSTER = 'shiplog';
const UUID = 'c2hpcGxvZ3NoaXBsb2dzaA';
const ACKNOWLEDGED = { acknowledged: true };

const OK = (body: unknown): Answer => ({ status: 200, body });

/** Throws an ElasticsearchError for what is not offered. */
export function answerHandshake(asked: Asked): Answer {
  const { method, segments, version } = asked;
  const reads = method === 'GET' || method === 'HEAD';
  const [first, second] = segments;
  if (first === undefined) {
    if (reads) return OK(root(version));
    throw noHandler(asked);
  }
  const own = reads ? readsOf(version)[first] : undefined;
  if (own !== undefined) return OK(typeof own === 'function' ? own(second) : own);
  if (SETTINGS.has(first)) return setting(asked);
  if (first.startsWith('_')) throw notOffered(asked);
  return indexAnswer(asked, first, second);
}

function root(version: string): object {
  return {
    name: CLUSTER,
    cluster_name: CLUSTER,
    cluster_uuid: UUID,
    version: {
      number: version,
      build_flavor: 'default',
      build_type: 'docker',
      build_hash: 'unknown',
      build_date: '2026-01-01T00:00:00.000000000Z',
      build_snapshot: false,
      lucene_version: '10.2.2',
      minimum_wire_compatibility_version: '8.18.0',
      minimum_index_compatibility_version: '8.0.0',
    },
    tagline: 'You Know, for Search',
  };
}

const HEALTH = {
  cluster_name: CLUSTER,
  status: 'green',
  timed_out: false,
  number_of_nodes: 1,
  number_of_data_nodes: 1,
  active_primary_shards: 1,
  active_shards: 1,
  relocating_shards: 0,
  initializing_shards: 0,
  unassigned_shards: 0,
  delayed_unassigned_shards: 0,
  number_of_pending_tasks: 0,
  number_of_in_flight_fetch: 0,
  task_max_waiting_in_queue_millis: 0,
  active_shards_percent_as_number: 100,
};

const LICENSE = {
  license: {
    status: 'active',
    uid: 'shiplog',
    type: 'basic',
    mode: 'basic',
    issue_date: '2026-01-01T00:00:00.000Z',
    issue_date_in_millis: 1_767_225_600_000,
    max_nodes: 1_000,
    issued_to: CLUSTER,
    issuer: CLUSTER,
    start_date_in_millis: -1,
  },
};

const XPACK = {
  build: { hash: 'unknown', date: '2026-01-01T00:00:00.000000Z' },
  license: { uid: 'shiplog', type: 'basic', mode: 'basic', status: 'active' },
  features: { ilm: { available: true, enabled: true } },
  tagline: 'You know, for X',
};

type Reads = Readonly<Record<string, object | ((second: string | undefined) => unknown)>>;

function readsOf(version: string): Reads {
  return {
    __proto__: null as never,
    _license: LICENSE,
    _xpack: XPACK,
    _cluster: (second) =>
      second === 'health' ? HEALTH : { cluster_name: CLUSTER, persistent: {}, transient: {} },
    _cat: (second) =>
      second === 'health' ? [{ cluster: CLUSTER, status: 'green', 'node.total': '1' }] : [],
    // Without an address: clients that sniff stay with the one that they have.
    _nodes: { _nodes: { total: 1, successful: 1, failed: 0 }, cluster_name: CLUSTER, nodes: {} },
    _security: { username: CLUSTER, roles: [], enabled: true },
    _refresh: { _shards: { total: 1, successful: 1, failed: 0 } },
    _resolve: { indices: [], aliases: [], data_streams: [] },
    _features: { features: [] },
    _info: { cluster_name: CLUSTER, version },
  };
}

/** Of a cluster; taken, and looked for in vain so that a client goes on to send its own. */
const SETTINGS: ReadonlySet<string> = new Set([
  '_index_template',
  '_component_template',
  '_template',
  '_ilm',
  '_slm',
  '_data_stream',
  '_ingest',
  '_logstash',
  '_alias',
  '_aliases',
  '_refresh',
  '_flush',
  '_settings',
]);

/** HEAD says that it is there, and so nothing is sent; a GET shows an empty one. */
function setting({ method }: Asked): Answer {
  if (method === 'GET') return OK({});
  return OK(method === 'HEAD' ? {} : ACKNOWLEDGED);
}

const NO_SHARDS = { _shards: { total: 1, successful: 1, failed: 0 } };

function indexAnswer(asked: Asked, index: string, second: string | undefined): Answer {
  const { method } = asked;
  switch (second) {
    case undefined:
      if (method === 'PUT') return OK({ ...ACKNOWLEDGED, shards_acknowledged: true, index });
      if (method === 'GET' || method === 'HEAD') {
        return OK({ [index]: { aliases: {}, mappings: {}, settings: {} } });
      }
      throw notOffered(asked);
    case '_refresh':
    case '_flush':
    case '_forcemerge':
      return OK(NO_SHARDS);
    case '_mapping':
    case '_mappings':
      return OK(
        method === 'PUT' || method === 'POST' ? ACKNOWLEDGED : { [index]: { mappings: {} } },
      );
    case '_settings':
      return OK(method === 'PUT' ? ACKNOWLEDGED : { [index]: { settings: {} } });
    case '_alias':
    case '_aliases':
      return OK(
        method === 'PUT' || method === 'POST' ? ACKNOWLEDGED : { [index]: { aliases: {} } },
      );
    default:
      throw notOffered(asked);
  }
}

function notOffered({ method, segments }: Asked): ElasticsearchError {
  const path = `/${segments.join('/')}`.slice(0, 200).toWellFormed();
  return new ElasticsearchError(
    400,
    'illegal_argument_exception',
    `Shiplog takes documents by _bulk, _doc and _create, and does not offer [${method} ${path}]; ask and search with GraphQL at /graphql`,
  );
}

function noHandler({ method }: Asked): ElasticsearchError {
  return new ElasticsearchError(
    405,
    'method_not_allowed_exception',
    `Incorrect HTTP method for uri [/] and method [${method}], allowed: [GET, HEAD]`,
  );
}
