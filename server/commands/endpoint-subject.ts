import { InputError } from '#errors';
import type { EndpointRecord, TemplateRecord } from '#graph-store';
import type { CommandContext } from './command-context.js';

/** @throws InputError when the id names no endpoint */
export async function requireEndpoint(
  { catalog }: Pick<CommandContext, 'catalog'>,
  id: string,
  field: string,
): Promise<EndpointRecord> {
  const endpoint = await catalog.endpoint(id);
  if (endpoint === undefined) throw InputError.one('NOT_FOUND', field, `names no endpoint: ${JSON.stringify(id)}`);
  return endpoint;
}

/** The template of an endpoint. @throws InputError when it does not offer this */
export async function requireCapability(
  { catalog }: Pick<CommandContext, 'catalog'>,
  endpoint: EndpointRecord,
  capability: 'metadata.collect' | 'metadata.preview',
): Promise<TemplateRecord> {
  const template = await catalog.template(endpoint.templateId);
  const problem =
    template === undefined
      ? `is of template ${endpoint.templateId}, which no data worker offers any more`
      : `is of template ${template.id}, which does not offer ${capability}`;
  if (template?.capabilities.includes(capability)) return template;
  throw InputError.one('BAD_USER_INPUT', 'input.endpointId', problem);
}

/** @throws InputError that lists the templates there are, when the id names none */
export async function requireTemplate(
  { catalog }: Pick<CommandContext, 'catalog'>,
  id: string,
): Promise<TemplateRecord> {
  const template = await catalog.template(id);
  if (template !== undefined) return template;
  const known = (await catalog.templates()).map((other) => other.id).join(', ');
  throw InputError.one(
    'NOT_FOUND',
    'input.templateId',
    `names no template: ${JSON.stringify(id)}; ${known === '' ? 'none is known yet, because no data worker has started' : `known are ${known}`}`,
  );
}
