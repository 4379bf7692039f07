/**
 * The table of options: what `config.ts` parses, what `shiplog serve --help` and the README show.
 */
import { z } from 'zod';
import {
  list,
  oneOf,
  onOff,
  optionalText,
  optionalWhole,
  origin,
  text,
  url,
  whole,
} from './config-values.ts';

export interface OptionRow<T> {
  env: string;
  /** The default as a user would write it; null: not set. */
  default: string | null;
  value: z.ZodType<T>;
  /** What stands for the value in the help; null: a switch that takes none. */
  placeholder: string | null;
  meaning: string;
  /** Never shown; may be given as a file by the same name with `_FILE`. */
  secret?: true;
}

function row<T>(
  env: string,
  value: z.ZodType<T>,
  placeholder: string | null,
  fallback: string | null,
  meaning: string,
): OptionRow<T> {
  return { env, value, placeholder, default: fallback, meaning };
}
function secretRow(env: string, meaning: string): OptionRow<string | null> {
  return { ...row(env, optionalText, 'text', null, meaning), secret: true };
}

const DAY = 86_400;

export const OPTIONS = {
  host: row(
    'SHIPLOG_HOST',
    text,
    'address',
    '127.0.0.1',
    'Address to listen on. Without tokens only a loopback address is taken.',
  ),
  port: row(
    'SHIPLOG_PORT',
    whole(0, 65_535),
    'number',
    '4000',
    'Port to listen on; 0 takes a free one.',
  ),
  store: row(
    'SHIPLOG_STORE',
    oneOf('sqlite', 'elasticsearch'),
    'engine',
    'sqlite',
    'Where events are kept: `sqlite` (embedded) or `elasticsearch`.',
  ),
  dataDir: row(
    'SHIPLOG_DATA_DIR',
    text,
    'directory',
    './shiplog-data',
    'Directory of the embedded store; one server at a time.',
  ),
  elasticsearchUrl: row(
    'SHIPLOG_ELASTICSEARCH_URL',
    list(url),
    'urls',
    '',
    'Addresses of Elasticsearch nodes, separated by commas.',
  ),
  elasticsearchUsername: row(
    'SHIPLOG_ELASTICSEARCH_USERNAME',
    optionalText,
    'text',
    null,
    'User name, together with the password.',
  ),
  elasticsearchPassword: secretRow('SHIPLOG_ELASTICSEARCH_PASSWORD', 'Password of that user.'),
  elasticsearchApiKey: secretRow(
    'SHIPLOG_ELASTICSEARCH_API_KEY',
    'API key, instead of a user name and password.',
  ),
  elasticsearchCa: row(
    'SHIPLOG_ELASTICSEARCH_CA',
    optionalText,
    'file',
    null,
    'Certificate authority (PEM file) to trust besides the usual ones.',
  ),
  elasticsearchShards: row(
    'SHIPLOG_ELASTICSEARCH_SHARDS',
    whole(1, 64),
    'number',
    '1',
    'Primary shards of each day of events.',
  ),
  elasticsearchReplicas: row(
    'SHIPLOG_ELASTICSEARCH_REPLICAS',
    whole(0, 5),
    'number',
    '1',
    'Copies besides the primary; 0 only where losing a node may lose data.',
  ),
  elasticsearchRefreshMs: row(
    'SHIPLOG_ELASTICSEARCH_REFRESH_MS',
    whole(100, 3_600_000),
    'ms',
    '1000',
    'How soon other readers (Kibana, Grafana) see what was written. Holds for days to come. Shiplog itself refreshes what it has to see.',
  ),
  elasticsearchPrefix: row(
    'SHIPLOG_ELASTICSEARCH_PREFIX',
    z
      .string()
      .regex(
        /^[a-z][a-z0-9_-]{0,60}$/,
        'must be lower-case letters, digits, - and _, beginning with a letter',
      ),
    'text',
    'shiplog',
    'How the names of indices begin.',
  ),
  elasticsearchWaitSeconds: row(
    'SHIPLOG_ELASTICSEARCH_WAIT_SECONDS',
    whole(0, 3_600),
    'seconds',
    '60',
    'At the start: how long a cluster that is away is waited for.',
  ),
  tokensFile: row(
    'SHIPLOG_TOKENS_FILE',
    optionalText,
    'file',
    null,
    'File with the hashes of access tokens (`shiplog tokens create` makes it). Read again when it changes.',
  ),
  insecure: row(
    'SHIPLOG_INSECURE',
    onOff,
    null,
    'off',
    'Serve other addresses than loopback without tokens: whoever reaches the port may read and write everything.',
  ),
  allowedOrigins: row(
    'SHIPLOG_ALLOWED_ORIGINS',
    list(origin),
    'origins',
    '',
    'Web origins of other sites that may use this server, separated by commas.',
  ),
  retentionDays: row(
    'SHIPLOG_RETENTION_DAYS',
    whole(1, 3650),
    'days',
    '30',
    'Tasks are removed this long after their last event.',
  ),
  staleAfterSeconds: row(
    'SHIPLOG_STALE_AFTER_SECONDS',
    whole(1, 30 * DAY),
    'seconds',
    '300',
    'A running step, run or task that is silent for longer is shown as stale.',
  ),
  taskIdleSeconds: row(
    'SHIPLOG_TASK_IDLE_SECONDS',
    whole(1, 365 * DAY),
    'seconds',
    '21600',
    'A task that is silent for longer is taken as over.',
  ),
  maxEventsPerTask: row(
    'SHIPLOG_MAX_EVENTS_PER_TASK',
    whole(1, 2_000_000_000),
    'number',
    '10000000',
    'Further events of the task are refused with TASK_FULL.',
  ),
  maxBodyBytes: row(
    'SHIPLOG_MAX_BODY_BYTES',
    whole(65_536, 256 * 1024 * 1024),
    'bytes',
    '8388608',
    'Largest request body, before and after decompression. An NDJSON stream may be 32 times as large.',
  ),
  longMessages: row(
    'SHIPLOG_LONG_MESSAGES',
    oneOf('cut', 'reject'),
    'what',
    'cut',
    'Messages over 65,536 characters on `/v1/events`: cut, with a mark that says so, or rejected. A sender may choose by `?longMessages=`.',
  ),
  mappingFile: row(
    'SHIPLOG_MAPPING_FILE',
    optionalText,
    'file',
    null,
    'YAML or JSON file that says what the documents of other programs mean (docs/senders/mapping.md).',
  ),
  esPort: row(
    'SHIPLOG_ES_PORT',
    optionalWhole(0, 65_535),
    'number',
    null,
    'A second port where Elasticsearch clients find at `/` what the first one has at `/es`; 0 takes a free one.',
  ),
  syslogPort: row(
    'SHIPLOG_SYSLOG_PORT',
    optionalWhole(0, 65_535),
    'number',
    null,
    'Takes syslog over TCP on this port; 0 takes a free one. Whoever reaches it may write: syslog knows no tokens.',
  ),
  syslogHost: row(
    'SHIPLOG_SYSLOG_HOST',
    text,
    'address',
    '127.0.0.1',
    'Address that syslog is taken on.',
  ),
  queryTimeoutMs: row(
    'SHIPLOG_QUERY_TIMEOUT_MS',
    whole(100, 600_000),
    'ms',
    '10000',
    'A query that takes longer is stopped with QUERY_TIMEOUT.',
  ),
  heartbeatSeconds: row(
    'SHIPLOG_HEARTBEAT_SECONDS',
    whole(1, 300),
    'seconds',
    '10',
    'A quiet subscription gets an empty batch with a fresh cursor this often.',
  ),
  drainSeconds: row(
    'SHIPLOG_DRAIN_SECONDS',
    whole(0, 300),
    'seconds',
    '0',
    'On SIGTERM: how long `/readyz` says no before anything is closed, so that load balancers notice.',
  ),
  logLevel: row(
    'SHIPLOG_LOG_LEVEL',
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'level',
    'info',
    "The server's own log on standard output: `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`.",
  ),
  redact: row(
    'SHIPLOG_REDACT',
    onOff,
    'on/off',
    'on',
    'Remove secrets from events before they are stored.',
  ),
  redactKeys: row(
    'SHIPLOG_REDACT_KEYS',
    list(z.string().max(128)),
    'names',
    '',
    'Further names of parameters and labels whose values are secret, separated by commas.',
  ),
  graphiql: row('SHIPLOG_GRAPHIQL', onOff, 'on/off', 'on', 'Serve the query page at `/graphiql`.'),
  hideSuggestions: row(
    'SHIPLOG_HIDE_SUGGESTIONS',
    onOff,
    'on/off',
    'off',
    'Leave "did you mean" out of GraphQL errors.',
  ),
} as const;
