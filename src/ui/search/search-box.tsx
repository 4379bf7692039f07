/** What to search for, how to say it, and where what was said is not understood. */
import { useRef } from 'preact/hooks';
import { setList, useParam } from '../address/address.ts';
import type { AskError } from '../data/ask.ts';
import { useTyping } from '../frame/keyboard.tsx';

/** One of each kind, to look at and to begin with. */
const EXAMPLES: readonly [text: string, meaning: string][] = [
  ['timeout', 'a word'],
  ['"connection refused"', 'a phrase'],
  ['check*', 'words that begin so'],
  ['-retrying', 'lines without it'],
  ['level:error', 'also status: stream: source:'],
  ['host:web-1*', 'also step: service: environment:'],
];

export function SearchBox({ error }: { error: AskError | null }) {
  const [text = ''] = useParam('q');
  const field = useRef<HTMLInputElement>(null);
  useTyping(field);
  const say = (q: string): void => setList({ q }, { replace: true });
  return (
    <div class="search-box">
      <input
        type="search"
        ref={field}
        aria-label="Search all logs"
        aria-describedby="search-syntax"
        aria-invalid={error?.code === 'SEARCH_SYNTAX'}
        placeholder='word "a phrase" level:error'
        value={text}
        spellcheck={false}
        autocomplete="off"
        maxLength={1_000}
        onInput={(event) => say(event.currentTarget.value)}
      />
      {error !== null && <SearchProblem text={text} error={error} />}
      <p id="search-syntax" class="search-syntax">
        All of them must be there:{' '}
        {EXAMPLES.map(([example, meaning]) => (
          <span key={example}>
            <code>{example}</code> {meaning}
          </span>
        ))}
      </p>
    </div>
  );
}

/** Messages of SEARCH_SYNTAX name the column, from 1. */
function SearchProblem({ text, error }: { text: string; error: AskError }) {
  const found = error.code === 'SEARCH_SYNTAX' ? /column (\d+)/.exec(error.message) : null;
  if (found === null) {
    return (
      <p role="alert" class="problem">
        {error.message}
      </p>
    );
  }
  const at = Number(found[1]) - 1;
  return (
    <>
      <pre class="search-column" aria-hidden="true">
        {text.slice(Math.max(0, at - 30), at)}
        <mark>{text.slice(at, at + 1) || ' '}</mark>
        {text.slice(at + 1, at + 30)}
      </pre>
      <p role="alert" class="problem">
        {error.message}
      </p>
    </>
  );
}
