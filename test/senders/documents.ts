/** Documents as programs send them, for tests of the mapping. */
import { mapDocument } from '../../src/senders/mapping/map-document.ts';
import type { ForeignDocument } from '../../src/senders/foreign-document.ts';
import { DEFAULT_MAPPING } from '../../src/senders/mapping/default-mapping.ts';
import type { Mapping } from '../../src/senders/mapping/mapping.ts';
import { parseMappingFile } from '../../src/senders/mapping/mapping-file.ts';
import { Mappings } from '../../src/senders/mapping/mappings.ts';

export const RECEIVED_AT = Date.UTC(2026, 10, 27, 12, 0, 0);

export function documentOf(
  fields: Record<string, unknown>,
  more: Partial<ForeignDocument> = {},
): ForeignDocument {
  return {
    kind: 'elasticsearch',
    index: 'logs-shop',
    identity: null,
    fields,
    receivedAt: RECEIVED_AT,
    ...more,
  };
}

export function mapped(
  fields: Record<string, unknown>,
  more: Partial<ForeignDocument> = {},
  mapping: Mapping = DEFAULT_MAPPING,
) {
  return mapDocument(documentOf(fields, more), mapping, '10.0.0.9');
}

/** The mappings of a file that is right. */
export function mappingsOf(source: string): Mappings {
  const parsed = parseMappingFile(source);
  if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
  return new Mappings(parsed.ok);
}
