/** Sends to `/v1/events`, and looks what is stored. */
import type { HttpFixture } from './support.ts';

export interface Answer {
  status: number;
  stored: number;
  duplicates: number;
  rejected: number;
  results: {
    index: number;
    outcome: string;
    eventId: string | null;
    error?: { code: string; field: string | null; message: string };
  }[];
  resultsTruncated?: boolean;
  taken?: number;
  error?: { code: string; field?: string };
}

export function lines(events: unknown[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

/** `fixture`: as it is when something is sent. */
export function eventsSender(fixture: () => HttpFixture) {
  async function post(
    body: string | Uint8Array<ArrayBuffer>,
    type = 'application/x-ndjson',
    { path = '/v1/events', url = fixture().url, headers = {} } = {},
  ): Promise<Answer> {
    const init = { method: 'POST', headers: { 'content-type': type, ...headers }, body };
    const response = await fetch(url + path, init);
    return { status: response.status, ...((await response.json()) as object) } as Answer;
  }
  async function stored(taskId: string): Promise<(string | null)[]> {
    const page = {
      limit: 1000,
      backward: false,
      after: null,
      before: null,
      around: null,
      withTotal: false,
    };
    const query = { filter: { taskId }, order: 'LOG' as const, page };
    const [found] = await fixture().store.events([query]);
    return found?.rows.map(({ node }) => node.message) ?? [];
  }
  return { post, stored };
}
