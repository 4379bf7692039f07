/** Who asks. Scopes are the token's; `admin` implies the others. */
import { ShiplogError } from '../domain/errors.ts';

export type Scope = 'ingest' | 'read' | 'admin';

export interface Viewer {
  /** The id of the token, for logs; never the token itself. null: the server runs without tokens. */
  tokenId: string | null;
  scopes: ReadonlySet<Scope>;
  /** The address of the other end of the connection, for logs. */
  address: string | null;
}

/** Throws FORBIDDEN, naming the scope that is missing. */
export function requireScopes(viewer: Viewer, needed: Iterable<Scope>): void {
  if (viewer.scopes.has('admin')) return;
  for (const scope of needed) {
    if (!viewer.scopes.has(scope)) {
      throw new ShiplogError('FORBIDDEN', `this needs a token with the scope "${scope}"`);
    }
  }
}
