/**
 * What a request says of all its events: an id for those that have none, so that the request may be
 * sent again, and what becomes of messages that are too long.
 */
import { hash } from 'node:crypto';
import { badInput } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/event/limits.ts';
import { cutText } from '../../domain/text/cut-text.ts';

export type LongMessages = 'cut' | 'reject';

export interface RequestTerms {
  /** `Idempotency-Key`; null: none was sent. */
  key: string | null;
  longMessages: LongMessages;
}

const KEY_MAX = 255;

/** Throws BAD_INPUT that names the header. */
export function readIdempotencyKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  const key = String(header).trim();
  if (key === '' || key.length > KEY_MAX) {
    throw badInput(`Idempotency-Key must have 1 to ${KEY_MAX} characters`, 'idempotency-key');
  }
  return key;
}

/** The event as it is taken in; whatever is no event is left to be refused as it is. */
export function onTerms(raw: unknown, index: number, { key, longMessages }: RequestTerms): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw;
  const event = raw as Record<string, unknown>;
  const { message } = event;
  const isLong = typeof message === 'string' && message.length > LIMITS.message;
  const cut =
    isLong && longMessages === 'cut' ? { message: cutText(message, LIMITS.message) } : null;
  const id = key === null || hasIdentity(event) ? null : { eventId: idOf(key, index) };
  return cut === null && id === null ? raw : { ...event, ...cut, ...id };
}

/** Whether its sender gave it an identity: an id, or a number. */
function hasIdentity({ eventId, sequence }: Record<string, unknown>): boolean {
  return (eventId ?? sequence ?? null) !== null;
}

function idOf(key: string, index: number): string {
  return `i-${hash('sha256', key, 'base64url').slice(0, 22)}-${index}`;
}
