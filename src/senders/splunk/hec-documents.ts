/**
 * Events of Splunk's HTTP Event Collector as foreign documents: those of Docker's splunk driver in
 * its formats `inline`, `json` and `raw`, and those of any other program.
 */
import { ExactNumber } from '../../domain/event/exact-number.ts';
import type { InputProblem } from '../../domain/errors.ts';
import { containerTag } from '../container-tag.ts';
import type { ForeignDocument, Identity, Said } from '../foreign-document.ts';
import { jsonText } from '../mapping/texts.ts';
import { readForeignTime } from '../mapping/times.ts';
import { structuredMessage } from '../structured-message.ts';
import { concatenatedJson } from './concatenated-json.ts';
import { joinPieces } from './pieces.ts';

type Json = Readonly<Record<string, unknown>>;

/** One event, taken apart. */
interface HecEvent {
  /** What is known of where it comes from, by the names that the protocol has. */
  envelope: Json;
  /** Docker's `line`, or all of another program's event. */
  line: string;
  /** An event that is no text. */
  value: Json | unknown[] | null;
  /** Docker's; null: it is no line of a container. */
  docker: { tag: string; source: string; attrs: unknown } | null;
  key: string;
}

/** What stands in the address of a request, for all of its events. */
export type Defaults = Readonly<Record<string, string>>;

export const UNREADABLE: InputProblem = {
  code: 'BAD_JSON',
  message: 'The event is not a JSON object with an "event" that is not empty',
  field: 'event',
};

/** The events of a body, in order; what is none is UNREADABLE, and the others are taken. */
export function* hecDocuments(
  text: string,
  defaults: Defaults,
  receivedAt: number,
): Generator<ForeignDocument | InputProblem, void, undefined> {
  const equals = new Map<string, number>();
  for (const event of joinPieces(eventsOf(text, defaults))) {
    yield event === null ? UNREADABLE : documentOf(event, equals, receivedAt);
  }
}

/** Of `/services/collector/raw`: each line of the body is an event. */
export function* rawDocuments(
  text: string,
  defaults: Defaults,
  receivedAt: number,
): Generator<ForeignDocument, void, undefined> {
  const equals = new Map<string, number>();
  for (const part of text.split('\n')) {
    const line = part.endsWith('\r') ? part.slice(0, -1) : part;
    if (line === '') continue;
    const event = { envelope: defaults, line, value: null, docker: null, key: '' };
    yield documentOf(event, equals, receivedAt);
  }
}

function* eventsOf(text: string, defaults: Defaults): Generator<HecEvent | null, void, undefined> {
  for (const found of concatenatedJson(text)) {
    yield found.ok ? readEvent({ ...defaults, ...(found.value as Json) }) : null;
  }
}

function readEvent(envelope: Json): HecEvent | null {
  const { event } = envelope;
  if (typeof event === 'string') {
    if (event === '') return null;
    return { envelope, line: event, value: null, docker: null, key: '' };
  }
  if (typeof event !== 'object' || event === null) {
    if (event === undefined || event === null) return null;
    return { envelope, line: String(event), value: null, docker: null, key: '' };
  }
  const { line, tag, source, attrs } = event as Json;
  if (line === undefined || typeof tag !== 'string' || typeof source !== 'string') {
    return { envelope, line: '', value: event as Json, docker: null, key: '' };
  }
  const text = typeof line === 'string' ? line : '';
  const value = typeof line === 'string' ? null : isContainer(line) ? line : [line];
  const key = jsonText([envelope.host, tag, source, envelope.time]);
  return { envelope, line: text, value, docker: { tag, source, attrs }, key };
}

function isContainer(value: unknown): value is Json | unknown[] {
  return typeof value === 'object' && value !== null && !(value instanceof ExactNumber);
}

function documentOf(
  event: HecEvent,
  equals: Map<string, number>,
  receivedAt: number,
): ForeignDocument {
  const { envelope, value, docker } = event;
  const said: Said = { ...timeOf(envelope.time, receivedAt) };
  const { event: _, time, index, fields: indexed, ...rest } = envelope;
  const fields: Record<string, unknown> = { ...rest };
  if (indexed !== undefined) fields.fields = indexed;
  if (value === null) said.message = withoutReturn(event.line);
  else {
    const { fields: more, message } = structuredMessage(value);
    Object.assign(fields, more);
    if (message !== null) said.message = message;
  }
  // For the mapping, which tells that it cannot use it, and keeps it.
  if (said.at === undefined && time !== undefined) fields.time ??= time;
  if (docker !== null) addContainer(docker, fields, said);
  return {
    kind: 'splunk',
    index: typeof index === 'string' && index !== '' ? index : null,
    identity: identityOf(event, equals),
    fields,
    said,
    receivedAt,
  };
}

/** With a terminal for the container each line ends with a return. */
function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function addContainer(
  { tag, source, attrs }: NonNullable<HecEvent['docker']>,
  fields: Record<string, unknown>,
  said: Said,
): void {
  const container = containerTag(tag);
  said.writer = { kind: 'container', name: container?.name ?? tag };
  said.labels = {
    container: container?.name ?? tag,
    ...(container?.id ? { container_id: container.id } : {}),
  };
  if (source === 'stdout' || source === 'stderr') {
    said.stream = source === 'stdout' ? 'STDOUT' : 'STDERR';
  }
  if (attrs !== undefined) fields.attrs = attrs;
}

/** The driver repeats its lines among others after a lost answer, with their times as they were. */
function identityOf(event: HecEvent, equals: Map<string, number>): Identity {
  const { envelope, line, value, docker } = event;
  const parts = [
    envelope.host,
    docker === null ? [envelope.source, envelope.sourcetype] : [docker.tag, docker.source],
    envelope.time,
    value ?? line,
  ].map((part) => (typeof part === 'string' ? part : jsonText(part)));
  const key = parts.join('\0');
  const ordinal = equals.get(key) ?? 0;
  equals.set(key, ordinal + 1);
  return { by: 'line', parts, ordinal };
}

/** Seconds with a fraction, as a text or a number; without one the mapping looks for another. */
function timeOf(time: unknown, receivedAt: number): Pick<Said, 'at' | 'atIsFine'> {
  const read = readForeignTime(time, { format: 'auto', offsetMinutes: 0, receivedAt });
  return read === null ? {} : { at: read.at, atIsFine: read.fine };
}
