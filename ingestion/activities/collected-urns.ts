import type { RunMetadataFile } from '../contracts/index.js';
import { urnOfKey } from '../metadata/index.js';
import { rowsOf } from './apply-metadata-files.js';
import type { ControlDependencies } from './control-dependencies.js';

/** Urns of the entities of one kind that files hold, each once; a row that names none is left out, as it is when it is applied. */
export async function collectedUrns(
  dependencies: Pick<ControlDependencies, 'knowledge' | 'metadataRoot'>,
  files: readonly RunMetadataFile[],
  kind: 'Dataset' | 'Field',
): Promise<Set<string>> {
  const definition = await dependencies.knowledge.kinds.find(kind);
  const urns = new Set<string>();
  for (const file of files) {
    if (file.contents !== 'entities' || file.kind !== kind) continue;
    for await (const rows of await rowsOf(dependencies, file)) {
      for (const { request } of rows) {
        if (request.is !== 'entity') continue;
        const { urn, key } = request.item;
        const named = urn ?? (definition && key && urnOfKey(definition, key));
        if (named) urns.add(named);
      }
    }
  }
  return urns;
}
