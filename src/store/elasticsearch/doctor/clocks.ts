/** Whether this machine and the nodes agree about the time: days and silences hang on it. */
import { z } from 'zod';
import { type Finding, fine, warning } from '../../../domain/finding.ts';
import type { DoctorContext } from './context.ts';

const NODES = z.object({
  nodes: z.record(z.string(), z.object({ name: z.string(), timestamp: z.number().optional() })),
});

const TOLERATED_MS = 2_000;

export async function checkClocks({ connection }: DoctorContext): Promise<Finding[]> {
  const began = Date.now();
  const { nodes } = await connection.expect(
    {
      method: 'GET',
      path: '/_nodes/stats/fs',
      query: { filter_path: 'nodes.*.name,nodes.*.timestamp' },
    },
    NODES,
  );
  const ended = Date.now();
  const apart = Object.values(nodes).flatMap(({ name, timestamp }) =>
    timestamp === undefined ? [] : [{ name, ms: difference(timestamp, began, ended) }],
  );
  const wrong = apart.filter(({ ms }) => Math.abs(ms) > TOLERATED_MS);
  const most = Math.max(0, ...apart.map(({ ms }) => Math.abs(ms)));
  if (wrong.length === 0) {
    return [fine('clock', `within ${(most / 1_000).toFixed(1)} s of ${apart.length} nodes`)];
  }
  const told = wrong.map(({ name, ms }) => `${name} is ${sentence(ms)}`);
  return [
    warning(
      'clock',
      told.join(', '),
      'Keep the clocks of all machines by NTP: the day of a task and silent steps go by the clock of the Shiplog server.',
    ),
  ];
}

/** 0 where the node's time lies between the asking and the answer. */
function difference(timestamp: number, began: number, ended: number): number {
  if (timestamp < began) return timestamp - began;
  return timestamp > ended ? timestamp - ended : 0;
}

function sentence(ms: number): string {
  return `${(Math.abs(ms) / 1_000).toFixed(1)} s ${ms > 0 ? 'ahead of' : 'behind'} this machine`;
}
