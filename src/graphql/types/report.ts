/** Mutations: what senders report. */
import { badInput, type InputProblem, ShiplogError } from '../../domain/errors.ts';
import { formatPosition } from '../../domain/event/event.ts';
import type { TaskView } from '../../domain/fold/views.ts';
import type { StepOutcome } from '../../ingest/ingest.ts';
import { builder } from '../builder.ts';
import { TaskRef } from '../refs.ts';
import { EventOutcomeEnum } from './enums.ts';
import { FinishTaskInput, StartTaskInput, StepEventInput } from './inputs.ts';
import { loadTaskOf } from './rows.ts';

const BATCH_MAX = 1_000;
const LEFT_OUT_MAX = 100;

const Problem = builder.objectRef<InputProblem>('InputProblem').implement({
  description: 'Why one reported event cannot be taken.',
  fields: (t) => ({
    code: t.exposeString('code', {
      description:
        'REQUIRED, INVALID_TYPE, INVALID_VALUE, INVALID_TEXT, TOO_LONG, OUT_OF_RANGE, UNKNOWN_FIELD, ID_CONFLICT (the eventId was used with other content), TASK_EXPIRED (removed by retention) or TASK_FULL.',
    }),
    message: t.exposeString('message', {
      description: 'The reason in words. At most 2,048 characters.',
    }),
    field: t.exposeString('field', {
      nullable: true,
      description:
        'The path of the field within the event, such as `error.message`. At most 512 characters.',
    }),
  }),
});

const LogStepPayload = builder.objectRef<StepOutcome>('LogStepPayload').implement({
  description:
    'What became of the event. One that cannot be taken is REJECTED in here; a malformed request is a GraphQL error.',
  fields: (t) => ({
    eventId: t.exposeID('eventId', {
      nullable: true,
      description:
        "The sender's id, else the one that the server gave, at most 128 characters; null where it was unusable.",
    }),
    outcome: t.expose('outcome', {
      type: EventOutcomeEnum,
      description: 'What became of the event.',
    }),
    position: t.string({
      nullable: true,
      description:
        'Where it stands in the log, `shard:seq`, at most 64 characters; null where REJECTED, and for a DUPLICATE whose first copy is not at hand.',
      resolve: ({ position }) => (position === null ? null : formatPosition(position)),
    }),
    error: t.field({
      type: Problem,
      nullable: true,
      description: 'Why it was REJECTED.',
      resolve: ({ problem }) => problem,
    }),
  }),
});

const LogStepsResult = builder
  .objectRef<{ index: number; result: StepOutcome }>('LogStepsResult')
  .implement({
    description: 'What became of one event of a batch.',
    fields: (t) => ({
      index: t.exposeInt('index', { description: 'Its place in `inputs`, from 0.' }),
      eventId: t.id({
        nullable: true,
        description:
          "The sender's id, else the one that the server gave, at most 128 characters; null where it was unusable.",
        resolve: ({ result }) => result.eventId,
      }),
      outcome: t.field({
        type: EventOutcomeEnum,
        description: 'What became of the event.',
        resolve: ({ result }) => result.outcome,
      }),
      error: t.field({
        type: Problem,
        nullable: true,
        description: 'Why it was REJECTED.',
        resolve: ({ result }) => result.problem,
      }),
    }),
  });

function count(results: readonly StepOutcome[], outcome: StepOutcome['outcome']): number {
  return results.reduce((sum, result) => (result.outcome === outcome ? sum + 1 : sum), 0);
}

const LogStepsPayload = builder.objectRef<StepOutcome[]>('LogStepsPayload').implement({
  description: 'What became of a batch. Each event is decided by itself.',
  fields: (t) => ({
    stored: t.int({
      description: 'How many were STORED.',
      resolve: (results) => count(results, 'STORED'),
    }),
    duplicates: t.int({
      description: 'How many were DUPLICATE: stored before.',
      resolve: (results) => count(results, 'DUPLICATE'),
    }),
    rejected: t.int({
      description: 'How many were REJECTED: look at their results.',
      resolve: (results) => count(results, 'REJECTED'),
    }),
    results: t.field({
      type: [LogStepsResult],
      description: 'One result for each event, in the order of `inputs`; at most 1,000.',
      resolve: (results) => results.map((result, index) => ({ index, result })),
    }),
  }),
});

