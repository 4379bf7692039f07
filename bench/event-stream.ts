/** A light reader of an event stream, beside `subscribers.ts` for websockets. */
import { request } from 'node:http';

/** Resolves when the first result is in; `onResult` gets the text of each later one. */
export function readEventStream(
  url: string,
  query: string,
  variables: object,
  onResult: (text: string) => void,
): Promise<{ close(): void }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
    const asked = request(`${url}/graphql`, { method: 'POST', headers, agent: false });
    asked.on('error', reject);
    asked.on('response', (response) => {
      response.setEncoding('latin1');
      let begun = false;
      response.on('data', (text: string) => {
        if (!text.includes('data: ')) return;
        if (begun) onResult(text);
        else {
          begun = true;
          resolve({ close: () => asked.destroy() });
        }
      });
    });
    asked.end(JSON.stringify({ query, variables }));
  });
}
