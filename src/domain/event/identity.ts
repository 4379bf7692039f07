/**
 * Ids. An event's identity is a hash of its task and the sender's own id for it, so that a retry
 * meets its first copy on every engine, whatever server takes it in.
 */
import { hash, randomUUID } from 'node:crypto';

/** Characters of an id: 132 bits, beyond any accidental collision. */
const ID_LENGTH = 22;
/** Characters of a digest: 96 bits, compared only among events of one id. */
const DIGEST_LENGTH = 16;

/** `LogEvent.id`: unique across all tasks, the same for a retry. */
export function eventIdentity(taskId: string, eventId: string): string {
  return hash('sha256', `${taskId}\0${eventId}`, 'base64url').slice(0, ID_LENGTH);
}

/** The eventId of an event that its sender numbered instead of naming. */
export function writerEventId(host: string, writer: string, sequence: number): string {
  const digest = hash('sha256', `${host}\0${writer}\0${sequence}`, 'base64url');
  return `w-${digest.slice(0, ID_LENGTH)}`;
}

/** Tells whether two events of one id are the same: of their canonical content. */
export function contentDigest(canonical: string): string {
  return hash('sha256', canonical, 'base64url').slice(0, DIGEST_LENGTH);
}

/** A UUID version 7 (RFC 9562): begins with the time, so new ids stand together in an index. */
export function uuidV7(now: number): string {
  const time = Math.max(0, now).toString(16).padStart(12, '0').slice(-12);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
