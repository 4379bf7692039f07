/**
 * Real clients, unmodified, through everything that a network and a dying server do to them: what
 * they were told is stored is stored, once each.
 */
import { Client as Client9, type ClientOptions } from '@elastic/elasticsearch';
import { Client as OpenSearch } from '@opensearch-project/opensearch';
import { Client as Client8 } from 'elasticsearch-8';
import { describe, it } from 'vitest';
import { graphql } from '../support/ledger.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Fault, openTap } from '../support/tap.ts';

const DOCUMENTS = 300;
const DAY = '2026-11-27';
/** By the number of the bulk request; never two in a row, for their pauses grow with each. */
const FAULTS: Fault[] = ['reset', 'pass', 'cut', 'pass', 503];
/** The server is killed and started again while this one waits. */
const KILLED_AT = 7;

interface Doc {
  '@timestamp': string;
  message: string;
  host: { name: string };
  _id?: string;
}

function* documents(): Generator<Doc> {
  for (let i = 0; i < DOCUMENTS; i++) {
    yield {
      '@timestamp': new Date(Date.parse(`${DAY}T10:00:00.001Z`) + i).toISOString(),
      message: `line ${i}`,
      host: { name: 'web-1' },
    };
  }
}

const OPTIONS: ClientOptions = {
  maxRetries: 10,
  requestTimeout: 20_000,
};

interface Told {
  successful: number;
  /** Items that the client gave up, by the status that they were answered with. */
  dropped: number[];
}

type Send = (url: string, index: string) => Promise<Told>;

/** As their documentation shows it: ids of one's own, `create`. */
function helper(Client: typeof Client9): Send {
  return async (url, index) => {
    const client = new Client({ ...OPTIONS, node: `${url}/es` });
    const dropped: number[] = [];
    const result = await client.helpers.bulk<Doc>({
      datasource: [...documents()],
      onDocument: ({ message }) => ({ create: { _index: index, _id: message } }),
      onDrop: ({ status }) => void dropped.push(status),
      flushBytes: 4_000,
      concurrency: 1,
      retries: 10,
      wait: 100,
    });
    await client.close();
    return { successful: result.successful, dropped };
  };
}

/** Requests one after another, without ids: each is repeated as it was by the transport. */
async function withoutIds(url: string, index: string): Promise<Told> {
  const client = new Client9({ ...OPTIONS, node: `${url}/es` });
  const all = [...documents()];
  let successful = 0;
  for (let from = 0; from < all.length; from += 50) {
    const operations = all.slice(from, from + 50).flatMap((one) => [{ index: {} }, one]);
    const { errors, items } = await client.bulk({ index, operations });
    if (!errors) successful += items.length;
  }
  await client.close();
  return { successful, dropped: [] };
}

const CLIENTS: [string, string, Send][] = [
  ['@elastic/elasticsearch 9, helpers.bulk', 'es9', helper(Client9)],
  ['@elastic/elasticsearch 8, helpers.bulk', 'es8', helper(Client8 as unknown as typeof Client9)],
  [
    '@opensearch-project/opensearch, helpers.bulk',
    'opensearch',
    helper(OpenSearch as unknown as typeof Client9),
  ],
  ['@elastic/elasticsearch 9, bulk without ids', 'noids', withoutIds],
];

async function storedLines(url: string, taskId: string): Promise<string[]> {
  const query = `query ($filter: EventFilter!) { events(filter: $filter, first: 1000) { nodes { message } } }`;
  const { events } = await graphql<{ events: { nodes: { message: string }[] } }>(url, query, {
    filter: { taskId },
  });
  return events.nodes.map(({ message }) => message);
}

// They wait for most of the time: for a second and more before each retry.
describe.concurrent('real clients', { timeout: 60_000 }, () => {
  it.for(CLIENTS)(
    '%s: every document is stored once, through resets, lost answers, refusals and a killed server',
    async ([, index, send], { expect }) => {
      let server: TestServer = await startServer();
      const { dataDir, port } = server;
      await using tap = await openTap({
        target: () => server.url,
        faults: FAULTS,
        meanwhile: async (count) => {
          if (count !== KILLED_AT) return;
          await server.kill();
          server = await startServer({ dataDir, port });
        },
      });
      try {
        const { successful, dropped } = await send(tap.url, index);
        const lines = await storedLines(server.url, `index/${index}/${DAY}`);
        expect(lines.toSorted()).toEqual([...documents()].map(({ message }) => message).toSorted());
        for (const fault of FAULTS) expect(tap.met.get(fault)).toBeGreaterThan(0);
        // What was stored before its answer was lost is told to be there already; nothing else is given up.
        expect(new Set(dropped)).toEqual(new Set(dropped.length === 0 ? [] : [409]));
        expect(successful + dropped.length).toBe(DOCUMENTS);
      } finally {
        await server.stop();
      }
    },
  );
});
