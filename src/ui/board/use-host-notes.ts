/** What is said beside the hosts that can be seen: why one failed, how long it took, since when it is out. */
import { useEffect, useState } from 'preact/hooks';
import { ask } from '../data/ask.ts';
import { HostNotesDocument } from '../gen/graphql.ts';

export interface HostNote {
  durationMs: number | null;
  outSince: string | null;
  reason: string | null;
}

const SETTLE_MS = 120;
const MOST = 200;
const NONE: ReadonlyMap<string, HostNote> = new Map();

/** `seen`: each with its cells, so that what changed is asked again. */
export function useHostNotes(
  id: string,
  seen: readonly { host: string; pattern: string }[],
): ReadonlyMap<string, HostNote> {
  const [notes, setNotes] = useState(NONE);
  // A name that ends in * would mean many.
  const some = seen.filter(({ host }) => !host.endsWith('*')).slice(0, MOST);
  const key = some.map(({ host, pattern }) => `${host}\0${pattern}`).join('\n');
  useEffect(() => {
    if (some.length === 0) return;
    const leaving = new AbortController();
    const timer = setTimeout(() => {
      const hosts = some.map(({ host }) => host);
      ask(HostNotesDocument, { id, hosts }, leaving.signal).then(
        ({ task }) => {
          const nodes = task?.runs.nodes ?? [];
          setNotes(
            new Map(
              nodes.map(({ hostName, durationMs, outOfRotationSince: outSince, steps }) => {
                const failed = steps.find(({ error }) => error !== null);
                return [hostName, { durationMs, outSince, reason: failed?.error?.message ?? null }];
              }),
            ),
          );
        },
        // They are asked for again with the next change.
        () => {},
      );
    }, SETTLE_MS);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [id, key]);
  return notes;
}
