/** What is deployed, and where to: `shop 2.4.0 → production`. */
import { plainText } from '../log/text.ts';

interface What {
  service: string | null;
  version: string | null;
  environment: string | null;
}

/** '' where nothing was said. */
export function whatOf({ service, version, environment }: What): string {
  const where = environment === null ? null : `→ ${environment}`;
  return plainText([service, version, where].filter((text) => text !== null).join(' '));
}
