/**
 * What a source reads becomes an event, as `/es` makes it of the same document: the same mapping, and
 * the same id from index and `_id`, so that what came by either way counts once.
 */
import { hash } from 'node:crypto';
import { parseExactJson } from '../../domain/event/exact-number.ts';
import { STEP_EVENT_FIELDS } from '../../domain/event/input.ts';
import { isTaskLine } from '../../domain/event/task-input.ts';
import { documentEvent } from '../../senders/document-event.ts';
import type { Identity } from '../../senders/foreign-document.ts';
import { eventIdOf } from '../../senders/identity.ts';
import type { Mappings } from '../../senders/mapping/mappings.ts';
import type { Misfit } from '../../senders/mapping/misfits.ts';
import type { Problem } from '../client.ts';

type Fields = Record<string, unknown>;

/** An event that can be sent, or why there is none. */
export type ImportDocument = {
  /** Where it was found, for people. */
  place: string;
  /** As it stands in the file of what was rejected, which `import` takes as well. */
  record: Fields;
  misfits: readonly Misfit[];
} & ({ event: Fields; isMapped: boolean; problem: null } | { event: null; problem: Problem });

/** Where a line was found: it is known again by what it says and where it stands. */
export interface LinePlace {
  /** `file:number`. */
  place: string;
  /** Of the file's first line: the same file has it under any name. */
  file: string;
  number: number;
}

export class DocumentReader {
  readonly #mappings: Mappings;
  readonly #index: string | null;
  readonly #takesEvents: boolean;

  /** `index`: of documents that name none. `takesEvents`: lines may be events of Shiplog's own. */
  constructor(mappings: Mappings, index: string | null, takesEvents: boolean) {
    this.#mappings = mappings;
    this.#index = index;
    this.#takesEvents = takesEvents;
  }

  /** A document of an index; `source` undefined: the index does not keep them. */
  hit(index: string, id: string, source: unknown): ImportDocument {
    const place = `${index}/${id}`;
    const record = { _index: index, _id: id, _source: source };
    if (!isObject(source)) {
      const message = 'the index keeps no _source of it, so there is nothing to read';
      return refused(place, record, 'REQUIRED', '_source', message);
    }
    const known = dataStreamOf(index);
    return this.#mapped(place, record, known, { by: 'id', space: known, id }, source);
  }

  /** A line of a file; `index`: said by an action line before it. */
  line(text: string, at: LinePlace, action: Action | null): ImportDocument {
    const fields = readObject(text);
    if (fields === null) {
      const message = 'the line is not a JSON object';
      return refused(at.place, { line: text }, 'BAD_JSON', null, message);
    }
    // Of a file of what was rejected.
    if (typeof fields.line === 'string' && isObject(fields.problem)) {
      return this.line(fields.line, at, null);
    }
    if (isObject(fields._source)) {
      const { _index: named, _id: id } = fields;
      const index = typeof named === 'string' ? named : this.#index;
      if (typeof id === 'string' && index !== null) return this.hit(index, id, fields._source);
      return this.#unnamed(text, at, index, fields._source);
    }
    if (action?.id != null) return this.hit(action.index ?? this.#index ?? '', action.id, fields);
    if (this.#takesEvents && isEvent(fields)) return this.#event(text, at, fields);
    return this.#unnamed(text, at, action?.index ?? this.#index, fields);
  }

  #unnamed(text: string, at: LinePlace, index: string | null, fields: Fields): ImportDocument {
    const read = this.#mapped(at.place, { line: text }, index, null, fields);
    if (read.event !== null) read.event.eventId ??= lineId(text, at);
    return read;
  }

  #mapped(
    place: string,
    record: Fields,
    index: string | null,
    identity: Identity | null,
    fields: Fields,
  ): ImportDocument {
    const receivedAt = Date.now();
    const document = { kind: 'import', index, identity, fields, receivedAt } as const;
    const mapping = this.#mappings.for(document);
    const { event, misfits } = documentEvent(document, mapping, null);
    return { place, record, event, isMapped: true, misfits, problem: null };
  }

  #event(text: string, at: LinePlace, fields: Fields): ImportDocument {
    const isNamed = (fields.eventId ?? fields.sequence ?? null) !== null;
    const event = isNamed ? fields : { ...fields, eventId: lineId(text, at) };
    const record = { line: text };
    return { place: at.place, record, event, isMapped: false, misfits: [], problem: null };
  }
}

export interface Action {
  index: string | null;
  id: string | null;
}

/** null: no action line of `_bulk`. */
export function readAction(text: string): Action | null {
  if (!/^\s*\{\s*"(?:index|create)"\s*:/.test(text)) return null;
  const fields = readObject(text);
  const [name, ...more] = Object.keys(fields ?? {});
  const action = fields === null || name === undefined ? null : fields[name];
  if (more.length > 0 || !isObject(action)) return null;
  const { _index: index, _id: id } = action;
  return {
    index: typeof index === 'string' ? index : null,
    id: typeof id === 'string' || typeof id === 'number' ? String(id) : null,
  };
}

/** The name that senders know a backing index by: `.ds-app-2026.11.27-000001` is of `app`. */
function dataStreamOf(index: string): string {
  return /^\.ds-(.+)-\d{4}\.\d{2}\.\d{2}-\d{6}$/.exec(index)?.[1] ?? index;
}

/** A line alone may stand there twice and mean it; at its place in its file it is itself. */
function lineId(text: string, { file, number }: LinePlace): string {
  const id = `${number}:${hash('sha256', text, 'base64url')}`;
  return eventIdOf({ by: 'id', space: `file\0${file}`, id }, true) as string;
}

function isEvent(fields: Fields): boolean {
  if (typeof fields.taskId !== 'string') return false;
  if (isTaskLine(fields)) return true;
  if (typeof fields.host !== 'string' || typeof fields.step !== 'string') return false;
  return Object.keys(fields).every((name) => STEP_EVENT_FIELDS.has(name));
}

function refused(
  place: string,
  record: Fields,
  code: string,
  field: string | null,
  message: string,
): ImportDocument {
  return { place, record, event: null, misfits: [], problem: { code, message, field } };
}

function readObject(text: string): Fields | null {
  try {
    const value = parseExactJson(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
