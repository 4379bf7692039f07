/** Room on the disks, shards against the cluster's limit, and copies. */
import { z } from 'zod';
import { type Finding, fine, problem, warning } from '../../../domain/finding.ts';
import { humanBytes } from '../../../domain/text/human-bytes.ts';
import type { DoctorContext } from './context.ts';
import { neededFree, readSettings, type Watermark } from './watermarks.ts';

const DISK = z.object({ total_in_bytes: z.number(), available_in_bytes: z.number() });
type Disk = z.infer<typeof DISK>;
const NODES = z.object({
  nodes: z.record(
    z.string(),
    z.object({
      name: z.string(),
      roles: z.array(z.string()),
      fs: z.object({ total: DISK.optional() }).optional(),
    }),
  ),
});
const SHARDS = z.object({ active_shards: z.number() });

export async function checkCapacity(context: DoctorContext): Promise<Finding[]> {
  const { connection } = context;
  const [{ nodes }, { active_shards: active }, settings] = await Promise.all([
    connection.expect(
      {
        method: 'GET',
        path: '/_nodes/stats/fs',
        query: { filter_path: 'nodes.*.name,nodes.*.roles,nodes.*.fs.total' },
      },
      NODES,
    ),
    connection.expect({ method: 'GET', path: '/_cluster/health' }, SHARDS),
    readSettings(connection),
  ]);
  const data = Object.values(nodes).filter(({ roles }) =>
    roles.some((role) => role.startsWith('data')),
  );
  const findings = data.map(({ name, fs }) => disk(name, fs?.total, settings.watermarks));
  if (!settings.watermarksOn) {
    findings.push(
      warning(
        'disk',
        'Elasticsearch does not look at how full its disks are',
        'Set cluster.routing.allocation.disk.threshold_enabled to true: a full disk damages indices.',
      ),
    );
  }
  return [
    ...findings,
    shards(context, active, settings.shardsPerNode * data.length),
    copies(context, data.length),
  ];
}

function disk(node: string, fs: Disk | undefined, watermarks: readonly Watermark[]): Finding {
  const check = `disk of ${node}`;
  if (fs === undefined) return warning(check, 'not told', 'Look at it yourself.');
  const free = fs.available_in_bytes;
  const passed = watermarks.filter((mark) => free < neededFree(mark, fs.total_in_bytes));
  const room = `${humanBytes(free)} of ${humanBytes(fs.total_in_bytes)} free`;
  const worst = passed.at(-1)?.name;
  if (worst === undefined) return fine(check, room);
  if (worst === 'flood_stage') {
    return problem(
      check,
      `${room}: past the flood stage, its indices take no writes`,
      'Make room now: shorten SHIPLOG_RETENTION_DAYS, delete old days, or add a disk or node.',
    );
  }
  return warning(
    check,
    `${room}: past the ${worst} watermark`,
    worst === 'high'
      ? 'Elasticsearch moves shards away; make room before writes are blocked.'
      : 'No new shards are put there, so tomorrow’s index may stay without copies; make room.',
  );
}

/** Each day has an index of events and one of views. */
function shards({ config, retentionDays }: DoctorContext, active: number, limit: number): Finding {
  const copiesOf = 1 + config.replicas;
  const days = retentionDays + 1;
  const wanted = (days * 2 * config.shards + 2) * copiesOf;
  const detail = `${active} of ${limit} that the cluster may have; Shiplog comes to ${wanted} with ${days} days kept`;
  if (active >= limit * 0.95) {
    return problem(
      'shards',
      detail,
      'New indices are about to be refused. Shorten SHIPLOG_RETENTION_DAYS, delete indices, or add data nodes.',
    );
  }
  return wanted > limit * 0.8
    ? warning(
        'shards',
        detail,
        'Lower SHIPLOG_ELASTICSEARCH_SHARDS or SHIPLOG_RETENTION_DAYS, or add data nodes.',
      )
    : fine('shards', detail);
}

function copies({ config }: DoctorContext, nodes: number): Finding {
  if (config.replicas >= Math.max(nodes, 1)) {
    return warning(
      'replicas',
      `${config.replicas} beside each primary, but only ${nodes} data nodes`,
      `Add data nodes, or set SHIPLOG_ELASTICSEARCH_REPLICAS=${Math.max(nodes - 1, 0)}.`,
    );
  }
  if (config.replicas > 0) return fine('replicas', `${config.replicas} beside each primary`);
  return warning(
    'replicas',
    'none: an acknowledged event is on one node only',
    'With a second data node set SHIPLOG_ELASTICSEARCH_REPLICAS=1; with one, take snapshots.',
  );
}
