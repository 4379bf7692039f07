import { afterAll, describe } from 'vitest';
import { openElasticsearchStore } from '../../src/store/elasticsearch/store.ts';
import type { ViewSettings } from '../../src/store/store.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { describeStoreContract } from './contract.ts';

describe('Elasticsearch', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  afterAll(() => elasticsearch.cleanUp());

  describeStoreContract('Elasticsearch', opener);

  async function opener(settings: ViewSettings) {
    if (elasticsearch === null) throw new Error('no Elasticsearch');
    const prefix = elasticsearch.prefix();
    const config = { urls: [elasticsearch.url], shards: 1, replicas: 0, prefix };
    const open = () => openElasticsearchStore({ config, settings });
    let store = await open();
    return {
      store,
      reopen: async () => {
        await store.close();
        store = await open();
        return store;
      },
      close: async () => {
        await store.close();
        await elasticsearch.cleanUp(prefix);
      },
    };
  }
});
