/** Which steps a view is about, from the address. */
import { useMemo } from 'preact/hooks';
import { useParam } from '../address/address.ts';
import type { StepFilter } from '../gen/graphql.ts';
import { type Range, useRange } from './range.ts';

export function useStepFilter(usual: string): { filter: StepFilter; range: Range } {
  const services = useParam('service');
  const environments = useParam('environment');
  const steps = useParam('step');
  const range = useRange(usual, [...services, ...environments, ...steps].join('\0'));
  const filter = useMemo(
    () => ({
      ...(services.length > 0 && { services: [...services] }),
      ...(environments.length > 0 && { environments: [...environments] }),
      ...(steps.length > 0 && { steps: [...steps] }),
      ...(range.from !== null && { from: range.from }),
      ...(range.to !== null && { to: range.to }),
    }),
    [services, environments, steps, range],
  );
  return { filter, range };
}
