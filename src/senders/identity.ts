/**
 * How a document that is sent again is known again: the eventId that it gets. First by the sender's
 * own id; else, for programs that repeat their bodies or lines as they were, by these. Only what
 * carries a time finer than a second is told apart from another that merely looks the same:
 * without one the document has no identity, and is taken at least once. See decision 30.
 */
import { hash } from 'node:crypto';
import type { Identity } from './foreign-document.ts';

/** 132 bits, as everywhere. */
const ID_LENGTH = 22;

const PREFIX = { id: 'x', body: 'b', line: 'l' } as const;

/** null: nothing tells whether it is a repeat. `timeIsFine`: of the document's own time. */
export function eventIdOf(identity: Identity | null, timeIsFine: boolean): string | null {
  if (identity === null || (identity.by !== 'id' && !timeIsFine)) return null;
  const id = hash('sha256', keyOf(identity), 'base64url').slice(0, ID_LENGTH);
  return `${PREFIX[identity.by]}-${id}`;
}

function keyOf(identity: Identity): string {
  switch (identity.by) {
    case 'id':
      return `${identity.space}\0${identity.id}`;
    case 'body':
      return `${identity.digest}\0${identity.ordinal}`;
    case 'line':
      return JSON.stringify([identity.ordinal, ...identity.parts]);
  }
}

/** The digest of a body as it was before compression, and of where it was sent to. */
export function bodyDigest(body: Uint8Array | string, target: string): string {
  return hash('sha256', `${target}\0${hash('sha256', body, 'base64url')}`, 'base64url');
}
