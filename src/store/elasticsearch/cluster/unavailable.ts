/** The error that the store cannot be used now, in words that may be shown to everybody. */
import { ShiplogError } from '../../../domain/errors.ts';

const RETRY_AFTER_MS = 1_000;
/** An address with a port, as messages name nodes and sockets: 10.0.0.7:9300, [::1]:9200, es-1.internal:9200. */
const ADDRESS = /(?:\b\d{1,3}(?:\.\d{1,3}){3}|\[[\da-f:.%]+\]|\b[\w-]+(?:\.[\w-]+)+):\d{2,5}\b/gi;

/** `message` is for everybody who uses Shiplog: where the cluster is stays in `cause`. */
export function unavailable(message: string, cause?: unknown): ShiplogError {
  const told = message.replaceAll(ADDRESS, '(an address)');
  return new ShiplogError('STORE_UNAVAILABLE', told, { retryAfterMs: RETRY_AFTER_MS, cause });
}
