/** How a deployment goes: to be read from two metres. */
import { useEffect, useState } from 'preact/hooks';
import type { DeploymentHeadFragment } from '../gen/graphql.ts';
import { useNow } from '../parts/clock.ts';
import { Status, statusWord } from '../parts/status.tsx';
import { duration, moment } from '../parts/time.ts';

export function Head({ id, head }: { id: string; head: DeploymentHeadFragment | null }) {
  const now = useNow();
  if (head === null) return <h1>{id}</h1>;
  const { runCounts: counts } = head;
  const began = Date.parse(head.startedAt ?? head.createdAt);
  const took = head.durationMs ?? (head.finishedAt === null ? now - began : null);
  return (
    <header class="deployment-head">
      <h1>{id}</h1> <Status status={head.status} stale={head.stale} />
      {took !== null && <span class="took">{duration(Math.max(0, took))}</span>}
      <p>
        {aboutOf(head)}began{' '}
        <time dateTime={head.createdAt} title={head.createdAt}>
          {moment(head.createdAt, now)}
        </time>
      </p>
      <p class="counts">
        <Count name="succeeded" count={counts.succeeded} />
        <Count name="failed" count={counts.failed} />
        <Count name="running" count={counts.running} />
        <Count name="pending" count={counts.pending} />
        {counts.cancelled > 0 && <Count name="cancelled" count={counts.cancelled} />}
        {counts.notRun > 0 && <Count name="not run" count={counts.notRun} />}
        {counts.stale > 0 && <Count name="silent" count={counts.stale} />}
        <span class="of">
          of {counts.total.toLocaleString('en')} {counts.total === 1 ? 'host' : 'hosts'}
        </span>
      </p>
      {head.message !== null && <p class="said">{head.message}</p>}
      <Announced
        text={`${statusWord(head.status)}: ${counts.succeeded} succeeded, ${counts.failed} failed, of ${counts.total} hosts`}
      />
    </header>
  );
}

/** `the title · service 1.2 → environment · by somebody · `, of what was said. */
function aboutOf({
  title,
  service,
  version,
  environment,
  createdBy,
}: DeploymentHeadFragment): string {
  const what = [service, version].filter((text) => text !== null).join(' ');
  const where = environment === null ? '' : `→ ${environment}`;
  const who = createdBy === null ? '' : `by ${createdBy}`;
  const parts = [title ?? '', `${what} ${where}`.trim(), who].filter((text) => text !== '');
  return parts.map((text) => `${text} · `).join('');
}

function Count({ name, count }: { name: string; count: number }) {
  return (
    <span class={`count count-${count === 0 ? 'none' : name.replace(' ', '-')}`}>
      {name} <b>{count.toLocaleString('en')}</b>
    </span>
  );
}

const ANNOUNCE_MS = 15_000;

/** For screen readers: the state in words, not more often than somebody can listen. */
function Announced({ text }: { text: string }) {
  const [said, setSaid] = useState({ text, at: Date.now() });
  useEffect(() => {
    const wait = Math.max(0, said.at + ANNOUNCE_MS - Date.now());
    const timer = setTimeout(() => setSaid({ text, at: Date.now() }), wait);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <p class="visually-hidden" aria-live="polite">
      {said.text}
    </p>
  );
}
