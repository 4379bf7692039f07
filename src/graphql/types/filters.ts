/** What lists, aggregations and tails can be narrowed by; read by `filter-values.ts`. */
import { builder } from '../builder.ts';
import {
  EventKindEnum,
  LogLevelEnum,
  LogStreamEnum,
  RunStatusEnum,
  StepStatusEnum,
  TaskStatusEnum,
} from './enums.ts';

const RULES =
  'Within a list OR, between fields AND; an empty list or null is no restriction; at most 1,000 values per list.';
const FROM = 'Inclusive lower end.';
const TO = 'Exclusive upper end; must be later than `from`.';
const HOSTS = 'Host names; one that ends in `*` matches every name that begins so.';
const SERVICES = "The task's service.";
const ENVIRONMENTS = "The task's environment.";
const VERSIONS = "The task's version.";
const TASK = 'Only of this task.';
const SEARCH =
  'Words that must all be there: `word`, `"a phrase"`, `prefix*`, `-not`; at most 32 terms and 1,000 characters. A syntax error is SEARCH_SYNTAX and names the column.';

const LabelFilterInput = builder.inputType('LabelFilter', {
  description: 'A label with a value.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'The name of the label, exactly.' }),
    value: t.string({
      required: true,
      description: 'Its value as text, exactly; numbers and booleans are compared as they print.',
    }),
  }),
});

export const EventFilterInput = builder.inputType('EventFilter', {
  description: `Which events. ${RULES} A cursor of a tail belongs to its filter.`,
  fields: (t) => ({
    taskId: t.id({ description: TASK }),
    kinds: t.field({ type: [EventKindEnum], description: 'What they report.' }),
    services: t.stringList({ description: SERVICES }),
    environments: t.stringList({ description: ENVIRONMENTS }),
    hosts: t.stringList({ description: `${HOSTS} TASK events have no host.` }),
    steps: t.stringList({ description: 'Step names, exactly.' }),
    attempts: t.intList({ description: 'Attempts, from 1.' }),
    levels: t.field({ type: [LogLevelEnum], description: 'Exactly these levels.' }),
    minLevel: t.field({ type: LogLevelEnum, description: 'This level or a more severe one.' }),
    statuses: t.field({ type: [StepStatusEnum], description: 'STEP events with these statuses.' }),
    streams: t.field({ type: [LogStreamEnum], description: 'Lines of these output streams.' }),
    sources: t.stringList({ description: 'Who reported, exactly.' }),
    search: t.string({
      description: `${SEARCH} Looks at message, command and error; \`level: host: step: status: service: environment: source: stream:\` look at those fields, for example \`level:error host:web-1*\`.`,
    }),
    from: t.field({ type: 'DateTime', description: `Of \`at\`. ${FROM}` }),
    to: t.field({ type: 'DateTime', description: `Of \`at\`. ${TO}` }),
    labels: t.field({ type: [LabelFilterInput], description: 'All of these labels.' }),
  }),
});

export const StepFilterInput = builder.inputType('StepFilter', {
  description: `Which steps. ${RULES}`,
  fields: (t) => ({
    taskId: t.id({ description: TASK }),
    services: t.stringList({ description: SERVICES }),
    environments: t.stringList({ description: ENVIRONMENTS }),
    versions: t.stringList({ description: VERSIONS }),
    hosts: t.stringList({ description: HOSTS }),
    steps: t.stringList({ description: 'Step names, exactly.' }),
    statuses: t.field({ type: [StepStatusEnum], description: 'Of the highest attempt.' }),
    from: t.field({
      type: 'DateTime',
      description: `Of startedAt. ${FROM} Steps that have not begun are left out.`,
    }),
    to: t.field({
      type: 'DateTime',
      description: `Of startedAt. ${TO} Steps that have not begun are left out.`,
    }),
    minDurationMs: t.float({ description: 'At least this long, in milliseconds. Not negative.' }),
    errorCode: t.string({ description: 'Failed with this error code, exactly.' }),
  }),
});

export const RunFilterInput = builder.inputType('RunFilter', {
  description: `Which runs (one task on one host). ${RULES}`,
  fields: (t) => ({
    taskId: t.id({ description: TASK }),
    services: t.stringList({ description: SERVICES }),
    environments: t.stringList({ description: ENVIRONMENTS }),
    versions: t.stringList({ description: VERSIONS }),
    hosts: t.stringList({ description: HOSTS }),
    statuses: t.field({ type: [RunStatusEnum], description: 'Of the run.' }),
    stale: t.boolean({ description: 'Only runs that are stale, or only runs that are not.' }),
    outOfRotation: t.boolean({
      description:
        'Only runs whose host is out of rotation (see Run.outOfRotationSince), or only the others.',
    }),
    failedStep: t.string({ description: 'Runs in which this step failed or timed out.' }),
    from: t.field({
      type: 'DateTime',
      description: `Of startedAt. ${FROM} Runs that have not begun are left out.`,
    }),
    to: t.field({
      type: 'DateTime',
      description: `Of startedAt. ${TO} Runs that have not begun are left out.`,
    }),
  }),
});

export const TaskFilterInput = builder.inputType('TaskFilter', {
  description: `Which tasks. ${RULES}`,
  fields: (t) => ({
    ids: t.idList({ description: 'These tasks.' }),
    services: t.stringList({ description: 'Their service.' }),
    environments: t.stringList({ description: 'Their environment.' }),
    versions: t.stringList({ description: 'Their version.' }),
    statuses: t.field({ type: [TaskStatusEnum], description: 'Their status.' }),
    createdBy: t.stringList({ description: 'Who started them.' }),
    host: t.string({
      description: 'Tasks that have a run on this host; a name that ends in `*` as everywhere.',
    }),
    from: t.field({ type: 'DateTime', description: `Of createdAt. ${FROM}` }),
    to: t.field({ type: 'DateTime', description: `Of createdAt. ${TO}` }),
    search: t.string({
      description: `${SEARCH} Looks at id, title, service, version, environment and createdBy.`,
    }),
    labels: t.field({ type: [LabelFilterInput], description: 'All of these labels.' }),
  }),
});

export const HostFilterInput = builder.inputType('HostFilter', {
  description: `Which hosts. ${RULES}`,
  fields: (t) => ({
    names: t.stringList({ description: HOSTS }),
    namePrefix: t.string({ description: 'Names that begin so.' }),
    labels: t.field({ type: [LabelFilterInput], description: 'All of these labels.' }),
    seenSince: t.field({ type: 'DateTime', description: 'lastSeenAt at or after this moment.' }),
  }),
});
