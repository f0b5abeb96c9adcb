import { parseUrn } from '#graph-schema';
import type { EditWord } from './edit-words.js';
import type { FactCollector } from './fact-collector.js';
import { columnEdgeKey } from './lineage-claims.js';
import type { EdgeEdit, EditedEdge, RunEdit } from './lineage-edit.js';
import type { QualifiedName } from './lineage-event.js';
import type { EditState } from './lineage-state.js';
import { datasetUrnOf } from './lineage-urns.js';

/** What an edit says of each of its edges. The things at their ends are there from then on, as those that events name. */
export function collectEdgeEdit(facts: FactCollector, { id, does, at, actor, note, edges }: EdgeEdit): void {
  const word: EditWord = { does, at, actor, note };
  for (const edge of edges) facts.edit(collectEnds(facts, edge), `${does} ${id}`, word);
}

export function collectRunEdit(facts: FactCollector, { does, at, actor, note, run }: RunEdit): void {
  facts.rollBack(run, { isRolledBack: does === 'roll-back', at, actor, reason: note });
}

function collectEnds(facts: FactCollector, edge: EditedEdge): Omit<EditState, 'words'> {
  const { from, to } = edge;
  switch (edge.kind) {
    case 'FEEDS':
      facts.dataset(nameIn(from));
      facts.job(nameIn(to));
      return { owner: to, side: 'inputs', edge: from };
    case 'PRODUCES':
      facts.job(nameIn(from));
      facts.dataset(nameIn(to));
      return { owner: from, side: 'outputs', edge: to };
    case 'DERIVES': {
      facts.dataset(nameIn(from));
      facts.dataset(nameIn(to));
      const columnsOf = datasetUrnOf(nameIn(to));
      if (edge.via !== null) facts.job(nameIn(edge.via));
      // As where a Dataset event tells of columns without naming a job.
      return { owner: edge.via ?? columnsOf, side: { columnsOf }, edge: columnEdgeKey(from, to) };
    }
  }
}

/** Of a job or a data set, or of the data set that a column belongs to. */
function nameIn(urn: string): QualifiedName {
  const [namespace = '', name = ''] = parseUrn(urn).parts;
  return { namespace, name };
}
