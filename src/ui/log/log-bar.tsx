/** What can be done with a log. */
import { setParams, useParam } from '../address/address.ts';
import { Facet } from '../deployments/facet.tsx';
import type { EventFilter } from '../gen/graphql.ts';
import { useCell } from '../parts/cell.ts';
import { ExportButtons } from './export-buttons.tsx';
import { LEVELS } from './log-filter.ts';
import { LogSearch } from './log-search.tsx';
import type { LogState } from './log-state.ts';
import { TIME_MODES, TIME_NAMES, type TimeMode, timeMode } from './log-time.ts';
import { lineWrap, toggleWrap } from './log-wrap.ts';
import type { Matches } from './use-matches.ts';
import { counted } from '../parts/count.ts';

interface LogBarProps {
  filter: EventFilter;
  narrowed: boolean;
  steps: readonly string[];
  state: LogState | null;
  following: boolean;
  onFollow: () => void;
  matches: Matches;
  name: string;
}

export function LogBar(props: LogBarProps) {
  const { filter, narrowed, steps, state, following, onFollow, matches, name } = props;
  const unseen = state?.unseen ?? 0;
  const total = state?.total ?? 0;
  const estimated = state !== null && !(state.atStart && state.atEnd);
  return (
    <div class="log-bar">
      <button type="button" aria-pressed={following} onClick={onFollow}>
        Follow
      </button>
      <span class="log-state">
        {following ? 'following' : 'paused'}
        {unseen > 0 && ` · ${counted(unseen, 'new line')}`}
      </span>
      <LogSearch matches={matches} />
      <LevelSelect />
      <Facet name="Step" param="step" values={steps} />
      {narrowed && (
        <button
          type="button"
          onClick={() => setParams({ level: null, step: null, attempt: null }, { replace: true })}
        >
          Show all lines
        </button>
      )}
      <span class="log-look">
        <TimeSelect />
        <WrapButton />
        <ExportButtons filter={filter} name={name} />
      </span>
      <span class="log-total">
        {estimated && total > 1_000 && '~ '}
        {counted(total, 'line')}
      </span>
    </div>
  );
}

function LevelSelect() {
  const [level = ''] = useParam('level');
  return (
    <select
      aria-label="Level"
      value={level.toUpperCase()}
      onChange={(event) => setParams({ level: event.currentTarget.value }, { replace: true })}
    >
      <option value="">All levels</option>
      {LEVELS.map((one) => (
        <option key={one} value={one}>
          {one === 'FATAL' ? one : `${one} and worse`}
        </option>
      ))}
    </select>
  );
}

function TimeSelect() {
  const mode = useCell(timeMode);
  return (
    <select
      aria-label="Time"
      value={mode}
      onChange={(event) => {
        timeMode.value = event.currentTarget.value as TimeMode;
      }}
    >
      {TIME_MODES.map((one) => (
        <option key={one} value={one}>
          Time: {TIME_NAMES[one]}
        </option>
      ))}
    </select>
  );
}

function WrapButton() {
  return (
    <button type="button" aria-pressed={useCell(lineWrap) === 'wrap'} onClick={toggleWrap}>
      Wrap
    </button>
  );
}
