/** What is shown of an event, as text. */
import { statusWord } from '../parts/status.tsx';
import type { LogLineFragment } from '../gen/graphql.ts';

/** With its colours; of many lines where it was written so. Beginnings and ends say so in words. */
export function textOf(event: LogLineFragment): string {
  const { kind, status, message, error, exitCode, progress, step } = event;
  const said = message ?? error?.message ?? '';
  if (kind === 'PROGRESS' && progress !== null) {
    const of = progress.total === null ? '' : ` of ${number(progress.total)}`;
    const unit = progress.unit === null ? '' : ` ${progress.unit}`;
    return `${number(progress.done)}${of}${unit}${said === '' ? '' : `: ${said}`}`;
  }
  if (status === null) return said;
  const code = exitCode === null || exitCode === 0 ? '' : ` (exit code ${exitCode})`;
  return `${step} ${statusWord(status).toLowerCase()}${code}${said === '' ? '' : `: ${said}`}`;
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 1 });
}
