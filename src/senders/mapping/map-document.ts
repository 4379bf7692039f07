/**
 * A foreign document as a step event. Pure, and it refuses nothing: what cannot be used where it
 * stands is kept among the parameters, what does not fit is told.
 */
import { LIMITS } from '../../domain/event/limits.ts';
import type { ForeignDocument } from '../foreign-document.ts';
import { restAsParams, takeLabels } from './attributes.ts';
import { FieldMap, type Leaf, numberOf, textOf } from './field-map.ts';
import { readLevel, readStatus } from './levels.ts';
import { type FieldName, type FieldRule, LOG_STEP, type Mapping, rulesByPath } from './mapping.ts';
import { type Misfit, Misfits } from './misfits.ts';
import { hostFrom, nameFrom, textFrom } from './texts.ts';
import { type ReadTime, readForeignTime } from './times.ts';

/** An input of `ingest.logSteps`, with names as `parseStepEvent` takes them. */
export type StepEventInput = { taskId: string; host: string; step: string } & Record<
  string,
  unknown
>;

export interface MappedDocument {
  event: StepEventInput;
  /** The sender's own id among the fields; null: none. */
  id: string | null;
  /** Whether it carries a time of its own that is finer than a second. */
  timeIsFine: boolean;
  misfits: readonly Misfit[];
}

/** `address`: of the sender, which is the host of a document that names none. */
export function mapDocument(
  document: ForeignDocument,
  mapping: Mapping,
  address: string | null,
): MappedDocument {
  return new DocumentReader(document, mapping).read(address);
}

class DocumentReader {
  readonly #document: ForeignDocument;
  readonly #mapping: Mapping;
  readonly #fields: FieldMap;
  readonly #misfits = new Misfits();

  constructor(document: ForeignDocument, mapping: Mapping) {
    this.#document = document;
    this.#mapping = mapping;
    this.#fields = new FieldMap(document.fields, rulesByPath(mapping));
    for (const path of mapping.drop) {
      if (path.endsWith('.*')) this.#fields.takeBelow(path.slice(0, -2));
      else this.#fields.take(path);
    }
  }

  read(address: string | null): MappedDocument {
    const { said = {} } = this.#document;
    const time = this.#time();
    const writer = said.writer ?? this.#writer();
    const task = said.task ?? this.#name('task', LIMITS.taskId);
    const id = this.#name('id', 1_024);
    const host = said.host ?? this.#host() ?? (address === null ? null : hostFrom(address));
    const step = said.step ?? this.#name('step', LIMITS.step) ?? LOG_STEP;
    const event: StepEventInput = {
      taskId: nameFrom(task ?? logTask(writer, time.at), LIMITS.taskId) ?? 'unknown',
      host: hostFrom(host ?? 'unknown') ?? 'unknown',
      step: nameFrom(step, LIMITS.step) ?? LOG_STEP,
      at: time.at,
    };
    // A line of a log says nothing of how a deployment goes, whatever it calls its status.
    if (task !== null) this.#addProgress(event);
    const level = said.level ?? this.#value('level', readLevel);
    if (level !== null) event.level = level;
    const stream = said.stream ?? this.#value('stream', readStream);
    if (stream !== null) event.stream = stream;
    const source = this.#name('source', LIMITS.source);
    event.source = source ?? nameFrom(this.#document.index ?? this.#document.kind, LIMITS.source);
    this.#addMessage(event);
    event.labels = takeLabels(this.#fields, this.#mapping.labels, said.labels, this.#misfits);
    const params = restAsParams(this.#fields, this.#misfits);
    if (params !== null) event.params = params;
    if (saysNothing(event)) event.message = '';
    if (this.#fields.left > 0) this.#misfits.note('fields', '');
    return { event, id, timeIsFine: time.fine, misfits: this.#misfits.list };
  }

  /** The first path of the rule that holds what `read` can use; it is taken from the document. */
  #value<T>(name: FieldName, read: (leaf: Leaf) => T | null): T | null {
    const rule = this.#mapping.fields[name];
    const paths = this.#fields.concerns(rule) ? rule.paths : [];
    for (const path of paths) {
      if (!this.#fields.has(path)) continue;
      const found = read(translated(this.#fields.peek(path), rule));
      if (found !== null) {
        this.#fields.take(path);
        return found;
      }
    }
    return rule.fallback === undefined ? null : read(rule.fallback);
  }

  #name(name: FieldName, max: number): string | null {
    return this.#value(name, (leaf) => {
      const text = textOf(leaf);
      return text === null ? null : nameFrom(text, max);
    });
  }

  #host(): string | null {
    return this.#value('host', (leaf) => {
      const text = textOf(leaf);
      return text === null ? null : hostFrom(text);
    });
  }

  #time(): ReadTime {
    const { said = {}, receivedAt } = this.#document;
    const { paths, format, offsetMinutes } = this.#mapping.time;
    if (said.at !== undefined) return { at: said.at, fine: said.atIsFine ?? true };
    for (const path of paths) {
      if (!this.#fields.has(path)) continue;
      const reading = { format, offsetMinutes, receivedAt };
      const time = readForeignTime(this.#fields.peek(path), reading);
      if (time !== null) {
        this.#fields.take(path);
        return time;
      }
      this.#misfits.note('time', path);
    }
    return { at: receivedAt, fine: false };
  }

  /** Looked at and not taken: it is a label, too. */
  #writer(): { kind: string; name: string } {
    for (const rule of this.#mapping.writers) {
      if (!this.#fields.concerns(rule)) continue;
      const { kind, paths } = rule;
      for (const path of paths) {
        const text = textOf(this.#fields.peek(path));
        const name = text === null ? null : programName(text);
        if (name !== null) return { kind, name };
      }
    }
    const { index, kind } = this.#document;
    return index === null ? { kind: 'log', name: kind } : { kind: 'index', name: undated(index) };
  }

  #addProgress(event: StepEventInput): void {
    const status = this.#value('status', (leaf) => readStatus(textOf(leaf) ?? ''));
    if (status !== null) event.status = status;
    const attempt = this.#value('attempt', wholeBetween(1, LIMITS.attempt));
    if (attempt !== null) event.attempt = attempt;
    const exitCode = this.#value('exitCode', wholeBetween(-(2 ** 31), 2 ** 32 - 1));
    if (exitCode !== null) event.exitCode = exitCode;
    const durationMs = this.#value('durationMs', (leaf) => {
      const number = numberOf(leaf);
      return number !== null && number >= 0 && number <= LIMITS.durationMs ? number : null;
    });
    if (durationMs !== null) event.durationMs = durationMs;
    const command = this.#text('command', LIMITS.command);
    if (command !== null) event.command = command;
    if (status !== 'FAILED' && status !== 'TIMED_OUT') return;
    const message = this.#text('error', LIMITS.errorMessage);
    if (message === null) return;
    event.error = { message, code: this.#name('errorCode', LIMITS.errorCode) };
  }

  #addMessage(event: StepEventInput): void {
    const { said = {} } = this.#document;
    const message =
      said.message === undefined
        ? this.#text('message', LIMITS.message)
        : this.#fitted(said.message, LIMITS.message, 'message');
    if (message !== null) event.message = message;
  }

