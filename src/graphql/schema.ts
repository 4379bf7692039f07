/** The schema: every type once. A query sits beside the type that it returns. */
import type { GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import './types/scalars.ts';
import './types/enums.ts';
import './types/filters.ts';
import './types/inputs.ts';
import './types/task.ts';
import './types/run.ts';
import './types/step.ts';
import './types/host.ts';
import './types/event.ts';
import './types/event-list.ts';
import './types/event-histogram.ts';
import './types/step-stats.ts';
import './types/failure.ts';
import './types/server.ts';
import './types/report.ts';
import './types/subscription.ts';

builder.queryType({ description: 'Everything that can be read. Needs the scope `read`.' });
builder.mutationType({ description: 'Everything that can be reported. Needs the scope `ingest`.' });
builder.subscriptionType({
  description:
    'Everything that can be followed, over graphql-ws and server-sent events. Needs the scope `read`.',
});

export function buildSchema(): GraphQLSchema {
  return builder.toSchema({ sortSchema: true });
}
