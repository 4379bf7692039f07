/** How far a long command is, and when it will be done: a bar on a terminal, elsewhere a line now and then. */

import { humanBytes } from '../domain/text/human-bytes.ts';
import { duration } from './format.ts';
import { say } from './output.ts';

const BAR_WIDTH = 24;
const TERMINAL_EVERY_MS = 200;
const LINE_EVERY_MS = 15_000;
/** A rate means nothing before so much time has passed. */
const RATE_AFTER_MS = 1_000;

export interface ProgressOptions {
  /** null: nobody knows. */
  total: number | null;
  /** What was done by an earlier run. */
  done: number;
  unit: 'documents' | 'events' | 'bytes';
  stream?: NodeJS.WriteStream;
}

export class Progress {
  readonly #total: number | null;
  readonly #unit: ProgressOptions['unit'];
  readonly #stream: NodeJS.WriteStream;
  readonly #before: number;
  readonly #startedAt = performance.now();
  #done: number;
  #shownAt = performance.now();
  #isShown = false;

  constructor({ total, done, unit, stream = process.stderr }: ProgressOptions) {
    this.#total = total;
    this.#done = done;
    this.#before = done;
    this.#unit = unit;
    this.#stream = stream;
  }

  /** `counts`: what else is to be seen, in words. */
  advance(by: number, counts: string): void {
    this.#done += by;
    const every = this.#stream.isTTY ? TERMINAL_EVERY_MS : LINE_EVERY_MS;
    if (performance.now() - this.#shownAt < every) return;
    this.#shownAt = performance.now();
    const text = this.text(counts);
    if (!this.#stream.isTTY) say(text);
    else {
      const width = (this.#stream.columns || 100) - 1;
      this.#stream.write(`\r\x1b[2K${text.slice(0, width)}`);
      this.#isShown = true;
    }
  }

  text(counts: string): string {
    const elapsed = performance.now() - this.#startedAt;
    const rate = elapsed < RATE_AFTER_MS ? 0 : ((this.#done - this.#before) / elapsed) * 1_000;
    const parts = [this.#amount(this.#done)];
    if (this.#total !== null) {
      const share = this.#total === 0 ? 1 : Math.min(1, this.#done / this.#total);
      const full = Math.round(share * BAR_WIDTH);
      const bar = '█'.repeat(full) + '░'.repeat(BAR_WIDTH - full);
      parts[0] = `${bar} ${Math.floor(share * 100)}%  ${parts[0]} of ${this.#amount(this.#total)}`;
    }
    if (rate > 0) {
      parts.push(`${this.#amount(Math.round(rate))}/s`);
      const left = this.#total === null ? 0 : (this.#total - this.#done) / rate;
      if (left > 0) parts.push(`${duration(Math.ceil(left) * 1_000)} left`);
    }
    return [...parts, counts].join('  ');
  }

  /** What is said from now on begins a line. */
  clear(): void {
    if (this.#isShown) this.#stream.write('\r\x1b[2K');
    this.#isShown = false;
  }

  #amount(value: number): string {
    return this.#unit === 'bytes' ? humanBytes(value) : value.toLocaleString('en');
  }
}
