/** The access token, where the server wants one: kept for the session, never in an address. */
import { Cell } from '../parts/cell.ts';

const KEY = 'shiplog-token';

function stored(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export const token = new Cell<string | null>(stored());
/** Why a token is asked for; null: none is. */
export const tokenWanted = new Cell<string | null>(null);

export function setToken(value: string): void {
  const text = value.trim();
  try {
    sessionStorage.setItem(KEY, text);
  } catch {
    // Without storage it is kept until the page is left.
  }
  token.value = text;
  tokenWanted.value = null;
}

/** What went with the token `given` was refused: one that was given since is not to blame. */
export function tokenRefused(given: string | null, reason: string): void {
  if (given === token.value) tokenWanted.value = reason;
}
