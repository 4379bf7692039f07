/**
 * Why a command failed, in one line of what it printed. The last line rarely is it: tools end with
 * hints, stacks and paths of logs. So lines are weighed as they come, what is worth nothing is not
 * kept, and at the end the last one that says a cause is taken.
 *
 * Bounded: of each stream the newest 40 lines that are worth something, 64 KiB together.
 */
import { withoutEscapeCodes } from '../text/escape-codes.ts';
import { type LineWorth, messageOfLine, worthOf } from './reason-lines.ts';

const LINES_MAX = 40;
/** UTF-16 units. */
const LINE_MAX = 32_768;
const TEXT_MAX = 65_536;
/** A line that calls itself an error is taken past so many others behind it. */
const LAST_WORDS = 2;

const GOROUTINE = /^goroutine \d+ .{0,200}\[/;
const USAGE = /^usage:/i;
/** What follows it is a section of advice, up to the next title or the end. */
const ADVICE = /^(?:\* Try:|PLAY RECAP)/;
const TITLE = /^\* (?!Try)/;
/** The programs of Rust list their causes under it. */
const CAUSES = /^Caused by:$/;
const CALLS_ITSELF_ERROR =
  /^(?:[\w./-]{1,80}: )?\[?(?:error|fatal|critical|panic|exception|E|err!)\b|^[\w.]{1,200}(?:Error|Exception)(?::|$)|^(?:Caused by|--->)/i;

/** Compilers say it on stdout, and only their callers on stderr that something failed. */
const FAILURE =
  /error|fail|fatal|exception|panic|can(?:no|')t|could not|unable|denied|refused|not found|no such|invalid/i;

interface Kept {
  text: string;
  worth: Exclude<LineWorth, 'nothing'>;
  indented: boolean;
}

/** The lines of one stream that may be a reason. */
class ReasonLines {
  readonly #kept: Kept[] = [];
  #units = 0;
  /** In a section of which no line is a reason, up to an empty line or to its end. */
  #skips: 'paragraph' | 'section' | 'usage' | null = null;

  add(line: string): void {
    const seen = withoutEscapeCodes(line).slice(0, LINE_MAX).trimEnd();
    if (this.#isSkipped(seen)) return;
    const worth = worthOf(seen);
    if (worth === 'nothing') return;
    this.#kept.push({ text: seen, worth, indented: /^\s+(?!\s|---> )/.test(seen) });
    this.#units += seen.length;
    while (this.#kept.length > LINES_MAX || (this.#units > TEXT_MAX && this.#kept.length > 1)) {
      this.#units -= this.#kept.shift()?.text.length ?? 0;
    }
  }

  #isSkipped(line: string): boolean {
    if (GOROUTINE.test(line)) this.#skips = 'paragraph';
    else if (ADVICE.test(line)) this.#skips = 'section';
    else if (USAGE.test(line) && this.#kept.some(({ worth }) => worth === 'cause')) {
      this.#skips = 'usage';
    } else if (this.#skips === 'paragraph' && line === '') this.#skips = null;
    else if (this.#skips === 'section' && TITLE.test(line)) this.#skips = null;
    else if (this.#skips === 'usage' && CALLS_ITSELF_ERROR.test(line)) this.#skips = null;
    return this.#skips !== null;
  }

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  /** The last one of this worth; null where no line is worth that. */
  best(worth: Kept['worth']): string | null {
    const lines = this.#kept.filter((line) => line.worth === worth);
    const outer = lines.findLastIndex(({ indented }) => !indented);
    if (outer < 0) return lines.length === 0 ? null : messageOfLine(lines.at(-1)?.text ?? '');
    const said = (lines[outer] as Kept).text;
    const detail = lines.slice(outer + 1);
    if (CAUSES.test(said)) return messageOfLine(detail.at(-1)?.text ?? said).replace(/^\d+: /, '');
    const named = this.#namedError(lines.slice(0, outer + 1));
    if (named !== null) return messageOfLine(named);
    const first = detail[0];
    // "these packages are broken:" says it on its next line.
    return said.endsWith(':') && first !== undefined
      ? `${messageOfLine(said)} ${messageOfLine(first.text)}`
      : messageOfLine(said);
  }

  /** `error: …` with no more than a few last words behind it. */
  #namedError(lines: readonly Kept[]): string | null {
    const outer = lines.filter(({ indented }) => !indented);
    const at = outer.findLastIndex(({ text }) => CALLS_ITSELF_ERROR.test(messageOfLine(text)));
    const isLast = at === outer.length - 1;
    return at < 0 || isLast || outer.length - 1 - at > LAST_WORDS
      ? null
      : (outer[at]?.text ?? null);
  }
}

/** Takes the lines of both streams; answers at the end. */
export class Reason {
  readonly #stderr = new ReasonLines();
  readonly #stdout = new ReasonLines();

  add(stream: 'STDOUT' | 'STDERR', line: string): void {
    (stream === 'STDERR' ? this.#stderr : this.#stdout).add(line);
  }

  /** The reason from stderr if it says anything, else from stdout; empty if neither does. */
  text(): string {
    const out = this.#stdout.best('cause');
    const compilersSay = out !== null && FAILURE.test(out);
    return (
      this.#stderr.best('cause') ??
      (this.#stderr.isEmpty || compilersSay ? out : null) ??
      this.#stderr.best('repeat') ??
      this.#stderr.best('hint') ??
      this.#stdout.best('repeat') ??
      this.#stdout.best('hint') ??
      ''
    );
  }
}
