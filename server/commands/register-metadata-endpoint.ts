import { AppError, InputError } from '#errors';
import { endpointUrn, templateUrn } from '#graph-schema';
import type { EndpointRecord, TemplateRecord } from '#graph-store';
import { ID_PATTERN } from '#ingestion/contracts';
import { API_ACTOR, type CommandContext } from './command-context.js';
import { sealedConfig } from './endpoint-config.js';
import { requireTemplate } from './endpoint-subject.js';

export interface RegisterEndpointInput {
  readonly id: string;
  readonly templateId: string;
  readonly name?: string | null;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface EndpointResult {
  readonly endpoint: EndpointRecord;
  readonly template: TemplateRecord;
  readonly sequence: number | null;
}

/** @throws InputError when the id is taken, the template is unknown, or the config breaks the template's schema */
export async function registerMetadataEndpoint(
  context: CommandContext,
  input: RegisterEndpointInput,
): Promise<EndpointResult> {
  if (!ID_PATTERN.test(input.id)) {
    throw InputError.one(
      'BAD_USER_INPUT',
      'input.id',
      'must start with a letter or digit and hold only letters, digits, "_", "." and "-" (128 at most)',
    );
  }
  const template = await requireTemplate(context, input.templateId);
  if ((await context.catalog.endpoint(input.id)) !== undefined) throw idTaken(input.id);
  const config = sealedConfig(context.secrets, { endpointId: input.id, template, stored: {}, patch: input.config });
  try {
    return await storeEndpoint(context, template, { id: input.id, name: input.name ?? input.id, config, ifVersion: 0 });
  } catch (error) {
    // Two registrations at once: the slower one must not replace the config of the faster.
    if (error instanceof AppError && error.code === 'CONFLICT') throw idTaken(input.id);
    throw error;
  }
}

function idTaken(id: string): InputError {
  const message = `is taken: ${JSON.stringify(id)}; change that endpoint with updateMetadataEndpoint`;
  return InputError.one('CONFLICT', 'input.id', message);
}

/** Writes an endpoint with its edge to the template and reads it back. */
export async function storeEndpoint(
  { catalog, graph }: CommandContext,
  template: TemplateRecord,
  endpoint: { id: string; name: string; config: Readonly<Record<string, unknown>>; ifVersion: number },
): Promise<EndpointResult> {
  const urn = endpointUrn(endpoint.id);
  const { sequence } = await graph.write(
    {
      entities: [
        {
          kind: 'MetadataEndpoint',
          urn,
          name: endpoint.name,
          properties: {
            id: endpoint.id,
            templateId: template.id,
            vendor: template.vendor,
            role: template.role,
            config: JSON.stringify(endpoint.config),
          },
          ifVersion: endpoint.ifVersion,
        },
      ],
      edges: [{ kind: 'OF_TEMPLATE', from: urn, to: templateUrn(template.id) }],
    },
    API_ACTOR,
  );
  const stored = await catalog.endpoint(endpoint.id);
  if (stored === undefined) {
    throw InputError.one('CONFLICT', 'input.id', 'was deleted while it was being written: try again');
  }
  return { endpoint: stored, template, sequence };
}
