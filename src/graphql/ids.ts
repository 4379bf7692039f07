/** Ids of what has no id of its own: the same for the same thing everywhere, on every server. */
import { hash } from 'node:crypto';

const ID_LENGTH = 22;

/** 132 bits of a hash over the type's name and the parts that tell one thing from another. */
export function objectId(type: string, ...parts: string[]): string {
  return hash('sha256', [type, ...parts].join('\0'), 'base64url').slice(0, ID_LENGTH);
}
