import { randomUUID } from 'node:crypto';
import { InputError } from '#errors';
import type { TestEndpointInput } from '#ingestion/contracts';
import type { CommandContext } from './command-context.js';
import { sealedConfig } from './endpoint-config.js';
import { requireEndpoint, requireTemplate } from './endpoint-subject.js';

export interface TestMetadataEndpointInput {
  readonly endpointId?: string | null;
  readonly templateId?: string | null;
  readonly config?: Readonly<Record<string, unknown>> | null;
}

/** @throws InputError for an unknown endpoint or template, and for a config that breaks the template's schema */
export async function testMetadataEndpoint(context: CommandContext, input: TestMetadataEndpointInput) {
  const { endpointId, templateId, config } = input;
  const testId = randomUUID();
  if (endpointId != null) {
    if (templateId != null || config != null) throw eitherOr('input.endpointId');
    await requireEndpoint(context, endpointId, 'input.endpointId');
    return context.operations.test({ testId, subject: { endpointId } });
  }
  if (templateId == null || config == null) throw eitherOr('input.templateId');
  const draft = await draftOf(context, { id: `draft-${testId}`, templateId, config });
  return context.operations.test({ testId, subject: { draft } });
}

/** Sealed secrets are bound to the id of their endpoint: that of a draft is its own, so they open in its test alone. */
async function draftOf(
  context: CommandContext,
  draft: { id: string; templateId: string; config: Readonly<Record<string, unknown>> },
): Promise<TestEndpointInput> {
  const template = await requireTemplate(context, draft.templateId);
  const facts = { endpointId: draft.id, template, stored: {}, patch: draft.config };
  const config = sealedConfig(context.secrets, facts);
  return { role: template.role, endpoint: { endpointId: draft.id, templateId: template.id, config } };
}

function eitherOr(field: string): InputError {
  return InputError.one('BAD_USER_INPUT', field, 'name either an endpoint by endpointId, or templateId with config');
}
