/** Facets of a view across deployments: offered are the values of late. */
import { useAnswer } from '../data/use-answer.ts';
import { Facet } from '../deployments/facet.tsx';
import { FacetValuesDocument } from '../gen/graphql.ts';

function known(values: (string | null)[]): string[] {
  return [...new Set(values.filter((value) => value !== null))].sort();
}

export function ServiceFacets({ from }: { from: string | null }) {
  const filter = from === null ? {} : { from };
  const { data } = useAnswer(FacetValuesDocument, { filter });
  const tasks = data?.tasks.nodes ?? [];
  const steps = data?.stepStats ?? [];
  return (
    <>
      <Facet name="Service" param="service" values={known(tasks.map((task) => task.service))} />
      <Facet
        name="Environment"
        param="environment"
        values={known(tasks.map((task) => task.environment))}
      />
      <Facet name="Step" param="step" values={known(steps.map(({ step }) => step))} />
    </>
  );
}
