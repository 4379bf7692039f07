import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { describeStoreContract } from './contract.ts';

describeStoreContract('SQLite', async (settings) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-contract-'));
  const open = () => openSqliteStore({ dataDir, settings });
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
      await rm(dataDir, { recursive: true, force: true });
    },
  };
});
