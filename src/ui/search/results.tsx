/** Lines that were found, newest first, each with the way to its place in its deployment. */
import { addressOf } from '../address/address.ts';
import type { FoundLineFragment } from '../gen/graphql.ts';
import { textOf } from '../log/line-text.ts';
import { placesOf, searchedWords } from '../log/search-words.ts';
import { markedPieces, type Range } from './marked.ts';

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

interface ResultsProps {
  found: readonly Found[];
  search: string;
}

export function Results({ found, search }: ResultsProps) {
  const words = searchedWords(search);
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
          <Result key={node.id} cursor={cursor} line={node} words={words} />
        ))}
      </tbody>
    </table>
  );
}

interface ResultProps {
  cursor: string;
  line: FoundLineFragment;
  words: RegExp | null;
}

function Result({ cursor, line, words }: ResultProps) {
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
          <Message line={line} words={words} />
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
function Message({ line, words }: { line: FoundLineFragment; words: RegExp | null }) {
  const { kind, message, error, command, highlights } = line;
  const itself = textOf({ ...line, message: null, error: null });
  const why = error === null ? '' : [error.code, error.message].filter(Boolean).join(': ');
  const said = message ?? why;
  const inWhy = placesOf(words, why);
  const inCommand = placesOf(words, command ?? '');
  return (
    <>
      {itself}
      {itself !== '' && said !== '' && ': '}
      {itself === '' && said === '' && `(${kind.toLowerCase()})`}
      <Marked text={said} places={message === null ? inWhy : highlights} />
      {message !== null && inWhy.length > 0 && <Also name="error" text={why} places={inWhy} />}
      {command !== null && inCommand.length > 0 && (
        <Also name="command" text={command} places={inCommand} />
      )}
    </>
  );
}

interface MarkedProps {
  text: string;
  places: readonly Range[];
}

/** What a line has beside its message, where what is searched for is in it. */
function Also({ name, ...marked }: MarkedProps & { name: string }) {
  return (
    <span class="result-also">
      <i>{name}</i> <Marked {...marked} />
    </span>
  );
}

function Marked({ text, places }: MarkedProps) {
  return markedPieces(text, places).map((piece, at) =>
    piece.marked ? <mark key={at}>{piece.text}</mark> : <span key={at}>{piece.text}</span>,
  );
}
