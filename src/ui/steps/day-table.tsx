/** What the charts show, to read and to print: newest day first. */
import { shareOf, timeOf } from '../explore/figures.ts';
import { numberOf } from '../parts/count.ts';
import type { StepFiguresFragment } from '../gen/graphql.ts';

export function DayTable({ days }: { days: readonly StepFiguresFragment[] }) {
  const rows = [...days].sort(
    (a, b) => (b.day ?? '').localeCompare(a.day ?? '') || (a.key < b.key ? -1 : 1),
  );
  return (
    <div class="wide">
      <table class="list" aria-label="Day by day">
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col">Step</th>
            <th scope="col" class="number">
              Runs
            </th>
            <th scope="col" class="number">
              Failed
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
              <td class="nowrap">{row.day?.slice(0, 10)}</td>
              <td class="name">{row.step}</td>
              <td class="number">{numberOf(row.count)}</td>
              <td class="number">
                {numberOf(row.failed)} ({shareOf(row.failed, row.count)})
              </td>
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
