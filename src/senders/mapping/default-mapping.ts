/**
 * The built-in mapping. One table serves all programs, for the names that they use hardly ever
 * contradict each other: the field's own names first, then those of ECS (Filebeat, the Elastic
 * loggers), Kubernetes' and Docker's as Fluent Bit, Vector and the OpenTelemetry Collector write
 * them, and flat ones of loggers (pino, winston, logback, log4j) and of syslog.
 */
import type { FieldRule, LabelRule, Mapping, WriterRule } from './mapping.ts';

/** Where senders can put what they choose themselves. */
const CHOSEN = [
  'shiplog',
  'labels',
  'fields',
  'attrs',
  'container.labels',
  'docker.container.labels',
  'kubernetes.labels',
  'kubernetes.annotations',
  'label',
];

/** `shiplog.task`, `labels.task`, `container.labels.shiplog_task` (Beats replace dots), … */
function chosen(name: string): string[] {
  return CHOSEN.flatMap((place) =>
    place === 'shiplog'
      ? [`shiplog.${name}`]
      : [
          `${place}.shiplog.${name}`,
          `${place}.shiplog_${name}`,
          `${place}.shiplog/${name}`,
          ...(place.startsWith('kubernetes') ? [] : [`${place}.${name}`]),
        ],
  );
}

/** Those of `chosen` that name Shiplog: nobody uses them for anything else. */
function ours(name: string): string[] {
  return chosen(name).filter((path) => path.includes('shiplog'));
}

function at(...paths: string[]): FieldRule {
  return { paths };
}

const FIELDS: Mapping['fields'] = {
  task: at('taskId', 'task_id', 'task.id', ...chosen('task')),
  host: at(
    ...ours('host'),
    'host.name',
    'host.hostname',
    'hostname',
    'hostName',
    'host_name',
    'fields.host',
    'attrs.host',
    'labels.host',
    'kubernetes.node.name',
    'kubernetes.host',
    'kubernetes.pod_node_name',
    'k8s.node.name',
    'agent.hostname',
    'log.source.address',
    'HOST',
    'host',
    '_HOSTNAME',
  ),
  step: at('step', 'stepName', 'step_name', 'step.name', ...chosen('step')),
  message: at(
    'message',
    'msg',
    'log',
    'short_message',
    'MESSAGE',
    'body',
    'text',
    'event.original',
  ),
  id: at('eventId', 'event.id'),
  attempt: at('attempt', ...chosen('attempt')),
  status: at('status', 'shiplog.status'),
  level: at(
    'level',
    'log.level',
    'severity',
    'loglevel',
    'logLevel',
    'log_level',
    'severity_text',
    'severityText',
    'levelname',
    'lvl',
    'PRIORITY',
    'log.syslog.severity.name',
    'log.syslog.severity.code',
    'syslog.severity_label',
    'syslog.severity',
    'priority',
    'pri',
  ),
  stream: at('stream', 'log.iostream', 'logStream'),
  command: at('command', 'process.command_line'),
  exitCode: at('exitCode', 'exit_code', 'process.exit_code'),
  durationMs: at('durationMs', 'duration_ms'),
  error: at('error.message', 'err.message', 'exception.message', 'exception.exception_message'),
  errorCode: at('error.code', 'err.code'),
  source: at('source', 'agent.type', 'agent.name', 'source_type'),
};

const WRITERS: readonly WriterRule[] = [
  {
    kind: 'pod',
    paths: ['kubernetes.pod.name', 'kubernetes.pod_name', 'k8s.pod.name'],
  },
  {
    kind: 'container',
    paths: [
      'container.name',
      'docker.container.name',
      'container_name',
      'containerName',
      'k8s.container.name',
      '_container_name',
      'CONTAINER_NAME',
      'container.id',
      'container_id',
    ],
  },
  { kind: 'service', paths: ['service.name', 'service', 'serviceName', 'service_name'] },
  {
    kind: 'program',
    paths: [
      'process.name',
      'programname',
      'program',
      'PROGRAM',
      'appname',
      'app-name',
      'app_name',
      'ident',
      'syslogtag',
      'application',
      'app',
      'SYSLOG_IDENTIFIER',
    ],
  },
];

function label(name: string, ...paths: string[]): LabelRule {
  return { name, paths };
}

const LABELS: readonly LabelRule[] = [
  label('service', 'service.name', 'service', 'serviceName', 'service_name'),
  label('service_version', 'service.version'),
  label('environment', 'service.environment', 'deployment.environment.name', 'environment', 'env'),
  label(
    'container',
    'container.name',
    'docker.container.name',
    'container_name',
    'kubernetes.container.name',
    'kubernetes.container_name',
    'k8s.container.name',
  ),
  label('container_id', 'container.id', 'container_id', 'kubernetes.docker_id'),
  label('image', 'container.image.name', 'kubernetes.container_image', 'image'),
  label('pod', 'kubernetes.pod.name', 'kubernetes.pod_name', 'k8s.pod.name'),
  label('namespace', 'kubernetes.namespace', 'kubernetes.namespace_name', 'k8s.namespace.name'),
  label('program', 'process.name', 'programname', 'program', 'appname', 'ident', 'syslogtag'),
  label('pid', 'process.pid', 'pid', 'procid'),
  label('logger', 'log.logger', 'logger', 'logger_name', 'loggerName'),
  label('thread', 'process.thread.name', 'thread', 'thread_name'),
  label('file', 'log.file.path', 'file', 'filename'),
  label('trace_id', 'trace.id', 'trace_id', 'traceId'),
  label('span_id', 'span.id', 'span_id', 'spanId'),
  { name: null, paths: ['labels.*', 'attrs.*', 'label.*', 'container.labels.*'] },
];

export const DEFAULT_MAPPING: Mapping = {
  name: 'default',
  fields: FIELDS,
  time: {
    paths: [
      '@timestamp',
      'timestamp',
      'time',
      'ts',
      'date',
      'datetime',
      'at',
      'timereported',
      'eventTime',
      'createTime',
      'TIMESTAMP',
      'timeUnixNano',
      'observedTimeUnixNano',
    ],
    format: 'auto',
    offsetMinutes: 0,
  },
  writers: WRITERS,
  labels: LABELS,
  drop: ['@version', 'ecs.version', 'agent.ephemeral_id', 'agent.id', 'data_stream.*', 'v'],
};
