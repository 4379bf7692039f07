/** What could not be stored, each as a line that `shiplog import` takes again once it is mended. */
import { type FileHandle, open } from 'node:fs/promises';
import type { Problem } from '../client.ts';
import { CliError, messageOf } from '../exit.ts';
import { say } from '../output.ts';
import type { ImportDocument } from './document.ts';

/** How many are also said on stderr; all are in the file. */
const SAID_MAX = 10;

export class Rejects {
  readonly #path: string;
  #file: FileHandle | null = null;
  #lines: string[] = [];
  count = 0;

  constructor(path: string) {
    this.#path = path;
  }

  add({ place, record }: ImportDocument, problem: Problem): void {
    this.count++;
    this.#lines.push(`${JSON.stringify({ ...record, problem })}\n`);
    if (this.count > SAID_MAX) return;
    const rest = this.count === SAID_MAX ? '; others are told in the file only' : '';
    say(`${place}: ${problem.code}: ${problem.message} (kept in ${this.#path}${rest})`);
  }

  /** Before the position moves on, or a kill would lose them. The file is made by the first. */
  async flush(): Promise<void> {
    if (this.#lines.length === 0) return;
    try {
      this.#file ??= await open(this.#path, 'a', 0o600);
      await this.#file.appendFile(this.#lines.join(''));
      await this.#file.datasync();
    } catch (error) {
      throw new CliError(`${this.#path} cannot be written: ${messageOf(error)}`);
    }
    this.#lines = [];
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}
