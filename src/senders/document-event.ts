/** A document as the event that it becomes, with the id by which it is known when it comes again. */
import type { ForeignDocument } from './foreign-document.ts';
import { eventIdOf } from './identity.ts';
import { mapDocument, type StepEventInput } from './mapping/map-document.ts';
import type { Mapping } from './mapping/mapping.ts';
import type { Misfit } from './mapping/misfits.ts';

export interface DocumentEvent {
  /** Has an `eventId` where anything tells whether the document is a repeat. */
  event: StepEventInput;
  /** By an id of its sender's, which it keeps though its other fields change on the way. */
  isNamed: boolean;
  misfits: readonly Misfit[];
}

/** `address`: of the sender, which is the host of a document that names none. */
export function documentEvent(
  document: ForeignDocument,
  mapping: Mapping,
  address: string | null,
): DocumentEvent {
  const { event, id, timeIsFine, misfits } = mapDocument(document, mapping, address);
  const identity =
    document.identity?.by === 'id' || id === null
      ? document.identity
      : { by: 'id' as const, space: document.index ?? document.kind, id };
  const eventId = eventIdOf(identity, timeIsFine);
  if (eventId !== null) event.eventId = eventId;
  return { event, isNamed: identity?.by === 'id', misfits };
}
