/** The cluster's settings about room, in numbers. */
import { z } from 'zod';
import type { Connection } from '../cluster/connection.ts';

export interface Watermark {
  name: 'low' | 'high' | 'flood_stage';
  /** `85%`, `0.85`, or free bytes such as `50gb`. */
  value: string;
  /** If the mark is a share: never more free bytes than this are asked for; null: no such limit. */
  maxHeadroom: string | null;
}

export interface RoomSettings {
  watermarksOn: boolean;
  /** The mildest first. */
  watermarks: Watermark[];
  shardsPerNode: number;
}

const DISK = 'cluster.routing.allocation.disk';
/** Defaults, persistent and transient settings: texts, nested in any way. */
const LAYERS = z.record(z.string(), z.looseObject({}));

export async function readSettings(connection: Connection): Promise<RoomSettings> {
  const body = await connection.expect(
    {
      method: 'GET',
      path: '/_cluster/settings',
      query: {
        include_defaults: true,
        filter_path: `*.${DISK},*.cluster.max_shards_per_node`,
      },
    },
    LAYERS,
  );
  const flat = new Map<string, string>();
  for (const layer of ['defaults', 'persistent', 'transient']) {
    flatten(body[layer] ?? {}, '', flat);
  }
  return roomSettings(flat);
}

function roomSettings(flat: ReadonlyMap<string, string>): RoomSettings {
  const mark = (name: Watermark['name'], otherwise: string): Watermark => ({
    name,
    value: flat.get(`${DISK}.watermark.${name}`) ?? otherwise,
    maxHeadroom: flat.get(`${DISK}.watermark.${name}.max_headroom`) ?? null,
  });
  return {
    watermarksOn: flat.get(`${DISK}.threshold_enabled`) !== 'false',
    watermarks: [mark('low', '85%'), mark('high', '90%'), mark('flood_stage', '95%')],
    shardsPerNode: Number(flat.get('cluster.max_shards_per_node') ?? 1_000),
  };
}

/** Bytes that must be free on a disk of this size to be below the watermark. */
export function neededFree({ value, maxHeadroom }: Watermark, total: number): number {
  const share = value.endsWith('%') ? Number(value.slice(0, -1)) / 100 : Number(value);
  if (Number.isNaN(share)) return bytes(value);
  const headroom = maxHeadroom === null ? -1 : bytes(maxHeadroom);
  const free = total * (1 - share);
  return headroom < 0 ? free : Math.min(free, headroom);
}

const UNITS: Record<string, number> = {
  b: 1,
  kb: 2 ** 10,
  mb: 2 ** 20,
  gb: 2 ** 30,
  tb: 2 ** 40,
  pb: 2 ** 50,
};

/** -1 means without a limit. */
function bytes(text: string): number {
  const [, number = '-1', unit = 'b'] = /^(-?[\d.]+)\s*([a-z]+)?$/i.exec(text) ?? [];
  return Number(number) * (UNITS[unit.toLowerCase()] ?? 1);
}

/** Names may be nested, dotted, or both. */
function flatten(value: object, prefix: string, into: Map<string, string>): void {
  for (const [key, inner] of Object.entries(value)) {
    const name = prefix === '' ? key : `${prefix}.${key}`;
    if (typeof inner === 'object' && inner !== null) flatten(inner, name, into);
    else into.set(name, String(inner));
  }
}
