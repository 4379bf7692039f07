/** The first copies of events whose ids may be in the log already. */
import { ShiplogError } from '../../../domain/errors.ts';
import type { LogEvent } from '../../../domain/event/event.ts';
import { idConflict } from '../../../domain/event/rejections.ts';
import { type Connection, unavailable } from '../cluster/connection.ts';
import { getDocuments, type StoredDocument } from '../cluster/documents.ts';
import type { Names } from '../indices/names.ts';
import type { Registered } from '../indices/task-registry.ts';
import { type Outcome, rejected, unsettled } from './outcomes.ts';

export type Copy = StoredDocument<{
  '@timestamp': number;
  shiplog: { digest: string };
  event: { ingested: number };
}>;

export interface CopyParts {
  connection: Connection;
  names: Names;
}

export interface Sought {
  event: LogEvent;
  entry: Registered;
}

const PARTS = ['@timestamp', 'shiplog.digest', 'event.ingested'];

/**
 * In the order of the events; null: there is none. undefined: it cannot be told now, which harms
 * nothing of other shards.
 */
export async function firstCopies(
  { connection, names }: CopyParts,
  sought: readonly Sought[],
): Promise<(Copy | null | undefined)[]> {
  const copies: (Copy | null | undefined)[] = sought.map(() => undefined);
  const ofShard = Map.groupBy(sought.keys(), (i) => sought[i]?.entry.shard);
  const read = async (places: readonly number[]) => {
    const ids = places.map((i) => {
      const { event, entry } = sought[i] as Sought;
      return { index: names.events(entry.day), id: event.id, routing: event.taskId };
    });
    try {
      const found: (Copy | null)[] = await getDocuments(connection, ids, PARTS);
      for (const [n, i] of places.entries()) copies[i] = found[n] ?? null;
    } catch (error) {
      if (!(error instanceof ShiplogError) || error.code !== 'STORE_UNAVAILABLE') throw error;
    }
  };
  await Promise.all([...ofShard.values()].map(read));
  return copies;
}

/** What becomes of an event if it, or another one with its id, is there already. */
export function outcomeOf(
  event: LogEvent,
  { shard }: Registered,
  copy: Copy | null | undefined,
): Outcome {
  if (copy == null) return unsettled(unavailable('Whether an event is there cannot be told now'));
  if (copy.source.shiplog.digest !== event.digest) return rejected(idConflict(event));
  return { outcome: 'DUPLICATE', position: { shard: shard as string, seq: copy.seqNo + 1 } };
}

/** The same event as it was taken in first. */
export function asStored(event: LogEvent, { source }: Copy): LogEvent {
  return { ...event, at: source['@timestamp'], receivedAt: source.event.ingested };
}
