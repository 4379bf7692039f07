/** How long steps take and how often they fail, over time and deployments; and why they fail. */
import { useAnswer } from '../data/use-answer.ts';
import { useViewQuery } from '../data/view-query.ts';
import '../explore/explore.css';
import { ServiceFacets } from '../explore/facets.tsx';
import { RangeChoice } from '../explore/range-choice.tsx';
import { useStepFilter } from '../explore/step-filter.ts';
import { type StepFiguresFragment, StepStatisticsDocument } from '../gen/graphql.ts';
import { Skeleton } from '../parts/skeleton.tsx';
import { useTitle } from '../parts/title.ts';
import { Causes } from './causes.tsx';
import { Slowest } from './slowest.tsx';
import { StepCharts } from './step-charts.tsx';
import { StepTable } from './step-table.tsx';
import './steps.css';

/** The most groups that the server answers with. */
const GROUPS_MAX = 1_000;

export function Steps() {
  const { filter, range } = useStepFilter('7d');
  const { data, error, asking } = useAnswer(StepStatisticsDocument, { filter });
  useTitle('Steps');
  useViewQuery(StepStatisticsDocument, { filter });
  return (
    <>
      <h1>Steps</h1>
      <div class="filters">
        <RangeChoice range={range} />
        <ServiceFacets from={range.from} />
      </div>
      {error !== null && (
        <p role="alert" class="problem">
          {error.message}
        </p>
      )}
      {data === null && error === null && <Skeleton />}
      {data?.steps.length === 0 && (
        <p>
          No step like this began in the {range.name}. Choose a longer time above, or fewer facets.
        </p>
      )}
      {data !== null && data.steps.length > 0 && (
        <div class={asking ? 'asking' : undefined}>
          <StepCharts steps={data.steps} days={data.byDay} />
          {data.byDay.length >= GROUPS_MAX && (
            <p class="hint">
              Of {GROUPS_MAX.toLocaleString('en')} days of steps at most: a shorter time or one step
              shows all.
            </p>
          )}
          <section class="section" aria-label="Durations and failures">
            <h2>Durations and failures</h2>
            <StepTable name="Durations and failures" rows={data.steps} />
          </section>
          {data.byService.length > data.steps.length && (
            <section class="section" aria-label="By service">
              <h2>By service</h2>
              <StepTable name="By service" rows={byStep(data.byService)} withService />
            </section>
          )}
        </div>
      )}
      <Causes filter={filter} range={range} />
      {data !== null && data.steps.length > 0 && <Slowest filter={filter} />}
    </>
  );
}

/** The services of a step beside each other; steps that run most first. */
function byStep(rows: readonly StepFiguresFragment[]): StepFiguresFragment[] {
  return [...Map.groupBy(rows, ({ step }) => step).values()].flat();
}
