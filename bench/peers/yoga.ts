/** Stock Yoga as it comes, with the shape of `logStep` and `logSteps` and resolvers that do nothing. */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';

const typeDefs = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');
const stored = { eventId: 'x', outcome: 'STORED', position: '0:1', error: null };
const yoga = createYoga({
  schema: createSchema({
    typeDefs,
    resolvers: {
      Mutation: {
        logStep: () => stored,
        logSteps: (_: unknown, { inputs }: { inputs: unknown[] }) => ({
          stored: inputs.length,
          duplicates: 0,
          rejected: 0,
          results: [],
        }),
      },
    },
  }),
  logging: false,
});
const server = createServer(yoga);
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});
