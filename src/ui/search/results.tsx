/** Lines that were found, newest first, each with the way to its place in its deployment. */
import { addressOf } from '../address/address.ts';
import type { FoundLineFragment } from '../gen/graphql.ts';
import { textOf } from '../log/line-text.ts';
import { markedPieces } from './marked.ts';

const MOMENT = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

export interface Found {
  cursor: string;
  node: FoundLineFragment;
}

export function Results({ found }: { found: readonly Found[] }) {
  return (
    <table class="list results" aria-label="Results">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Level</th>
          <th scope="col">Line</th>
          <th scope="col">Deployment</th>
          <th scope="col">Host</th>
          <th scope="col">Step</th>
        </tr>
      </thead>
      <tbody>
        {found.map(({ cursor, node }) => (
          <Result key={node.id} cursor={cursor} line={node} />
        ))}
      </tbody>
    </table>
  );
}

interface ResultProps {
  cursor: string;
  line: FoundLineFragment;
}

function Result({ cursor, line }: ResultProps) {
  const { taskId, hostName, step, level, at } = line;
  return (
    <tr class={`level-${level.toLowerCase()}`}>
      <td class="nowrap">
        <time dateTime={at} title={at}>
          {MOMENT.format(new Date(at))}
        </time>
      </td>
      <td class="log-level">{level}</td>
      <td class="result-text">
        <a href={addressOf(['tasks', taskId], { host: hostName, line: cursor })}>
          <Message line={line} />
        </a>
      </td>
      <td class="name">
        <a href={addressOf(['tasks', taskId])}>{taskId}</a>
      </td>
      <td class="name">
        {hostName !== null && <a href={addressOf(['hosts', hostName])}>{hostName}</a>}
      </td>
      <td class="name">{step}</td>
    </tr>
  );
}

/** What it says in itself (a beginning, an end, progress), and what was said with it. */
function Message({ line }: { line: FoundLineFragment }) {
  const { kind, message, error, highlights } = line;
  const itself = textOf({ ...line, message: null, error: null });
  const pieces = markedPieces(message ?? error?.message ?? '', message === null ? [] : highlights);
  return (
    <>
      {itself}
      {itself !== '' && pieces.length > 0 && ': '}
      {itself === '' && pieces.length === 0 && `(${kind.toLowerCase()})`}
      {pieces.map(({ text, marked }, at) =>
        marked ? <mark key={at}>{text}</mark> : <span key={at}>{text}</span>,
      )}
    </>
  );
}
