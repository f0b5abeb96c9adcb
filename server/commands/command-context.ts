import type { GraphStore, IngestionCatalog } from '#graph-store';
import type { EndpointOperations, IngestionClient } from '#ingestion';
import type { SecretBox } from '../secrets/index.js';

/** Where previews lie until they are read, and what they must not show. */
interface PreviewRules {
  readonly metadataRoot: string;
  /** Names of tags. */
  readonly maskedTags: readonly string[];
}

/** What the commands behind the mutations work with. */
export interface CommandContext {
  readonly catalog: IngestionCatalog;
  readonly graph: GraphStore;
  readonly ingestion: IngestionClient;
  readonly operations: EndpointOperations;
  readonly secrets: SecretBox;
  readonly previews: PreviewRules;
}

/** Until users have identities, the change log names the API as the actor. */
export const API_ACTOR = { actor: 'api' } as const;
