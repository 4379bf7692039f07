/** Folded views as documents of a day's view index: pure functions, so that two can be compared. */
import {
  deriveRun,
  type RunState,
  type RunTotals,
  type TaskState,
} from '../../../domain/fold/fold.ts';
import {
  cellLetter,
  isStale,
  type RunView,
  type StepView,
  type TaskView,
} from '../../../domain/fold/views.ts';
import { wordsOf } from '../../../domain/search/words.ts';
import { runId, stepId, taskHostsId, taskId } from '../indices/ids.ts';

export interface ViewDocument {
  id: string;
  body: Record<string, unknown>;
}

/** What a stored state is: with the generation that it was folded in. */
export interface StoredTask {
  state: TaskState;
  totals: RunTotals;
}

/** Undefined fields are left out by JSON. */
function orAbsent<T>(value: T | null): T | undefined {
  return value ?? undefined;
}

function service(view: Pick<TaskView, 'service' | 'environment' | 'version'>): object {
  return {
    name: orAbsent(view.service),
    environment: orAbsent(view.environment),
    version: orAbsent(view.version),
  };
}

export function taskDocument(
  view: TaskView,
  state: TaskState,
  totals: RunTotals,
  generation: number,
): ViewDocument {
  const texts = [view.id, view.title, view.service, view.version, view.environment, view.createdBy];
  const stored: StoredTask = { state: { ...state, hosts: null }, totals };
  return {
    id: taskId(view.id),
    body: {
      event: {
        created: view.createdAt,
        start: orAbsent(view.startedAt),
        end: orAbsent(view.finishedAt),
        ingested: view.lastEventAt,
      },
      service: service(view),
      labels: view.labels,
      shiplog: {
        view: 'task',
        generation,
        task: { id: view.id, created_by: orAbsent(view.createdBy), over: view.over },
        status: view.status,
        duration_ms: orAbsent(view.durationMs),
        position: view.position,
        words: texts.filter((text) => text !== null).map((text) => wordsOf(text).join(' ')),
        shown: JSON.stringify(view),
        state: JSON.stringify(stored),
      },
    },
  };
}

/** The hosts that a task's plan names, apart from the task. */
export function taskHostsDocument(
  id: string,
  hosts: TaskState['hosts'],
  generation: number,
): ViewDocument {
  const body = {
    shiplog: { view: 'task-hosts', generation, task: { id }, state: JSON.stringify(hosts) },
  };
  return { id: taskHostsId(id), body };
}

const RANKS: Record<RunView['status'], number> = {
  FAILED: 0,
  RUNNING: 1,
  CANCELLED: 2,
  PENDING: 3,
  NOT_RUN: 4,
  SUCCEEDED: 5,
};

/** What runs are found and sorted by. */
export function runFields(view: RunView) {
  const failed = view.steps.filter(({ status }) => status === 'FAILED' || status === 'TIMED_OUT');
  return {
    event: {
      start: orAbsent(view.startedAt),
      end: orAbsent(view.finishedAt),
      ingested: orAbsent(view.lastEventAt),
    },
    host: { name: view.host },
    service: service(view),
    shiplog: {
      view: 'run',
      task: { id: view.taskId },
      status: view.status,
      rank: RANKS[view.status],
      duration_ms: orAbsent(view.durationMs),
      step: { failed: failed.map(({ name }) => name) },
      out_of_rotation: orAbsent(view.outOfRotationSince),
    },
  };
}

/** A run's document, then one for each of its steps that `wanted` names. */
export function runDocuments(
  state: RunState,
  base: RunView['status'],
  task: TaskState,
  over: boolean,
  generation: number,
  wanted: (step: string) => boolean,
): ViewDocument[] {
  const view = deriveRun(state, task, over);
  const cells = encodeCells(view.steps);
  const fields = runFields(view);
  const run: ViewDocument = {
    id: runId(view.taskId, view.host),
    body: {
      ...fields,
      shiplog: {
        ...fields.shiplog,
        generation,
        base_status: base,
        position: orAbsent(view.position),
        cells: cells.length > CELLS_MAX ? undefined : cells,
        state: JSON.stringify(state),
      },
    },
  };
  const steps = view.steps.filter(({ name }) => wanted(name));
  return [run, ...steps.map((step) => stepDocument(step, generation))];
}

/** Only what is filtered, sorted and grouped by: the rest is derived from the run. */
function stepDocument(step: StepView, generation: number): ViewDocument {
  const fields = stepFields(step);
  return {
    id: stepId(step.taskId, step.host, step.name),
    body: { ...fields, shiplog: { ...fields.shiplog, generation } },
  };
}

/** What steps are found, sorted and grouped by. */
export function stepFields(step: StepView) {
  return {
    event: {
      action: step.name,
      start: orAbsent(step.startedAt),
      end: orAbsent(step.finishedAt),
    },
    host: { name: step.host },
    service: service(step),
    error: { code: orAbsent(step.error?.code ?? null) },
    shiplog: {
      view: 'step',
      task: { id: step.taskId },
      status: step.status,
      duration_ms: orAbsent(step.durationMs),
      step: { index: orAbsent(step.index) },
      failure: orAbsent(step.failure),
    },
  };
}

/** A column holds at most 32,766 bytes; a run with more steps than fit is read from its state. */
const CELLS_MAX = 10_000;

type Cell = [name: string, status: StepView['status'], lastEventAt: number | null];

function encodeCells(steps: readonly StepView[]): string {
  return JSON.stringify(
    steps.map(({ name, status, lastEventAt }): Cell => [name, status, lastEventAt]),
  );
}

/** The letter of each step of a run, by name. */
export function decodeCells(cells: string, now: number, staleAfterMs: number): Map<string, string> {
  const letters = new Map<string, string>();
  for (const [name, status, lastEventAt] of JSON.parse(cells) as Cell[]) {
    letters.set(name, cellLetter(status, isStale({ status, lastEventAt }, now, staleAfterMs)));
  }
  return letters;
}

export function cellsOf(view: RunView): string {
  return encodeCells(view.steps);
}
