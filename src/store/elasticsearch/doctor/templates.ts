/** Our index templates, and those of others that would take their place. */
import { type Finding, fine, problem, warning } from '../../../domain/finding.ts';
import { PRIORITY, TEMPLATE_VERSION, templates } from '../indices/mappings.ts';
import { foreignOrNewer, readTemplate, TEMPLATES, versionOf } from '../indices/setup.ts';
import type { DoctorContext } from './context.ts';

export async function checkTemplates(context: DoctorContext): Promise<Finding[]> {
  const { connection, config } = context;
  const ours = templates(config).map(({ name }) => name);
  const stored = await Promise.all(ours.map((name) => readTemplate(connection, name)));
  const findings: Finding[] = [];
  for (const [i, name] of ours.entries()) {
    const fault = stored[i] == null ? null : foreignOrNewer(name, stored[i]);
    if (fault !== null) {
      findings.push(problem('templates', fault, 'Shiplog does not start before that is done.'));
    }
  }
  const missing = ours.filter((_, i) => stored[i] == null);
  const older = ours.filter((_, i) => stored[i] != null && versionOf(stored[i]) < TEMPLATE_VERSION);
  if (findings.length > 0) return findings;
  if (missing.length === ours.length) {
    findings.push(fine('templates', 'none yet; the first start of a server makes them'));
  } else if (missing.length > 0) {
    findings.push(
      warning('templates', `missing: ${missing.join(', ')}`, 'Restart a server: it makes them.'),
    );
  } else if (older.length > 0) {
    findings.push(
      warning(
        'templates',
        `of an older version: ${older.join(', ')}`,
        'The next start of this version brings them up to date; older servers go on working.',
      ),
    );
  } else findings.push(fine('templates', `${ours.length}, version ${TEMPLATE_VERSION}`));
  return [...findings, ...(await rivals(context, ours))];
}

/** Other templates that match the names of our indices, with a priority that is not below ours. */
async function rivals({ connection, names }: DoctorContext, ours: string[]): Promise<Finding[]> {
  const { index_templates: all = [] } = await connection.expect(
    {
      method: 'GET',
      path: '/_index_template',
      query: {
        filter_path: ['name', 'index_template.index_patterns', 'index_template.priority']
          .map((part) => `index_templates.${part}`)
          .join(','),
      },
    },
    TEMPLATES,
  );
  const indices = [names.events('2026-01-01'), names.views('2026-01-01'), names.hosts, names.meta];
  return all
    .filter(({ name, index_template: { priority = 0, index_patterns = [] } }) => {
      if (ours.includes(name) || priority < PRIORITY) return false;
      return index_patterns.some((pattern) => indices.some((index) => matches(index, pattern)));
    })
    .map(({ name }) =>
      warning(
        'templates',
        `the template ${name} of somebody else takes the place of Shiplog’s`,
        `Narrow its patterns, or lower its priority below ${PRIORITY}: its settings, aliases and pipelines would apply to Shiplog’s indices.`,
      ),
    );
}

function matches(index: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(index);
}
