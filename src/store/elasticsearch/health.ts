/** Whether the cluster can be read and written now, and if not, what is wrong, in words. */
import type { StoreHealth } from '../store.ts';
import type { Connection } from './connection.ts';
import { dayAt, type Names } from './names.ts';

interface ClusterHealth {
  status: 'green' | 'yellow' | 'red';
  number_of_data_nodes: number;
  unassigned_primary_shards?: number;
  indices?: Record<string, { status: string }>;
}
type Blocks = Record<string, { settings?: { index?: { blocks?: Record<string, string> } } }>;

const TIMEOUT_MS = 3_000;

export async function readHealth(connection: Connection, names: Names): Promise<StoreHealth> {
  try {
    const ours = `${names.prefix}-*`;
    const health = await connection.expect<ClusterHealth>({
      method: 'GET',
      path: `/_cluster/health/${ours}`,
      query: { level: 'indices', timeout: '1s' },
      timeoutMs: TIMEOUT_MS,
    });
    const red = Object.entries(health.indices ?? {}).filter(([, { status }]) => status === 'red');
    const blocked = await blockedIndices(connection, [
      names.meta,
      names.hosts,
      names.events(dayAt(Date.now())),
    ]);
    const problems = [
      ...red.map(([index]) => `${index} is red: a shard has no copy to read or write`),
      ...blocked.map((index) => `${index} takes no writes: see its index.blocks settings`),
    ];
    if (problems.length > 0) return { ok: false, detail: problems.slice(0, 5).join('; ') };
    const { status, number_of_data_nodes: nodes } = health;
    return { ok: true, detail: `Elasticsearch is ${status}, ${nodes} data nodes` };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** Of these (a name may end in a star) those that take no writes. */
export async function blockedIndices(
  connection: Connection,
  indices: readonly string[],
): Promise<string[]> {
  const body = await connection.expect<Blocks>({
    method: 'GET',
    path: `/${indices.join(',')}/_settings/index.blocks.*`,
    query: { ignore_unavailable: true },
    timeoutMs: TIMEOUT_MS,
  });
  return Object.entries(body)
    .filter(([, { settings }]) =>
      Object.entries(settings?.index?.blocks ?? {}).some(
        ([block, on]) => block !== 'metadata' && String(on) === 'true',
      ),
    )
    .map(([index]) => index);
}
