/** Figures of steps, one row each. A step's name narrows the view to it. */
import { addressOf, useAddress } from '../address/address.ts';
import { shareOf, timeOf } from '../explore/figures.ts';
import { numberOf } from '../parts/count.ts';
import type { StepFiguresFragment } from '../gen/graphql.ts';

interface StepTableProps {
  name: string;
  rows: readonly StepFiguresFragment[];
  withService?: boolean;
}

export function StepTable({ name, rows, withService = false }: StepTableProps) {
  return (
    <div class="wide">
      <table class="list" aria-label={name}>
        <thead>
          <tr>
            <th scope="col">Step</th>
            {withService && <th scope="col">Service</th>}
            <th scope="col" class="number">
              Runs
            </th>
            <th scope="col" class="number">
              Failed
            </th>
            <th scope="col" class="number">
              Rate
            </th>
            <th scope="col" class="number">
              p50
            </th>
            <th scope="col" class="number">
              p95
            </th>
            <th scope="col" class="number">
              Longest
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key}>
              <td class="name">{row.step !== null && <StepLink step={row.step} />}</td>
              {withService && <td class="name">{row.service ?? '(none)'}</td>}
              <td class="number">{numberOf(row.count)}</td>
              <td class={row.failed > 0 ? 'number some-failed' : 'number'}>
                {numberOf(row.failed)}
              </td>
              <td class="number">{shareOf(row.failed, row.count)}</td>
              <td class="number">{timeOf(row.p50Ms)}</td>
              <td class="number">{timeOf(row.p95Ms)}</td>
              <td class="number">{timeOf(row.maxMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** To this view of that step alone. */
function StepLink({ step }: { step: string }) {
  const { params } = useAddress();
  const kept = ['service', 'environment', 'from', 'to', 'last'];
  const rest = Object.fromEntries(kept.map((name) => [name, params.getAll(name)]));
  return <a href={addressOf(['steps'], { ...rest, step })}>{step}</a>;
}
