/** Real programs that send to Shiplog, unmodified, with the settings of their pages in docs/senders. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from '../../support/tap.ts';
import { CACHE } from './places.ts';

export interface Program {
  /** Short; of its index or service, too. */
  name: string;
  title: string;
  /** Files, and commands on the path, without which it does not run. */
  needs?: readonly string[];
  /** Where that takes its time: makes it, once. */
  build?(): Promise<unknown>;
  /** Where its lines go that name no task. */
  taskOf(day: string): string;
  /** In turn what becomes of its requests, where that is not FAULTS. */
  faults?: readonly Fault[];
  /** Lines that it throws away in these faults, as its page says. */
  loses?: number;
  /** Sends all of `lines`. Rejects where the program says that some are lost. */
  send(to: Sending): Promise<void>;
}

export interface Sending {
  /** Of the server, without a path. */
  url: string;
  /** `line 0` and so on. */
  lines: readonly string[];
  /** For files; removed at the end. */
  folder: string;
  /** When it is over, one way or the other: what still runs is to be ended. */
  signal: AbortSignal;
  /** Resolves when so many lines are stored: for programs that go on by themselves. */
  stored(count: number): Promise<void>;
}

/** Never two in a row: the pauses of many programs grow with each. */
export const FAULTS: readonly Fault[] = [
  ...(['reset', 'pass', 'cut', 'pass', 'busy', 'pass'] as const),
  ...(['away', 'pass', 'killed'] as const),
];

/** Why it does not run here; null: it does. */
export function whyNot({ needs = [] }: Program): string | null {
  for (const need of needs) {
    const places = need.startsWith('/')
      ? [need]
      : (process.env.PATH ?? '').split(':').map((folder) => join(folder, need));
    if (places.some((place) => existsSync(place))) continue;
    return need.startsWith(CACHE)
      ? 'it is not installed (npm run senders:install)'
      : `it needs ${need}, which is not here`;
  }
  return null;
}

/** A document for each line, with a time of its own and an id. */
export function documentsOf(lines: readonly string[]) {
  const start = Date.now();
  return lines.map((message, at) => ({
    id: message.replace(' ', '-'),
    '@timestamp': new Date(start + at).toISOString(),
    message,
    host: { name: 'web-1' },
  }));
}
