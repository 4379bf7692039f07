/**
 * Where a board is drawn: over the last drawing on a terminal; elsewhere only its end, and a line
 * for each change before. A board that is not followed at the moment says so as long as that lasts.
 */
import { duration, timeOfDay } from '../format.ts';
import type { TaskBoardFragment } from '../gen/graphql.ts';
import { forTerminal, Output, painter, say } from '../output.ts';
import type { TaskOptions } from '../task.ts';
import { cut, widthOf } from '../width.ts';
import { boardLines, boardThatFits, groupHosts } from './board.ts';

const DEFAULT_ROWS = 40;

export class Screen {
  readonly output: Output;
  readonly #options: TaskOptions;
  readonly #notesShare: boolean;
  readonly #paint;
  /** Lines on the terminal since the beginning of the last drawing. */
  #drawn = 0;
  #lastStatus: string | null = null;
  #board: TaskBoardFragment | null = null;
  /** When it was loaded, in epoch milliseconds. */
  #boardAt = 0;
  #lost: { since: number; reason: string } | null = null;
  #isWriting = false;

  /** notesShare: stderr is on the same terminal, so that what is said comes below a drawing. */
  constructor(
    options: TaskOptions,
    output = new Output(),
    notesShare = process.stderr.isTTY === true,
  ) {
    this.#options = options;
    this.output = output;
    this.#notesShare = notesShare && output.isTerminal;
    this.#paint = painter(process.stdout, options.color);
  }

  /** A terminal on which a board is kept up to date. */
  get isLive(): boolean {
    return this.output.isTerminal && this.#options.json !== true;
  }

  /** Says something in between; the next drawing goes over that, too. */
  note(text: string): void {
    say(text);
    if (!this.#notesShare || this.#drawn === 0) return;
    this.#drawn += Math.max(1, Math.ceil(widthOf(text) / this.output.columns));
  }

  /** What is shown is not followed any more. */
  disconnected(reason: string): void {
    if (this.#lost !== null) return;
    this.#lost = { since: Date.now(), reason };
    if (this.isLive) void this.tick();
    else this.note(`${reason}; trying again`);
  }

  connected(): void {
    if (this.#lost !== null && !this.isLive) this.note('connected again');
    this.#lost = null;
  }

  /** The same board again, with the time that has passed. */
  async tick(): Promise<void> {
    if (this.#board !== null && this.isLive && !this.#isWriting) await this.#redraw(this.#board);
  }

  /** Once for each board that was loaded. */
  async draw(task: TaskBoardFragment, isLast: boolean): Promise<void> {
    const { output } = this;
    if (this.#options.json) {
      await output.json(task);
      return;
    }
    if (!isLast && !output.isTerminal) {
      const { total, succeeded, failed } = task.runCounts;
      const hosts = total === 1 ? 'host' : 'hosts';
      const status = `${task.status}: ${succeeded} of ${total} ${hosts} succeeded, ${failed} failed`;
      if (status !== this.#lastStatus) say(status);
      this.#lastStatus = status;
      return;
    }
    this.#board = isLast ? null : task;
    this.#boardAt = Date.now();
    if (!isLast) return this.#redraw(task);
    const lines = boardLines(task, { ...this.#boardOptions(), wrapReasons: true });
    await this.#write(lines.map((line) => cut(line, output.columns)));
  }

  /** One name a line, nothing else. */
  async hosts({ matrix }: TaskBoardFragment): Promise<void> {
    const names = groupHosts(matrix, this.#options.failed === true).flatMap(({ hosts }) => hosts);
    const { isTerminal } = this.output;
    const lines = names.sort().map((name) => `${isTerminal ? forTerminal(name) : name}\n`);
    if (lines.length > 0) await this.output.write(lines.join(''));
  }

  #boardOptions() {
    return {
      paint: this.#paint,
      width: this.output.columns,
      rows: this.#options.rows ?? DEFAULT_ROWS,
      failedOnly: this.#options.failed === true,
      now: Date.now(),
    };
  }

  /** It must fit the screen: what has scrolled away cannot be drawn over. */
  async #redraw(task: TaskBoardFragment): Promise<void> {
    const { columns, rows } = this.output;
    const status = this.#statusLine();
    const height = (rows ?? Number.POSITIVE_INFINITY) - 1 - status.length;
    const lines = boardThatFits(task, this.#boardOptions(), Math.max(1, height));
    await this.#write([...lines, ...status].map((line) => cut(line, columns)));
  }

  #statusLine(): string[] {
    if (this.#lost === null) return [];
    const { since, reason } = this.#lost;
    const away = duration(Math.floor((Date.now() - since) / 1_000) * 1_000).replace('0 ms', '0 s');
    const text = `✖ disconnected ${away.replace('.0 s', ' s')}, board of ${timeOfDay(this.#boardAt)}, trying again`;
    return [this.#paint('red', `${text} (${reason.replace(/\s+/g, ' ')})`)];
  }

  async #write(lines: readonly string[]): Promise<void> {
    const back = this.#drawn > 0 ? `\x1b[${this.#drawn}A\x1b[0J` : '';
    this.#drawn = this.output.isTerminal ? lines.length : 0;
    this.#isWriting = true;
    await this.output.write(`${back}${lines.join('\n')}\n`);
    this.#isWriting = false;
  }
}
