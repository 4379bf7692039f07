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
  'All fields that are given must match; of a list, one value has to. An empty list or null restricts nothing. At most 1,000 values in a list.';
const from = (time: string): string => `Only those whose ${time} is this moment or later.`;
const to = (time: string): string =>
  `Only those whose ${time} is before this moment, which must be later than \`from\`.`;
const HOSTS =
  'Names of hosts, exactly; one that ends in `*` stands for every name that begins like it.';
const SERVICES = "The task's service, exactly.";
const ENVIRONMENTS = "The task's environment, exactly.";
const VERSIONS = "The task's version, exactly.";
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
  description: `Which events. ${RULES} The cursor of a tail is of use with the same filter only.`,
  fields: (t) => ({
    taskId: t.id({ description: TASK }),
    kinds: t.field({ type: [EventKindEnum], description: 'Events of these kinds.' }),
    services: t.stringList({ description: SERVICES }),
    environments: t.stringList({ description: ENVIRONMENTS }),
    hosts: t.stringList({ description: `${HOSTS} TASK events have no host.` }),
    steps: t.stringList({ description: 'Names of steps, exactly.' }),
    attempts: t.intList({ description: 'Numbers of attempts, from 1.' }),
    levels: t.field({ type: [LogLevelEnum], description: 'Exactly these levels.' }),
    minLevel: t.field({ type: LogLevelEnum, description: 'This level or a more severe one.' }),
    statuses: t.field({ type: [StepStatusEnum], description: 'STEP events with these statuses.' }),
    streams: t.field({ type: [LogStreamEnum], description: 'Lines of these output streams.' }),
    sources: t.stringList({ description: 'Sources (who reported), exactly.' }),
    search: t.string({
      description: `${SEARCH} Looks at message, command and error; \`level: host: step: status: service: environment: source: stream:\` look at those fields, for example \`level:error host:web-1*\`.`,
    }),
    from: t.field({ type: 'DateTime', description: from('`at`') }),
    to: t.field({ type: 'DateTime', description: to('`at`') }),
    labels: t.field({
      type: [LabelFilterInput],
      description: 'Only what has all of these labels.',
    }),
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
    steps: t.stringList({ description: 'Names of steps, exactly.' }),
    statuses: t.field({
      type: [StepStatusEnum],
      description: 'Statuses of the step: of its latest attempt.',
    }),
    from: t.field({
      type: 'DateTime',
      description: `${from('startedAt')} Steps that have not begun are left out.`,
    }),
    to: t.field({
      type: 'DateTime',
      description: `${to('startedAt')} Steps that have not begun are left out.`,
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
    statuses: t.field({ type: [RunStatusEnum], description: 'Statuses of the run.' }),
    stale: t.boolean({ description: 'Only runs that are stale, or only runs that are not.' }),
    outOfRotation: t.boolean({
      description:
        'Only runs whose host is out of rotation (see Run.outOfRotationSince), or only the others.',
    }),
    failedStep: t.string({ description: 'Runs in which this step failed or timed out.' }),
    from: t.field({
      type: 'DateTime',
      description: `${from('startedAt')} Runs that have not begun are left out.`,
    }),
    to: t.field({
      type: 'DateTime',
      description: `${to('startedAt')} Runs that have not begun are left out.`,
    }),
  }),
});

export const TaskFilterInput = builder.inputType('TaskFilter', {
  description: `Which tasks. ${RULES}`,
  fields: (t) => ({
    ids: t.idList({ description: 'Ids of tasks, exactly.' }),
    services: t.stringList({ description: 'Their service.' }),
    environments: t.stringList({ description: 'Their environment.' }),
    versions: t.stringList({ description: 'Their version.' }),
    statuses: t.field({ type: [TaskStatusEnum], description: 'Their status.' }),
    createdBy: t.stringList({ description: 'Who started them.' }),
    host: t.string({
      description:
        'Tasks that have a run on this host; a name that ends in `*` stands for every name that begins like it.',
    }),
    from: t.field({ type: 'DateTime', description: from('createdAt') }),
    to: t.field({ type: 'DateTime', description: to('createdAt') }),
    search: t.string({
      description: `${SEARCH} Looks at id, title, service, version, environment and createdBy.`,
    }),
    labels: t.field({
      type: [LabelFilterInput],
      description: 'Only what has all of these labels.',
    }),
  }),
});

export const HostFilterInput = builder.inputType('HostFilter', {
  description: `Which hosts. ${RULES}`,
  fields: (t) => ({
    names: t.stringList({ description: HOSTS }),
    namePrefix: t.string({ description: 'Names that begin with this text.' }),
    labels: t.field({
      type: [LabelFilterInput],
      description: 'Only what has all of these labels.',
    }),
    seenSince: t.field({
      type: 'DateTime',
      description: 'Hosts whose lastSeenAt is this moment or later.',
    }),
  }),
});
