/** Chooses the range of time that a view is about. */
import { setList } from '../address/address.ts';
import { localText, lookedAgain, type Range, SPANS } from './range.ts';

export function RangeChoice({ range }: { range: Range }) {
  const chosen = range.last ?? 'between';
  const change = (value: string): void => {
    if (value !== 'between') {
      setList({ from: null, to: null, last: value });
      return;
    }
    const to = new Date().toISOString();
    setList({ from: range.from, to, last: null });
  };
  const set = (name: 'from' | 'to', text: string): void => {
    const ms = Date.parse(text);
    setList({ [name]: Number.isNaN(ms) ? null : new Date(ms).toISOString() });
  };
  return (
    <span class="range">
      <select
        aria-label="Time"
        value={chosen}
        onChange={(event) => change(event.currentTarget.value)}
      >
        {Object.entries(SPANS).map(([value, { name }]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
        <option value="between">from … to …</option>
      </select>
      {range.last === null && (
        <>
          <input
            type="datetime-local"
            step={1}
            aria-label="From"
            value={localText(range.from)}
            onChange={(event) => set('from', event.currentTarget.value)}
          />
          <span aria-hidden="true">–</span>
          <input
            type="datetime-local"
            step={1}
            aria-label="To"
            value={localText(range.to)}
            onChange={(event) => set('to', event.currentTarget.value)}
          />
        </>
      )}
      {range.to === null && (
        <button
          type="button"
          aria-label="Look again"
          title="Look again: until now"
          onClick={() => lookedAgain.value++}
        >
          <span aria-hidden="true">⟳</span>
        </button>
      )}
    </span>
  );
}
