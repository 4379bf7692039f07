/** Where an import stands, kept in a file so that the same command goes on from there. */
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { CliError, EXIT, messageOf } from '../exit.ts';
import type { Positions } from './source.ts';

/** What must be the same for a position to mean the same. */
export interface Purpose {
  source: string;
  server: string;
  /** Of the mapping file; null: the built-in mapping. */
  mapping: string | null;
}

interface Saved extends Purpose {
  version: 1;
  positions: Positions;
  /** Of `total` of the source: what the positions stand behind. */
  done: number;
}

const SAVE_EVERY_MS = 1_000;

export class State {
  /** null: standard input cannot be read twice. */
  readonly file: string | null;
  readonly #purpose: Purpose;
  positions: Positions;
  done: number;
  #savedAt = Number.NEGATIVE_INFINITY;

  private constructor(file: string | null, purpose: Purpose, saved: Saved | null) {
    this.file = file;
    this.#purpose = purpose;
    this.positions = saved?.positions ?? {};
    this.done = saved?.done ?? 0;
  }

  /** Throws CliError where the file is of something else. */
  static open(file: string | null, purpose: Purpose, anew: boolean): State {
    const saved = file === null || anew ? null : read(file);
    if (saved !== null) {
      for (const part of ['source', 'server', 'mapping'] as const) {
        if (saved[part] === purpose[part]) continue;
        throw new CliError(
          `${file} is of an import with another ${part}${part === 'mapping' ? '' : ` (${saved[part]})`}`,
          EXIT.usage,
          '--state names another file for this import; --from-start begins it anew, and what is there already counts once',
        );
      }
    }
    return new State(file, purpose, saved);
  }

  get isBegun(): boolean {
    return this.done > 0;
  }

  /** Everything up to here is delivered. Saved now and then; `save` saves the rest. */
  async advance(positions: Positions, progress: number): Promise<void> {
    this.positions = { ...this.positions, ...positions };
    // What no position stands behind is read again.
    if (Object.keys(positions).length > 0) this.done += progress;
    if (performance.now() - this.#savedAt >= SAVE_EVERY_MS) await this.save();
  }

  /** Whole or not at all: the next moment may be the last. */
  async save(): Promise<void> {
    if (this.file === null) return;
    this.#savedAt = performance.now();
    const { positions, done } = this;
    const saved: Saved = { version: 1, ...this.#purpose, positions, done };
    const next = `${this.file}.next`;
    try {
      await writeFile(next, `${JSON.stringify(saved)}\n`, { mode: 0o600, flush: true });
      await rename(next, this.file);
    } catch (error) {
      throw new CliError(`${this.file} cannot be written: ${messageOf(error)}`);
    }
  }
}

function read(file: string): Saved | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new CliError(`${file} cannot be read: ${messageOf(error)}`);
  }
  try {
    const saved = JSON.parse(text) as Saved;
    const numbers = [saved.done, ...Object.values(saved.positions)];
    if (saved.version !== 1 || !numbers.every(Number.isFinite)) throw new Error('not a state');
    return saved;
  } catch {
    throw new CliError(`${file} is no state of shiplog import: remove it to begin anew`);
  }
}
