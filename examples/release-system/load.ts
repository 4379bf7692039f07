/** Users: some requests at a time, each on a connection of its own, until it is over. */
import { Agent, get } from 'node:http';

export interface LoadResult {
  requests: number;
  /** Why, of each. */
  failed: string[];
  /** Those that the last answers came from. */
  versions: string[];
}

const AT_A_TIME = 8;
const TIMEOUT_MS = 10_000;
const LAST_ANSWERS = 200;

export function startLoad(url: string): { stop(): Promise<LoadResult> } {
  const agent = new Agent({ keepAlive: false });
  const failed: string[] = [];
  const answers: string[] = [];
  let requests = 0;
  let isOver = false;

  async function user(): Promise<void> {
    while (!isOver) {
      requests++;
      try {
        answers.push(await ask(url, agent));
        if (answers.length > LAST_ANSWERS) answers.shift();
      } catch (error) {
        failed.push(String(error));
      }
    }
  }
  const users = Array.from({ length: AT_A_TIME }, user);
  return {
    async stop() {
      isOver = true;
      await Promise.all(users);
      const versions = new Set(answers.map((answer) => answer.split(' ')[0] ?? ''));
      return { requests, failed, versions: [...versions].sort() };
    },
  };
}

/** What was answered; rejects unless it is a whole 200. */
function ask(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, timeout: TIMEOUT_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', reject);
  });
}
