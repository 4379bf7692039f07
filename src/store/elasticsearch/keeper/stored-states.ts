/** The fold's states as they are stored, for those who derive what is shown from them. */
import type { RunState } from '../../../domain/fold/fold.ts';
import { unavailable } from '../cluster/connection.ts';
import type { StoredTask } from './view-documents.ts';

/** Throws STORE_UNAVAILABLE where an older Shiplog wrote it and it is not folded anew yet. */
export function runStateOf(text: string): RunState {
  const state = JSON.parse(text) as RunState;
  if (!('sources' in state)) throw notYet();
  return state;
}

/** As `runStateOf`. */
export function storedTaskOf(text: string): StoredTask {
  const stored = JSON.parse(text) as StoredTask;
  if (!('reported' in stored.state)) throw notYet();
  return stored;
}

function notYet(): Error {
  return unavailable('The views are being folded anew after an upgrade; try again');
}
