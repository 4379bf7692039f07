/**
 * The file that an export writes, in pieces that are each whole: beside it stands up to where it is
 * good and where the log goes on behind that, so an export that was killed goes on from there.
 * A gzipped file is a row of gzip members, which every program reads as one.
 */
import { readFileSync } from 'node:fs';
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { CliError, EXIT, messageOf } from '../exit.ts';

const pack = promisify(gzip);

export interface Standing {
  /** Of the file that are good. */
  bytes: number;
  events: number;
  cursor: string;
}

interface Saved extends Standing {
  version: 1;
  /** Of what is exported: another selection is another file. */
  of: string;
}

export class EventFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #of: string;
  #bytes: number;

  private constructor(path: string, handle: FileHandle, of: string, bytes: number) {
    this.#path = path;
    this.#handle = handle;
    this.#of = of;
    this.#bytes = bytes;
  }

  /** `standing` null: it begins. Throws CliError for a file that is there and is none of its own. */
  static async open(
    path: string,
    of: string,
  ): Promise<{ file: EventFile; standing: Standing | null }> {
    const standing = readStanding(path, of);
    try {
      const handle = await open(path, standing === null ? 'wx' : 'r+', 0o600);
      if (standing !== null) await handle.truncate(standing.bytes);
      return { file: new EventFile(path, handle, of, standing?.bytes ?? 0), standing };
    } catch (error) {
      const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
      throw isThere
        ? new CliError(`${path} is there already: remove it, or name another file`, EXIT.usage)
        : new CliError(`${path} cannot be written: ${messageOf(error)}`);
    }
  }

  /** Whole and on the disk, when it resolves. */
  async append(text: string, events: number, cursor: string): Promise<void> {
    const bytes = this.#path.endsWith('.gz') ? await pack(text) : Buffer.from(text);
    try {
      await this.#handle.write(bytes, 0, bytes.length, this.#bytes);
      await this.#handle.datasync();
      this.#bytes += bytes.length;
      const saved: Saved = { version: 1, of: this.#of, bytes: this.#bytes, events, cursor };
      const next = `${standingOf(this.#path)}.next`;
      await writeFile(next, `${JSON.stringify(saved)}\n`, { mode: 0o600 });
      await rename(next, standingOf(this.#path));
    } catch (error) {
      throw new CliError(`${this.#path} cannot be written: ${messageOf(error)}`);
    }
  }

  async finish(): Promise<void> {
    await rm(standingOf(this.#path), { force: true });
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function standingOf(path: string): string {
  return `${path}.state.json`;
}

function readStanding(path: string, of: string): Standing | null {
  let saved: Saved;
  try {
    saved = JSON.parse(readFileSync(standingOf(path), 'utf8')) as Saved;
  } catch {
    return null;
  }
  if (saved.version === 1 && saved.of === of) return saved;
  throw new CliError(
    `${path} was begun with another server or another selection: name another file, or remove both`,
    EXIT.usage,
  );
}
