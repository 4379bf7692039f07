/** What is searched for, from the address. */
import { useMemo } from 'preact/hooks';
import { useParam } from '../address/address.ts';
import { type Range, useRange } from '../explore/range.ts';
import type { EventFilter, LogLevel } from '../gen/graphql.ts';

export const LEVELS: readonly LogLevel[] = ['FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE'];

export function useSearchFilter(): { filter: EventFilter; range: Range } {
  const [text = ''] = useParam('q');
  const services = useParam('service');
  const environments = useParam('environment');
  const given = useParam('level');
  const steps = useParam('step');
  const range = useRange(
    '24h',
    [text, ...services, ...environments, ...given, ...steps].join('\0'),
  );
  const filter = useMemo(() => {
    const levels = LEVELS.filter((level) => given.includes(level));
    return {
      ...(text.trim() !== '' && { search: text }),
      ...(services.length > 0 && { services: [...services] }),
      ...(environments.length > 0 && { environments: [...environments] }),
      ...(levels.length > 0 && { levels }),
      ...(steps.length > 0 && { steps: [...steps] }),
      ...(range.from !== null && { from: range.from }),
      ...(range.to !== null && { to: range.to }),
    };
  }, [text, services, environments, given, steps, range]);
  return { filter, range };
}
