/** The log of all hosts: at the first failure of a deployment that is over, else at its end. */
import { ask } from '../data/ask.ts';
import {
  type FailureCauseFragment,
  type FailureEventQuery,
  FailureEventDocument,
} from '../gen/graphql.ts';
import { LogView } from '../log/log-view.tsx';
import { useOpening } from '../log/use-opening.ts';
import { failingLine } from '../run/failing-line.ts';

/** Hosts that failed, among which the first is looked for. */
const HOSTS = 100;

interface DeploymentLogProps {
  id: string;
  /** Among whose hosts the first failure is; null: not known yet. */
  groups: readonly FailureCauseFragment[] | null;
  steps: readonly string[];
}

export function DeploymentLog({ id, groups, steps }: DeploymentLogProps) {
  const opening = useOpening(groups === null ? null : id, async (signal) => {
    const hosts = (groups ?? [])
      .flatMap((group) => group.hosts)
      // A name that ends in * would mean many.
      .filter((host) => !host.endsWith('*'))
      .slice(0, HOSTS);
    return hosts.length > 0 ? firstFailure(id, hosts, signal) : null;
  });
  if (opening === null) return null;
  return <LogView filter={{ taskId: id }} opensAt={opening.cursor} withHost steps={steps} />;
}

type Failure = FailureEventQuery['events']['edges'][number]['node'];

async function firstFailure(
  id: string,
  hosts: readonly string[],
  signal: AbortSignal,
): Promise<string | null> {
  const statuses = ['FAILED' as const, 'TIMED_OUT' as const];
  const filter = { taskId: id, hosts: [...hosts], statuses };
  const { events } = await ask(FailureEventDocument, { filter }, signal);
  const [first] = events.edges;
  return first === undefined ? null : ((await causeOf(id, first.node, signal)) ?? first.cursor);
}

async function causeOf(id: string, failure: Failure, signal: AbortSignal): Promise<string | null> {
  const { hostName: host, step, attempt, error } = failure;
  if (host === null || step === null || attempt === null) return null;
  const reason = error?.message ?? null;
  return failingLine({ taskId: id, host, step, attempt, reason }, signal);
}
