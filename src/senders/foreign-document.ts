/**
 * What any protocol of others hands over: one log record, not ours yet. The protocol says what it
 * knows itself; all else is in the record's own fields, and the mapping finds it there.
 */
import type { Labels, LogLevel, LogStream } from '../domain/event/event.ts';

export const SOURCE_KINDS = [
  'elasticsearch',
  'otlp',
  'splunk',
  'syslog',
  'docker',
  'import',
] as const;
/** The protocol that a document came by. */
export type SourceKind = (typeof SOURCE_KINDS)[number];

/** How the same document is known again; see `identity.ts`. */
export type Identity =
  /** The sender's own id, unique within `space` (an index). */
  | { by: 'id'; space: string; id: string }
  /** For programs that repeat the very same body: its digest, and the place in it from 0. */
  | { by: 'body'; digest: string; ordinal: number }
  /** For those that repeat lines among others: all that a repeat has in common, time included. */
  | { by: 'line'; parts: readonly string[]; ordinal: number };

/** What the protocol itself says, in our terms; it stands above what the fields say. */
export interface Said {
  task?: string;
  host?: string;
  step?: string;
  /** Epoch milliseconds. */
  at?: number;
  /** Whether `at` is finer than a second; true where absent. */
  atIsFine?: boolean;
  level?: LogLevel;
  message?: string;
  stream?: LogStream;
  /** Who wrote it, for the task of documents that name none: `container` and `web-1`. */
  writer?: { kind: string; name: string };
  labels?: Labels;
}

export interface ForeignDocument {
  kind: SourceKind;
  /** The index, data stream or topic that it was sent to. */
  index: string | null;
  identity: Identity | null;
  /** JSON as it was sent, nested or with dots in its names; long numbers as `ExactNumber`. */
  fields: Readonly<Record<string, unknown>>;
  said?: Said;
  receivedAt: number;
}
