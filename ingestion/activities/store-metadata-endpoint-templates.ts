import { templateUrn } from '#graph-schema';
import { type TemplateList, templateListSchema } from '../contracts/index.js';
import type { ControlDependencies } from './control-dependencies.js';

/**
 * Makes the graph hold exactly the templates that the workers offer, so that they can be listed with no worker up.
 * A template that is no longer offered is deleted softly; endpoints made from it stay.
 */
export async function storeMetadataEndpointTemplates(
  { catalog, graph }: ControlDependencies,
  list: TemplateList,
): Promise<void> {
  const { templates } = templateListSchema.parse(list);
  const offered = new Set(templates.map((template) => template.id));
  const vanished = (await catalog.templates()).filter((template) => !offered.has(template.id));
  await graph.write(
    {
      entities: templates.map((template) => ({
        kind: 'MetadataEndpointTemplate',
        urn: templateUrn(template.id),
        name: template.title,
        properties: {
          id: template.id,
          vendor: template.vendor,
          description: template.description,
          role: template.role,
          descriptorVersion: template.version,
          capabilities: template.capabilities,
          writeModes: template.writeModes,
          deliveryGuarantee: template.deliveryGuarantee,
          configSchema: JSON.stringify(template.configSchema),
          objectSchema: template.objectSchema === null ? null : JSON.stringify(template.objectSchema),
        },
      })),
      deletions: vanished.map(({ urn }) => ({ urn })),
    },
    { actor: 'templates' },
  );
}
