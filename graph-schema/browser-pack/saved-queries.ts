import { LINEAGE_QUERIES } from './lineage-queries.js';
import { OVERVIEW_QUERIES } from './overview-queries.js';
import { RUN_QUERIES } from './run-queries.js';
import type { SavedQuery } from './saved-query.js';

export const SAVED_QUERIES: readonly SavedQuery[] = [...LINEAGE_QUERIES, ...RUN_QUERIES, ...OVERVIEW_QUERIES];

/** The text of a `.cypher` file. Browser shows the first comment as the name of a favourite. */
export function cypherFile({ title, shows, parameters, cypher }: SavedQuery): string {
  const needs =
    parameters.length === 0 ? [] : [`// Set first: ${parameters.map((name) => `:param ${name}`).join(', ')}`];
  return [`// ${title}`, `// ${shows}`, ...needs, `${cypher};`, ''].join('\n');
}
