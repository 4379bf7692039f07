/** Whether every shard of ours has the copies it should have, and may be written. */
import { z } from 'zod';
import { type Finding, fine, problem, warning } from '../../../domain/finding.ts';
import { blockedIndices } from '../health/health.ts';
import type { DoctorContext } from './context.ts';

const HEALTH = z.object({
  status: z.enum(['green', 'yellow', 'red']),
  number_of_data_nodes: z.number(),
  active_shards: z.number(),
  unassigned_shards: z.number(),
  indices: z.record(z.string(), z.object({ status: z.string() })).optional(),
});
type Health = z.infer<typeof HEALTH>;

const DECIDER = z.object({ decision: z.string(), explanation: z.string() });
const EXPLANATION = z.object({
  allocate_explanation: z.string().optional(),
  node_allocation_decisions: z
    .array(z.object({ deciders: z.array(DECIDER).optional() }))
    .optional(),
});

const BLOCKS_TIMEOUT_MS = 3_000;
/** How many indices are named: the rest nearly always has the same reason. */
const NAMED = 3;

export async function checkHealth(context: DoctorContext): Promise<Finding[]> {
  const { connection, names } = context;
  const health = await connection.expect(
    {
      method: 'GET',
      path: `/_cluster/health/${names.prefix}-*`,
      query: { level: 'indices', timeout: '1s' },
    },
    HEALTH,
  );
  const count = Object.keys(health.indices ?? {}).length;
  const findings: Finding[] = [];
  if (count === 0) findings.push(fine('health', 'no indices yet'));
  else if (health.status === 'green') {
    findings.push(fine('health', `green: ${count} indices, ${health.active_shards} shards`));
  } else findings.push(await unwell(context, health));
  const blocked = await blockedIndices(connection, [`${names.prefix}-*`], BLOCKS_TIMEOUT_MS);
  if (blocked.length > 0) {
    findings.push(
      problem(
        'writing',
        `${blocked.slice(0, NAMED).join(', ')} ${blocked.length > NAMED ? `and ${blocked.length - NAMED} more ` : ''}take no writes`,
        'Open those that are closed, and look at the index.blocks settings of the others; after a full disk Elasticsearch lifts read_only_allow_delete itself when there is room.',
      ),
    );
  }
  return findings;
}

async function unwell(context: DoctorContext, health: Health): Promise<Finding> {
  const bad = Object.entries(health.indices ?? {}).filter(([, { status }]) => status !== 'green');
  bad.sort(([, a], [, b]) => Number(b.status === 'red') - Number(a.status === 'red'));
  const red = health.status === 'red';
  const shown = bad.slice(0, NAMED).map(([index]) => index);
  const more = bad.length > NAMED ? ` and ${bad.length - NAMED} more` : '';
  const why = await explain(context, shown[0] as string, red);
  const detail = `${health.status}: ${health.unassigned_shards} shards without a place (${shown.join(', ')}${more})${why}`;
  if (red) {
    return problem(
      'health',
      detail,
      'Bring the nodes that hold those shards back; without any copy left, restore the indices from a snapshot.',
    );
  }
  const replicas = context.config.replicas;
  return health.number_of_data_nodes <= replicas
    ? warning(
        'health',
        detail,
        `${replicas} replicas need ${replicas + 1} data nodes, there are ${health.number_of_data_nodes}: add nodes, or set SHIPLOG_ELASTICSEARCH_REPLICAS lower and index.number_of_replicas of the indices that are there.`,
      )
    : warning(
        'health',
        detail,
        'Losing one more node may lose data. Elasticsearch makes the copies by itself, unless what it says here stands in the way.',
      );
}

/** In Elasticsearch's own words, why one of the shards has no place. */
async function explain(
  { connection }: DoctorContext,
  index: string,
  primary: boolean,
): Promise<string> {
  const { status, body } = await connection.ask(
    {
      method: 'POST',
      path: '/_cluster/allocation/explain',
      body: { index, shard: 0, primary },
      safe: true,
    },
    EXPLANATION,
  );
  if (status >= 300) return '';
  const decider = body.node_allocation_decisions
    ?.flatMap(({ deciders }) => deciders ?? [])
    .find(({ decision }) => decision === 'NO');
  const words = decider?.explanation ?? body.allocate_explanation;
  return words === undefined ? '' : `; ${words}`;
}
