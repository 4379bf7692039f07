/** What is said beside the hosts that can be seen: why one failed, how long it took, since when it is out. */
import { ask } from '../data/ask.ts';
import { useQuestion } from '../data/use-question.ts';
import { HostNotesDocument, type HostNotesQuery } from '../gen/graphql.ts';
import { plainText } from '../log/text.ts';

export interface HostNote {
  durationMs: number | null;
  outSince: string | null;
  reason: string | null;
}

const SETTLE_MS = 120;
/** Between two questions. */
const LEAST_MS = 500;
const MOST = 200;
const NONE: ReadonlyMap<string, HostNote> = new Map();

/** `seen`: each with its cells, so that what changed is asked again. */
export function useHostNotes(
  id: string,
  seen: readonly { host: string; pattern: string }[],
): ReadonlyMap<string, HostNote> {
  // A name that ends in * would mean many.
  const some = seen.filter(({ host }) => !host.endsWith('*')).slice(0, MOST);
  const hosts = some.map(({ host }) => host);
  const { data } = useQuestion(
    hosts.length === 0 ? null : id,
    some.map(({ host, pattern }) => `${host}\0${pattern}`).join('\n'),
    async (signal) => {
      const { task } = await ask(HostNotesDocument, { id, hosts }, signal);
      return new Map(task?.runs.nodes.map((run) => [run.hostName, noteOf(run)]));
    },
    { leastMs: LEAST_MS, settleMs: SETTLE_MS },
  );
  return data ?? NONE;
}

type Run = NonNullable<HostNotesQuery['task']>['runs']['nodes'][number];

function noteOf({ durationMs, outOfRotationSince: outSince, steps }: Run): HostNote {
  const error = steps.find((step) => step.error !== null)?.error ?? null;
  return { durationMs, outSince, reason: error === null ? null : plainText(error.message) };
}
