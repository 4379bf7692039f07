/** The schema: every type once. A query sits beside the type that it returns. */
import { GraphQLSchema } from 'graphql';
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

/** For readers who have nothing but the schema. */
const DESCRIPTION = `\
Logs of deployments. A task is one deployment. On each of its hosts it is a run, a run has steps, and
what is reported about a step is an event. What tasks, runs, steps and hosts show is derived from their
events, in whatever order these arrive.

Lists are read in pages: \`first\` and \`after\` lead on, \`last\` and \`before\` lead back, by the cursors of
rows. Every list and every long text has a cap, which is in its description. A count that may be beyond
2^31 is a Float. Durations are in milliseconds.

An error has a code in \`extensions.code\`. \`extensions.field\` names what is to blame, and
\`extensions.retryAfterMs\` says when the same may succeed. If an answer has \`extensions.viewsBehind\`, that
many acknowledged events are not in what it shows yet.`;

export function buildSchema(): GraphQLSchema {
  const schema = builder.toSchema({ sortSchema: true });
  return new GraphQLSchema({ ...schema.toConfig(), description: DESCRIPTION });
}
