/** Up to where each container's log was delivered, kept in a file over restarts. */
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { CliError, messageOf } from '../exit.ts';

interface State {
  version: 1;
  /** By container: the time of the newest line that the server has. */
  containers: Record<string, string>;
}

/** An engine's lines are in the order of their arrival, which is that of their times but for this. */
const OVERLAP_SECONDS = 5;

export class Positions {
  readonly #file: string | null;
  readonly #times: Map<string, string>;
  #dirty = false;

  /** `file` null: nothing is kept. Throws CliError where it cannot be read. */
  constructor(file: string | null) {
    this.#file = file;
    this.#times = file === null ? new Map() : read(file);
  }

  /** Whole seconds from which the log has to be read; null: it was never read. */
  since(id: string): number | null {
    const time = this.#times.get(id);
    if (time === undefined) return null;
    return Math.max(0, Math.floor(Date.parse(time) / 1_000) - OVERLAP_SECONDS);
  }

  /** The server has a line of this time. */
  note(id: string, time: string): void {
    const before = this.#times.get(id);
    if (before !== undefined && Date.parse(before) >= Date.parse(time)) return;
    this.#times.set(id, time);
    this.#dirty = true;
  }

  /** Forgets containers that are there no more. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#times.keys()) {
      if (ids.has(id)) continue;
      this.#times.delete(id);
      this.#dirty = true;
    }
  }

  /** Whole or not at all: another process may read it at any moment. */
  async save(): Promise<void> {
    if (this.#file === null || !this.#dirty) return;
    this.#dirty = false;
    const state: State = { version: 1, containers: Object.fromEntries(this.#times) };
    const next = `${this.#file}.next`;
    await writeFile(next, `${JSON.stringify(state)}\n`, { mode: 0o600 });
    await rename(next, this.#file);
  }
}

function read(file: string): Map<string, string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw new CliError(`${file} cannot be read: ${messageOf(error)}`);
  }
  try {
    const { containers } = JSON.parse(text) as State;
    const entries = Object.entries(containers);
    if (entries.some(([, time]) => Number.isNaN(Date.parse(time)))) throw new Error('not a time');
    return new Map(entries);
  } catch {
    throw new CliError(`${file} is no state of shiplog docker: remove it to begin anew`);
  }
}
