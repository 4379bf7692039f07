/** The Elasticsearch that a test file uses, and the names that keep it apart from other files. */
import { randomBytes } from 'node:crypto';
import { inject, it } from 'vitest';
import { NODES_PATH, type StarterAnswer } from './global-setup.ts';

export interface SharedElasticsearch {
  url: string;
  /** A fresh prefix for the indices of one store. */
  prefix(): string;
  /** Removes every index and template of one prefix, or of all that were given out here. */
  cleanUp(prefix?: string): Promise<void>;
}

/** null: there is none, and the reason was told; under CI that fails instead. */
export async function sharedElasticsearch(): Promise<SharedElasticsearch | null> {
  const url = await ask('/');
  if (url === null) return null;
  const given: string[] = [];
  return {
    url,
    prefix() {
      const prefix = `t${randomBytes(5).toString('hex')}`;
      given.push(prefix);
      return prefix;
    },
    async cleanUp(only) {
      for (const prefix of only === undefined ? given.splice(0) : [only]) {
        // By their names: a cluster refuses to delete by a pattern.
        const found = await fetch(`${url}/${prefix}-*/_settings/index.uuid?expand_wildcards=all`);
        const names = Object.keys((await found.json()) as object);
        if (names.length > 0) await remove(`${url}/${names.join(',')}?ignore_unavailable=true`);
        await remove(`${url}/_index_template/${prefix}-*`);
      }
    },
  };
}

async function remove(url: string): Promise<void> {
  const response = await fetch(url, { method: 'DELETE' });
  await response.arrayBuffer();
}

/** Whether nodes can be started here, for tests that need their own; tells the reason if not. */
export async function canStartNodes(): Promise<boolean> {
  return (await ask(NODES_PATH)) !== null;
}

/** What the starter answers; null: there is no Elasticsearch, and the reason was told. */
async function ask(path: string): Promise<string | null> {
  const starter = await fetch(new URL(path, inject('elasticsearchStarter')));
  const answer = (await starter.json()) as StarterAnswer;
  if ('failed' in answer) throw new Error(answer.failed);
  if ('url' in answer) return answer.url;
  sayMissing(answer.missing);
  return null;
}

function sayMissing(reason: string): void {
  const text = `the tests against Elasticsearch in this file are left out: ${reason}`;
  if (process.env.CI === 'true') throw new Error(`${text}. With CI=true they must run.`);
  it(text, (context) => {
    context.skip(text);
  });
}
