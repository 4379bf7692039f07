/** Document ids: hashes, for an id may have 512 bytes and our names are longer. */
import { hash as digest } from 'node:crypto';

function hash(...parts: string[]): string {
  return digest('sha256', parts.join('\0'), 'base64url').slice(0, 22);
}

export const registrationId = (taskId: string) => `task:${hash(taskId)}`;
export const taskId = (task: string) => `t:${hash(task)}`;
/** A task's list of hosts is kept apart: it is long, and seldom changes. */
export const taskHostsId = (task: string) => `h:${hash(task)}`;
export const runId = (task: string, host: string) => `r:${hash(task, host)}`;
export const stepId = (task: string, host: string, step: string) => `s:${hash(task, host, step)}`;
export const hostId = (host: string) => hash(host);
export const shardId = (shard: string) => `shard:${shard}`;
export const dayId = (day: string) => `day:${day}`;
