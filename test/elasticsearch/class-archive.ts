/**
 * Made once: a node that starts, works a little and stops, and leaves its classes for the others.
 * The tests start a dozen nodes, and half of what a start costs is loading classes.
 */
import { existsSync, renameSync } from 'node:fs';
import { distribution } from './distribution.ts';
import { classArchive, startNode } from './node.ts';

export async function archiveClasses(): Promise<void> {
  const archive = classArchive((await distribution()).home);
  if (existsSync(archive)) return;
  const draft = `${archive}.${process.pid}`;
  await using node = await startNode({ javaFlags: [`-XX:ArchiveClassesAtExit=${draft}`] });
  await ask(`${node.url}/warm/_doc/1?refresh=true`, 'PUT', { message: 'classes of writing' });
  await ask(`${node.url}/warm/_search`, 'POST', { query: { match: { message: 'reading' } } });
  await node.stop();
  // Where Java could not, nodes start as slowly as before.
  if (existsSync(draft)) renameSync(draft, archive);
}

async function ask(url: string, method: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) });
  await answer.arrayBuffer();
}
