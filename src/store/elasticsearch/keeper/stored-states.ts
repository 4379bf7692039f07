/** The fold's states as they are stored, for those who derive what is shown from them. */
import { ShiplogError } from '../../../domain/errors.ts';
import {
  deriveHost,
  deriveTask,
  type HostState,
  type RunState,
} from '../../../domain/fold/fold.ts';
import type { HostView, TaskView } from '../../../domain/fold/views.ts';
import { unavailable } from '../cluster/connection.ts';
import type { Aside, SetAside } from './set-aside.ts';
import type { StoredTask } from './view-documents.ts';

/**
 * What `read` makes of a document; null: it cannot be understood, and is set aside. Throws
 * STORE_UNAVAILABLE where an older Shiplog wrote it and it is not folded anew yet.
 */
export function understood<T>(aside: SetAside, what: Aside, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof ShiplogError) throw error;
    aside.add(what, error);
    return null;
  }
}

export function runStateOf(text: string): RunState {
  const state = JSON.parse(text) as RunState;
  if (Array.isArray(state.steps) && !('sources' in state)) throw notYet();
  if (!Array.isArray(state.steps) || !Array.isArray(state.sources)) {
    throw new TypeError('it is no state of a run');
  }
  return state;
}

export function storedTaskOf(text: string): StoredTask {
  const stored = JSON.parse(text) as StoredTask;
  if (Array.isArray(stored.state.labels) && !('reported' in stored.state)) throw notYet();
  deriveTask(stored.state, stored.totals);
  return stored;
}

/** What is shown of a task, as it was written. */
export function shownTaskOf(text: string): TaskView {
  const view = JSON.parse(text) as TaskView;
  if (typeof view.id !== 'string' || !Array.isArray(view.plan)) {
    throw new TypeError('it is no view of a task');
  }
  return view;
}

export function hostStateOf(text: string): HostState {
  const state = JSON.parse(text) as HostState;
  deriveHost(state);
  return state;
}

export function hostViewOf(text: string): HostView {
  return deriveHost(JSON.parse(text) as HostState);
}

function notYet(): Error {
  return unavailable('The views are being folded anew after an upgrade; try again');
}
