/**
 * One Elasticsearch node for a whole run of the tests, started when the first test file asks for
 * it: files are told the address of a small starter, and the first that asks waits for the node.
 * Files that start nodes of their own ask it too, for what all nodes share is made only once.
 */
import { createServer } from 'node:http';
import type { TestProject } from 'vitest/node';
import { archiveClasses } from './class-archive.ts';
import { ElasticsearchMissing } from './distribution.ts';
import { startNode, type TestNode } from './node.ts';

/** Asked for by files that start nodes of their own. */
export const NODES_PATH = '/nodes';

/** What a test file gets to know. */
export type StarterAnswer = { url: string } | { missing: string } | { failed: string };

declare module 'vitest' {
  interface ProvidedContext {
    elasticsearchStarter: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let prepared: Promise<void> | null = null;
  let started: Promise<TestNode> | null = null;

  function prepare(): Promise<void> {
    prepared ??= archiveClasses();
    return prepared;
  }

  async function answer(path: string): Promise<StarterAnswer> {
    const given = process.env.SHIPLOG_TEST_ELASTICSEARCH_URL;
    try {
      if (path === NODES_PATH) {
        await prepare();
        return { url: '' };
      }
      if (given !== undefined && given !== '') return { url: given };
      // All files that run at a time share it.
      started ??= prepare().then(() => startNode({ heapMb: 768 }));
      return { url: (await started).url };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return error instanceof ElasticsearchMissing ? { missing: message } : { failed: message };
    }
  }

  const starter = createServer((request, response) => {
    void answer(request.url ?? '/').then((body) => response.end(JSON.stringify(body)));
  });
  starter.requestTimeout = 0;
  await new Promise<void>((listening) => starter.listen(0, '127.0.0.1', listening));
  const { port } = starter.address() as { port: number };
  project.provide('elasticsearchStarter', `http://127.0.0.1:${port}/`);

  return async () => {
    starter.close();
    starter.closeAllConnections();
    const node = await started?.catch(() => null);
    await node?.dispose();
  };
}
