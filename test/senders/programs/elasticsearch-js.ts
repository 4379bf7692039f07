import { Client as Client9, type ClientOptions } from '@elastic/elasticsearch';
import { errors, Client as OpenSearch } from '@opensearch-project/opensearch';
import { Client as Client8 } from 'elasticsearch-8';
import { documentsOf, type Program, type Sending } from './program.ts';

const OPTIONS: ClientOptions = {
  maxRetries: 10,
  requestTimeout: 60_000,
};

type Document = ReturnType<typeof documentsOf>[number];

function byHelper(name: string, title: string, Client: typeof Client9): Program {
  return {
    name,
    title,
    taskOf: (day) => `index/${name}/${day}`,
    async send({ url, lines }) {
      const client = new Client({ ...OPTIONS, node: `${url}/es` });
      const dropped: number[] = [];
      const { successful } = await client.helpers.bulk<Document>({
        datasource: documentsOf(lines),
        onDocument: ({ id }) => ({ create: { _index: name, _id: id } }),
        onDrop: ({ status }) => void dropped.push(status),
        flushBytes: 4_000,
        concurrency: 1,
        retries: 10,
        wait: 100,
      });
      await client.close();
      // 409: it was stored before its answer was lost.
      const lost = dropped.filter((status) => status !== 409);
      if (lost.length > 0) throw new Error(`given up with ${lost}`);
      if (successful + dropped.length !== lines.length) throw new Error(`${successful} are sent`);
    },
  };
}

/** For a transport that tries again without a pause, and so gives up at once where nobody is there. */
function untilTaken(program: Program): Program {
  const send = async (to: Sending): Promise<void> => {
    try {
      await program.send(to);
    } catch (error) {
      if (!(error instanceof errors.ConnectionError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
      await send(to);
    }
  };
  return { ...program, send };
}

/** Requests one after another, without ids: each is repeated as it was by the transport. */
async function withoutIds({ url, lines }: Sending): Promise<void> {
  const client = new Client9({ ...OPTIONS, node: `${url}/es` });
  const all = documentsOf(lines).map(({ id, ...document }) => document);
  for (let from = 0; from < all.length; from += 30) {
    let operations = all.slice(from, from + 30);
    while (operations.length > 0) {
      const { items } = await client.bulk({
        index: 'noids',
        operations: operations.flatMap((one) => [{ index: {} }, one]),
      });
      operations = operations.filter((_, at) => items[at]?.index?.status === 429);
    }
  }
  await client.close();
}

export const ELASTICSEARCH_JS: readonly Program[] = [
  byHelper('es9', '@elastic/elasticsearch 9, helpers.bulk', Client9),
  byHelper('es8', '@elastic/elasticsearch 8, helpers.bulk', Client8 as unknown as typeof Client9),
  untilTaken(
    byHelper(
      'opensearch',
      '@opensearch-project/opensearch, helpers.bulk',
      OpenSearch as unknown as typeof Client9,
    ),
  ),
  {
    name: 'noids',
    title: '@elastic/elasticsearch 9, bulk without ids',
    taskOf: (day) => `index/noids/${day}`,
    send: withoutIds,
  },
];