const StartTaskPayload = builder
  .objectRef<{ task: TaskView; created: boolean; leftOut: InputProblem[] }>('StartTaskPayload')
  .implement({
    description: 'The task as it is now.',
    fields: (t) => ({
      task: t.expose('task', {
        type: TaskRef,
        description:
          'The task. Its own values may be selected with the scope `ingest` alone; fields that lead to other objects (runs, events, counts, …) need the scope `read` too.',
      }),
      created: t.exposeBoolean('created', {
        description:
          'Whether the task is new. false: it was known before, from a declaration or from its events.',
      }),
      leftOut: t.field({
        type: [Problem],
        description: `The names in \`hosts\` that were left out, for no host can have them, each with its place. At most ${LEFT_OUT_MAX}.`,
        resolve: ({ leftOut }) => leftOut.slice(0, LEFT_OUT_MAX),
      }),
    }),
  });

const FinishTaskPayload = builder.objectRef<{ task: TaskView }>('FinishTaskPayload').implement({
  description: 'The task as it is now.',
  fields: (t) => ({
    task: t.expose('task', {
      type: TaskRef,
      description:
        'The task. Its own values may be selected with the scope `ingest` alone; fields that lead to other objects (runs, events, counts, …) need the scope `read` too.',
    }),
  }),
});

/** What ingest refuses has its path within the input; clients see it from the argument on. */
async function withInputPath<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ShiplogError) || error.field === null) throw error;
    throw new ShiplogError(error.code, error.message, {
      field: `input.${error.field}`,
      cause: error,
    });
  }
}

builder.mutationFields((t) => ({
  startTask: t.field({
    type: StartTaskPayload,
    description:
      'Declares a task, or updates one that is known: fields that are given replace what was there, others stay. Idempotent by id. Optional: a task also begins with its first event.',
    args: {
      input: t.arg({ type: StartTaskInput, required: true, description: 'What is declared.' }),
    },
    resolve: async (_root, { input }, context) => {
      const started = await withInputPath(context.ingest.startTask(input, context.viewer));
      const { taskId, created, leftOut = [] } = started;
      return { task: await loadTaskOf(context, taskId), created, leftOut };
    },
  }),
  finishTask: t.field({
    type: FinishTaskPayload,
    description:
      'Ends a task. Without it a task ends when all its expected hosts have ended, or when nothing was reported for too long (SHIPLOG_TASK_IDLE_SECONDS). BAD_INPUT if nothing was ever reported about the task.',
    args: {
      input: t.arg({ type: FinishTaskInput, required: true, description: 'How it ended.' }),
    },
    resolve: async (_root, { input }, context) => {
      const { taskId } = await withInputPath(context.ingest.finishTask(input));
      return { task: await loadTaskOf(context, taskId) };
    },
  }),
  logStep: t.field({
    type: LogStepPayload,
    description:
      'Reports one event. Answers only when it is durable. Idempotent by eventId (or writer and sequence): after an error, send it again. For OVERLOADED and STORE_UNAVAILABLE, extensions.retryAfterMs says when.',
    args: {
      input: t.arg({ type: StepEventInput, required: true, description: 'The event.' }),
    },
    resolve: async (_root, { input }, { ingest, viewer }) => {
      const [outcome] = await ingest.logSteps([input], viewer);
      return outcome as StepOutcome;
    },
  }),
  logSteps: t.field({
    type: LogStepsPayload,
    description: `Reports up to ${BATCH_MAX.toLocaleString('en')} events; each is decided by itself, results are in order. Answers only when all are decided. Idempotent as logStep.`,
    args: {
      inputs: t.arg({
        type: [StepEventInput],
        required: true,
        description: `The events, at most ${BATCH_MAX.toLocaleString('en')}; the list may be empty.`,
      }),
    },
    complexity: { field: 1, multiplier: 1 },
    resolve: (_root, { inputs }, { ingest, viewer }) => {
      if (inputs.length > BATCH_MAX) {
        throw badInput(
          `inputs has ${inputs.length} events, at most ${BATCH_MAX} are taken`,
          'inputs',
        );
      }
      return inputs.length === 0 ? [] : ingest.logSteps(inputs, viewer);
    },
  }),
}));
