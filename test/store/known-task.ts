/** A server believes what it knows of a task for a while, and then asks the cluster again. */
import { expect } from 'vitest';
import { registrationId } from '../../src/store/elasticsearch/indices/ids.ts';
import type { Store } from '../../src/store/store.ts';
import type { Gate } from '../elasticsearch/gate.ts';

/** Resolves when it has asked again. */
export async function readAgain(store: Store, gate: Gate, taskId: string): Promise<void> {
  let times = 0;
  gate.damage(/_mget/, (answer) => {
    if (answer.includes(registrationId(taskId))) times++;
    return answer;
  });
  const ask = async () => {
    await store.heads(taskId);
    return times;
  };
  await expect.poll(ask, { timeout: 10_000 }).toBeGreaterThan(0);
  gate.damage(null);
}
