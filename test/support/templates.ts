import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type TemplateList, templateListSchema } from '#ingestion/contracts';
import { REPOSITORY_ROOT } from '#stack';

/**
 * The templates as the Python package offers them. Tests store exactly these in the shared graph: a server of another test
 * may store them too, which changes nothing, while others would vanish from it.
 */
export async function pythonTemplates(): Promise<TemplateList> {
  const { stdout } = await promisify(execFile)(
    join(REPOSITORY_ROOT, '.venv', 'bin', 'python'),
    [join('python-bridge', 'ingestion.py'), 'templates', '--json'],
    { cwd: REPOSITORY_ROOT },
  );
  return templateListSchema.parse(JSON.parse(stdout));
}
