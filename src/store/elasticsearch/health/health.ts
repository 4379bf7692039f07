/** Whether the cluster can be read and written now, and if not, what is wrong, in words. */
import { z } from 'zod';
import type { StoreHealth } from '../../store.ts';
import type { Connection } from '../cluster/connection.ts';
import type { Names } from '../indices/names.ts';

const CLUSTER_HEALTH = z.object({
  status: z.enum(['green', 'yellow', 'red']),
  number_of_data_nodes: z.number(),
  indices: z.record(z.string(), z.object({ status: z.string() })).optional(),
});
/** Elasticsearch tells settings as texts, most of the time. */
const FLAG = z.union([z.string(), z.boolean()]);
const INDEX_SETTINGS = z.object({
  blocks: z.record(z.string(), FLAG).optional(),
  /** There while an index is closed. */
  verified_before_close: FLAG.optional(),
});
const SETTINGS = z.record(
  z.string(),
  z.object({ settings: z.object({ index: INDEX_SETTINGS.optional() }).optional() }),
);

const FILTER = 'error,status,number_of_data_nodes,indices.*.status';

/** `today`: the day that tasks begin on now. Never rejects. */
export async function readHealth(
  connection: Connection,
  names: Names,
  today: string,
  timeoutMs: number,
): Promise<StoreHealth> {
  try {
    const ours = `${names.prefix}-*`;
    const asked = connection.expect(
      {
        method: 'GET',
        path: `/_cluster/health/${ours}`,
        query: { level: 'indices', timeout: '1s', filter_path: FILTER },
        timeoutMs,
        isLook: true,
      },
      CLUSTER_HEALTH,
    );
    const indices = [names.meta, names.hosts, names.events(today)];
    const [health, blocked] = await Promise.all([
      asked,
      blockedIndices(connection, indices, timeoutMs),
    ]);
    const red = Object.entries(health.indices ?? {}).filter(([, { status }]) => status === 'red');
    const problems = [
      ...red.map(([index]) => `${index} is red: a shard has no copy to read or write`),
      ...blocked.map(
        (index) => `${index} takes no writes: it is closed, or see its index.blocks settings`,
      ),
    ];
    if (problems.length > 0) return { ok: false, detail: problems.slice(0, 5).join('; ') };
    const { status, number_of_data_nodes: nodes } = health;
    return { ok: true, detail: `Elasticsearch is ${status}, ${nodes} data nodes` };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** Which of these indices (a name may end in a star) take no writes. */
export async function blockedIndices(
  connection: Connection,
  indices: readonly string[],
  timeoutMs: number,
): Promise<string[]> {
  const body = await connection.expect(
    {
      method: 'GET',
      path: `/${indices.join(',')}/_settings/index.blocks.*,index.verified_before_close`,
      query: { ignore_unavailable: true, expand_wildcards: 'open,closed' },
      timeoutMs,
      isLook: true,
    },
    SETTINGS,
  );
  return Object.entries(body)
    .filter(([, { settings }]) => takesNoWrites(settings?.index ?? {}))
    .map(([index]) => index);
}

function takesNoWrites({ blocks, verified_before_close }: z.infer<typeof INDEX_SETTINGS>): boolean {
  if (String(verified_before_close) === 'true') return true;
  return Object.entries(blocks ?? {}).some(
    ([block, on]) => block !== 'metadata' && String(on) === 'true',
  );
}