  #text(name: FieldName, max: number): string | null {
    return this.#value(name, (leaf) => {
      const text = textOf(leaf);
      return text === null ? null : this.#fitted(text, max, name);
    });
  }

  #fitted(text: string, max: number, field: string): string {
    const fitted = textFrom(text, max);
    if (fitted.cut) this.#misfits.note('cut', field);
    return fitted.text;
  }
}

function translated(leaf: Leaf, { values }: FieldRule): Leaf {
  if (values === undefined) return leaf;
  const text = textOf(leaf);
  return text === null ? leaf : (values.get(text) ?? leaf);
}

function readStream(leaf: Leaf): 'STDOUT' | 'STDERR' | null {
  const name = textOf(leaf)?.toUpperCase();
  return name === 'STDOUT' || name === 'STDERR' ? name : null;
}

function wholeBetween(min: number, max: number): (leaf: Leaf) => number | null {
  return (leaf) => {
    const number = numberOf(leaf);
    return number !== null && Number.isInteger(number) && number >= min && number <= max
      ? number
      : null;
  };
}

/** `sshd[4711]:` is sshd, and a container's name from Docker's own API begins with a slash. */
function programName(text: string): string | null {
  return nameFrom(text.replace(/^\/+/, '').replace(/(\[\d+\])?:?\s*$/, ''), 200);
}

/** An index without the date at its end, or each day would be a source of its own. */
function undated(index: string): string {
  return index.replace(/[-_.]?\d{4}([-._]?\d\d){1,3}([-.]\d{6})?$/, '') || index;
}

/** The task of documents that name none: one for each source and day, `container/web-1/2026-11-22`. */
function logTask(writer: { kind: string; name: string }, at: number): string {
  const day = dayOf(at);
  const name = writer.name.slice(0, LIMITS.taskId - writer.kind.length - day.length - 2);
  return `${writer.kind}/${name}/${day}`;
}

const DAY_MS = 86_400_000;
/** The day that was asked for last: most documents are of today. */
let lastDay = { number: Number.NaN, text: '' };

function dayOf(at: number): string {
  const number = Math.floor(at / DAY_MS);
  if (number !== lastDay.number) {
    lastDay = { number, text: new Date(at).toISOString().slice(0, 10) };
  }
  return lastDay.text;
}

function saysNothing(event: StepEventInput): boolean {
  const says = ['status', 'message', 'command', 'params', 'exitCode', 'durationMs', 'error'];
  return says.every((name) => event[name] === undefined);
}
