/** How a deployment goes: to be read from two metres. */
import { useEffect, useState } from 'preact/hooks';
import type { DeploymentHeadFragment } from '../gen/graphql.ts';
import { useNow } from '../parts/clock.ts';
import { Status, statusWord } from '../parts/status.tsx';
import { duration, moment } from '../parts/time.ts';
import { whatOf } from '../parts/what.ts';
import { counted } from '../parts/count.ts';
import { plainText } from '../log/text.ts';

export function Head({ id, head }: { id: string; head: DeploymentHeadFragment | null }) {
  const now = useNow();
  if (head === null) return <h1>{id}</h1>;
  const { runCounts: counts } = head;
  // Not since its first step: that is told by the clock of a host.
  const goesOn = head.finishedAt === null ? now - Date.parse(head.createdAt) : null;
  const took = head.durationMs ?? goesOn;
  return (
    <header class="deployment-head">
      <h1>{id}</h1> <Status status={head.status} stale={head.stale} />
      {took !== null && <span class="took">{duration(Math.max(0, took))}</span>}
      <p>
        {aboutOf(head)}
        {head.startedAt === null ? 'declared' : 'began'}{' '}
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
        <span class="of">of {counted(counts.total, 'host')}</span>
      </p>
      {head.message !== null && <p class="said">{plainText(head.message)}</p>}
      <Announced
        text={`${statusWord(head.status)}: ${counts.succeeded} succeeded, ${counts.failed} failed, of ${counted(counts.total, 'host')}`}
      />
    </header>
  );
}

/** `the title · shop 2.4.0 → production · by somebody · `, of what was said. */
function aboutOf(head: DeploymentHeadFragment): string {
  const { title, createdBy } = head;
  const who = createdBy === null ? '' : `by ${createdBy}`;
  const parts = [title ?? '', whatOf(head), who].filter((text) => text !== '');
  return plainText(parts.map((text) => `${text} · `).join(''));
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
