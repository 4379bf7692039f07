/** A backup that was restored must not mislead a cursor from what came after it. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { graphql, storedEvents } from '../support/ledger.ts';
import { startServer } from '../support/server.ts';

const LOG = `mutation ($input: StepEventInput!) { logStep(input: $input) { outcome } }`;
const CURSOR = `query ($filter: EventFilter!) { events(filter: $filter) { tailCursor } }`;
const TAIL = `subscription ($filter: EventFilter!, $after: String) {
  tail(filter: $filter, after: $after) { cursor events { eventId } }
}`;
const filter = { taskId: 'restored' };

async function log(url: string, eventId: string): Promise<void> {
  const input = { ...filter, host: 'a', step: 'backup', message: eventId, eventId };
  await graphql(url, LOG, { input });
}

async function cursorOf(url: string): Promise<string> {
  const { events } = await graphql<{ events: { tailCursor: string } }>(url, CURSOR, { filter });
  return events.tailCursor;
}

/** The first result of a tail over server-sent events, as text. */
async function firstResult(url: string, after: string): Promise<string> {
  const aborter = new AbortController();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: TAIL, variables: { filter, after } }),
    signal: aborter.signal,
  });
  let text = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    if (/data: .*\n/.test(text)) break;
  }
  aborter.abort();
  return text;
}

it('a backup made while serving restores, and only cursors from behind it are refused', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-restore-'));
  const copy = join(dataDir, 'copy.db');
  let server = await startServer({ dataDir });
  await log(server.url, 'one');
  const before = await cursorOf(server.url);
  expect((await runCli(['backup', copy], { env: { SHIPLOG_DATA_DIR: dataDir } })).code).toBe(0);
  await log(server.url, 'two');
  const behind = await cursorOf(server.url);
  await server.stop();

  for (const suffix of ['', '-wal', '-shm']) {
    await rm(join(dataDir, `shiplog.db${suffix}`), { force: true });
  }
  await cp(copy, join(dataDir, 'shiplog.db'));
  server = await startServer({ dataDir });
  expect(await storedEvents(server.url, 'restored')).toEqual(['one']);
  await log(server.url, 'other two');
  expect(await firstResult(server.url, behind)).toContain('CURSOR_EXPIRED');
  expect(await firstResult(server.url, before)).toContain('other two');
  await server.stop();
  await rm(dataDir, { recursive: true, force: true });
});
