/** Lines of one container as events, each with an id that it has again when it is read again. */
import type { ForeignDocument } from '../../senders/foreign-document.ts';
import { eventIdOf } from '../../senders/identity.ts';
import { mapDocument, type StepEventInput } from '../../senders/mapping/map-document.ts';
import type { Mappings } from '../../senders/mapping/mappings.ts';
import type { Container } from './engine.ts';
import type { LogLine } from './frames.ts';

/** Lines of which it is remembered how often they were read: those of the last seconds matter. */
const REMEMBERED = 50_000;

export class LineEvents {
  readonly #container: Container;
  readonly #host: string;
  readonly #mappings: Mappings;
  /** How often each (stream, time, text) was read since the log was opened. */
  readonly #equals = new Map<string, number>();

  constructor(container: Container, host: string, mappings: Mappings) {
    this.#container = container;
    this.#host = host;
    this.#mappings = mappings;
  }

  event(line: LogLine, receivedAt: number): StepEventInput {
    const { id, name, image, labels } = this.#container;
    const parts = [id, line.stream, line.time, line.text];
    const ordinal = this.#ordinal(parts.join('\0'));
    const at = line.time === '' ? Number.NaN : Date.parse(line.time);
    const document: ForeignDocument = {
      kind: 'docker',
      index: null,
      identity: { by: 'line', parts, ordinal },
      fields: {
        container: { name, id: id.slice(0, 12), image: { name: image }, labels },
        host: this.#host,
      },
      said: {
        ...(Number.isNaN(at) ? {} : { at }),
        message: line.text,
        stream: line.stream,
        writer: { kind: 'container', name },
      },
      receivedAt,
    };
    const { event } = mapDocument(document, this.#mappings.for(document), null);
    // The whole seconds of podman are made unique by the ordinal: the log is read by whole seconds.
    const eventId = eventIdOf(document.identity, line.time !== '');
    return eventId === null ? event : { ...event, eventId };
  }

  #ordinal(key: string): number {
    const ordinal = this.#equals.get(key) ?? 0;
    // Deleted and set again, so that it is the newest and the oldest stays the first.
    this.#equals.delete(key);
    this.#equals.set(key, ordinal + 1);
    if (this.#equals.size > REMEMBERED) {
      this.#equals.delete(this.#equals.keys().next().value as string);
    }
    return ordinal;
  }
}
