/** Who keeps the views, and how far they are behind the log. */
import { setTimeout } from 'node:timers/promises';
import { type Finding, fine, warning } from '../../../domain/finding.ts';
import { type ShardInfo, Shards } from '../indices/shards.ts';
import { type Lease, Leases } from '../keeper/leases.ts';
import type { DoctorContext } from './context.ts';

/** A keeper that works records its position after every batch: within this time. */
const WATCH_MS = 3_000;
const LOOK_EVERY_MS = 250;

interface Behind {
  info: ShardInfo;
  lease: Lease | null;
  events: number;
}

export async function checkViews({ connection, names }: DoctorContext): Promise<Finding[]> {
  const shards = new Shards(connection, names, Date.now);
  const infos = await shards.read(null);
  if (infos.length === 0) return [fine('views', 'no events yet')];
  const leases = new Leases(connection, names.meta);
  const before = await behind(leases, infos);
  const owners = new Set(before.flatMap(({ lease }) => lease?.owner ?? []));
  const total = before.reduce((sum, { events }) => sum + events, 0);
  if (total === 0)
    return [fine('views', `hold everything of ${infos.length} shards${kept(owners)}`)];
  const moved = await anyMoves(leases, before);
  const late = before.filter(({ events }) => events > 0);
  const detail = `${total} events behind the log in ${late.length} of ${infos.length} shards${kept(owners)}`;
  if (moved) return [fine('views', `${detail}, being folded now`)];
  return [
    warning(
      'views',
      `${detail}, and nobody folds`,
      'Start a server: it takes over within seconds. If one runs, look at its log for "views could not be folded".',
    ),
  ];
}

function kept(owners: ReadonlySet<string>): string {
  const names = [...owners].map((owner) => owner.slice(0, 8));
  return names.length === 0 ? '' : `; kept by ${names.sort().join(', ')}`;
}

async function behind(leases: Leases, infos: readonly ShardInfo[]): Promise<Behind[]> {
  const found = await leases.read(infos.map(({ shard }) => shard));
  return infos.map((info, i) => {
    const lease = found[i] ?? null;
    const folded = lease?.history === info.history ? lease.folded : 0;
    return { info, lease, events: Math.max(0, info.settled - folded) };
  });
}

/** Whether a position or heartbeat changes while we look. */
async function anyMoves(leases: Leases, before: readonly Behind[]): Promise<boolean> {
  const deadline = performance.now() + WATCH_MS;
  const late = before.filter(({ events }) => events > 0);
  while (performance.now() < deadline) {
    await setTimeout(LOOK_EVERY_MS);
    const now = await leases.read(late.map(({ info }) => info.shard));
    if (now.some((lease, i) => lease?.seqNo !== late[i]?.lease?.seqNo)) return true;
  }
  return false;
}
