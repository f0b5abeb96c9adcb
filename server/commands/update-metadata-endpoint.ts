import { AppError, InputError } from '#errors';
import type { CommandContext } from './command-context.js';
import { sealedConfig } from './endpoint-config.js';
import { requireEndpoint } from './endpoint-subject.js';
import { type EndpointResult, storeEndpoint } from './register-metadata-endpoint.js';

export interface UpdateEndpointInput {
  readonly id: string;
  readonly name?: string | null;
  readonly config?: Readonly<Record<string, unknown>> | null;
}

/** @throws InputError when the endpoint is unknown, the new config breaks the schema, or another change came between */
export async function updateMetadataEndpoint(
  context: CommandContext,
  input: UpdateEndpointInput,
): Promise<EndpointResult> {
  const present = await requireEndpoint(context, input.id, 'input.id');
  const template = await context.catalog.template(present.templateId);
  if (template === undefined) {
    throw InputError.one(
      'CONFLICT',
      'input.id',
      `is of template ${present.templateId}, which no data worker offers any more`,
    );
  }
  const config =
    input.config == null
      ? present.config
      : sealedConfig(context.secrets, { endpointId: input.id, template, stored: present.config, patch: input.config });
  try {
    return await storeEndpoint(context, template, {
      id: input.id,
      name: input.name ?? present.name,
      config,
      ifVersion: present.version,
    });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'CONFLICT' || error instanceof InputError) throw error;
    throw InputError.one('CONFLICT', 'input.id', 'was changed by somebody else meanwhile: read it and try again');
  }
}
