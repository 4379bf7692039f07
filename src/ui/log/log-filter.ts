/** Which lines of a log are shown: level, steps and attempt, as the address says. */
import { useMemo } from 'preact/hooks';
import { useParam } from '../address/address.ts';
import type { EventFilter, LogLevel } from '../gen/graphql.ts';

export const LEVELS: readonly LogLevel[] = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

export function useLogFilter(base: EventFilter): { filter: EventFilter; narrowed: boolean } {
  const [level] = useParam('level');
  const steps = useParam('step');
  const [attempt] = useParam('attempt');
  const key = JSON.stringify(base);
  return useMemo(() => {
    const minLevel = LEVELS.find((one) => one === level?.toUpperCase());
    const number = Number(attempt);
    const narrowing: EventFilter = {
      ...(minLevel !== undefined && { minLevel }),
      ...(steps.length > 0 && { steps: [...steps] }),
      ...(Number.isInteger(number) && number > 0 && { attempts: [number] }),
    };
    return {
      filter: { ...(JSON.parse(key) as EventFilter), ...narrowing },
      narrowed: Object.keys(narrowing).length > 0,
    };
  }, [key, level, steps, attempt]);
}
