/** A gate before a node that is well: for faults of single requests, which a node has none of on demand. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

type Look = (path: string, body: Buffer) => Promise<'pass' | 'cut'>;

export interface Gate {
  url: string;
  /** Bulk requests that name such an index wait from now on, before the node sees them. */
  hold(index: string): void;
  release(): void;
  /** The node takes the next bulk request that names such an index; its answer does not arrive. */
  lose(index: string, how: 'cut' | 'half-close'): void;
  /**
   * Documents of such an index cannot be read one by one from now on, as while their shard has no
   * copy: the node says so for each of them, with status 200.
   */
  hide(index: string): void;
  show(): void;
  /** The node says of views that hold such a text that it refuses them. */
  refuse(text: string): void;
  /** Answers to requests of this kind arrive changed from now on; null: as they are again. */
  damage(of: RegExp | null, change?: (text: string) => string): void;
  /** The node takes the next request of this kind; its answer does not arrive. */
  loseAnswer(of: RegExp): void;
  /** How many answers arrived changed. */
  damaged(): number;
  /** How many documents were not shown. */
  hidden(): number;
  /** How long every answer takes more, ms, or only those to requests of this kind. */
  delay(ms: number, of?: RegExp): void;
  /** How many requests of this kind the node has answered, or has answered with 409. */
  answered(of: RegExp, status?: 409): number;
  lost(): number;
  /** What is done before the node sees a request; where it says 'cut' it never does. */
  before(look: Look): void;
  close(): void;
}

export async function openGate(target: string): Promise<Gate> {
  let held = { index: '', opened: Promise.withResolvers<void>() };
  held.opened.resolve();
  let losing: { index: string; how: 'cut' | 'half-close' } | null = null;
  let lost = 0;
  let delayed = { ms: 0, of: /./ };
  const asked: { what: string; status: number }[] = [];
  let refusing: string | null = null;
  let look: Look = async () => 'pass';
  let hiding: string | null = null;
  let hidden = 0;
  let damaging: { of: RegExp; change: (text: string) => string } | null = null;
  let damaged = 0;
  let losingAnswer: RegExp | null = null;
  const server = createServer(async (request, response) => {
    try {
      const body = await buffer(request);
      if ((await look(request.url ?? '', body)) === 'cut') {
        response.destroy();
        return;
      }
      const isBulk = request.url?.startsWith('/_bulk') === true;
      const { index, opened } = held;
      if (isBulk && body.includes(index)) await opened.promise;
      const { method = 'GET', headers } = request;
      const answer = await fetch(`${target}${request.url}`, {
        method,
        headers: {
          accept: headers.accept ?? '*/*',
          'content-type': headers['content-type'] ?? 'application/json',
        },
        ...(body.length === 0 ? {} : { body }),
      });
      let text = Buffer.from(await answer.arrayBuffer());
      if (hiding !== null && request.url?.includes('_mget') === true) {
        text = Buffer.from(withoutDocuments(text.toString(), hiding, () => hidden++));
      }
      if (isBulk && refusing !== null) {
        text = Buffer.from(withoutTaking(text.toString(), body.toString(), refusing));
      }
      if (isBulk && losing !== null && body.includes(losing.index)) {
        lose(response, losing.how);
        losing = null;
        lost++;
        return;
      }
      const what = `${method} ${request.url}`;
      if (losingAnswer?.test(what) === true) {
        losingAnswer = null;
        lost++;
        lose(response, 'cut');
        return;
      }
      if (damaging?.of.test(what) === true) {
        text = Buffer.from(damaging.change(text.toString()));
        damaged++;
      }
      asked.push({ what, status: answer.status });
      if (delayed.ms > 0 && delayed.of.test(what)) {
        await new Promise((resolve) => setTimeout(resolve, delayed.ms));
      }
      response.writeHead(answer.status, {
        'content-type': answer.headers.get('content-type') ?? 'application/json',
        'x-elastic-product': 'Elasticsearch',
      });
      response.end(text);
    } catch {
      response.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    hold: (index) => {
      held = { index, opened: Promise.withResolvers<void>() };
    },
    release: () => held.opened.resolve(),
    lose: (index, how) => {
      losing = { index, how };
    },
    delay: (ms, of = /./) => {
      delayed = { ms, of };
    },
    answered: (of, only) =>
      asked.filter(({ what, status }) => of.test(what) && (only ?? status) === status).length,
    hide: (index) => {
      hiding = index;
    },
    refuse: (part) => {
      refusing = part;
    },
    show: () => {
      hiding = null;
    },
    damage: (of, change = (text) => text) => {
      damaging = of === null ? null : { of, change };
    },
    loseAnswer: (of) => {
      losingAnswer = of;
    },
    damaged: () => damaged,
    hidden: () => hidden,
    lost: () => lost,
    before(next) {
      look = next;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What a node says of documents whose shard has no copy at that moment. */
function withoutDocuments(text: string, index: string, onHidden: () => void): string {
  const { docs } = JSON.parse(text) as { docs: { _index: string; _id: string }[] };
  const shown = docs.map((doc) => {
    if (!doc._index.includes(index)) return doc;
    onHidden();
    const type = 'no_shard_available_action_exception';
    const reason = 'No shard available for [multi_get]';
    const error = { type, reason, root_cause: [{ type, reason }] };
    return { _index: doc._index, _id: doc._id, error };
  });
  return JSON.stringify({ docs: shown });
}

function withoutTaking(answer: string, asked: string, part: string): string {
  const sources = asked.split('\n').flatMap((line, i, lines) => {
    if (!/^\{"(?:index|create|delete)":/.test(line)) return [];
    const isView = line.includes('-views-') && !line.startsWith('{"delete"');
    return [isView ? (lines[i + 1] ?? '') : ''];
  });
  const { items } = JSON.parse(answer) as { items: Record<string, object>[] };
  for (const [i, item] of items.entries()) {
    if (!sources[i]?.includes(part)) continue;
    const error = { type: 'document_parsing_exception', reason: 'it is not taken' };
    for (const op of Object.keys(item)) item[op] = { status: 400, error };
  }
  return JSON.stringify({ errors: true, items });
}

function lose(response: ServerResponse, how: 'cut' | 'half-close'): void {
  if (how === 'cut') response.socket?.resetAndDestroy();
  else response.socket?.end();
}
