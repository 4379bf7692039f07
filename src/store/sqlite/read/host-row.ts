/** Hosts from their rows. */
import { deriveHost, type HostState } from '../../../domain/fold/fold.ts';
import type { HostView } from '../../../domain/fold/views.ts';
import type { Connection } from '../file/connection.ts';

/** Throws where it is not what a fold leaves. */
export function hostStateOf(text: string): HostState {
  const state = JSON.parse(text) as HostState;
  deriveHost(state);
  return state;
}

/** null: it cannot be understood, and is set aside. */
export function hostViewOf(connection: Connection, name: string, state: string): HostView | null {
  return connection.aside.try({ host: name }, () => deriveHost(hostStateOf(state)));
}
