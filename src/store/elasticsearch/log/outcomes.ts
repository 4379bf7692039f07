/** What became of an event. */
import type { InputProblem, ShiplogError } from '../../../domain/errors.ts';
import type { AppendOutcome, Unsettled } from '../../store.ts';

export type Outcome = AppendOutcome | Unsettled;

export function rejected(problem: InputProblem): AppendOutcome {
  return { outcome: 'REJECTED', problem };
}

export function unsettled(error: ShiplogError): Unsettled {
  return { outcome: 'UNSETTLED', error };
}
