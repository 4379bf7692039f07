/** Server: what one is talking to. */
import { builder } from '../builder.ts';

const Server = builder.objectRef<object>('Server').implement({
  description: 'The server that answers.',
  fields: (t) => ({
    version: t.string({
      description: "Shiplog's version. At most 64 characters.",
      resolve: (_server, _args, { settings }) => settings.version,
    }),
    engine: t.string({
      description: 'What stores the events: `sqlite` or `elasticsearch`. At most 13 characters.',
      resolve: (_server, _args, { store }) => store.engine,
    }),
    retentionDays: t.int({
      description: 'How many days after its last event a task that is over is removed.',
      resolve: (_server, _args, { settings }) => settings.retentionDays,
    }),
    startedAt: t.field({
      type: 'DateTime',
      description: 'When this process started.',
      resolve: (_server, _args, { settings }) => settings.startedAt,
    }),
    eventCount: t.float({
      nullable: true,
      description: 'How many events are stored.',
      complexity: { field: 10, multiplier: 1 },
      resolve: (_server, _args, { store }) => store.eventCount(),
    }),
  }),
});

builder.queryField('server', (t) =>
  t.field({ type: Server, description: 'The server that answers.', resolve: () => ({}) }),
);
