/** Rows that fields of several types lead to. */
import { ShiplogError } from '../../domain/errors.ts';
import type { TaskView } from '../../domain/fold/views.ts';
import type { Context } from '../context.ts';
import type { HostShape } from '../refs.ts';

/** A host by name; one that only a plan names was never seen. */
export async function loadHost(context: Context, name: string): Promise<HostShape> {
  const host = await context.loaders.host.load(name);
  return host ?? { name, labels: {}, firstSeenAt: null, lastSeenAt: null, agent: null };
}

/** The task of a row that was just read; it is gone only if retention was faster. */
export async function loadTaskOf(context: Context, taskId: string): Promise<TaskView> {
  const task = await context.loaders.task.load(taskId);
  if (task === null) throw new ShiplogError('NOT_FOUND', `task "${taskId}" was removed`);
  return task;
}
