import { staticSource } from './assertion-sources.js';
import { collectEdgeEdit, collectRunEdit } from './edit-facts.js';
import type { EventTime } from './event-time.js';
import { claimColumns, claimLineageOfDataset, claimLineageOfJob, type Teller } from './explicit-lineage.js';
import type { FacetPlace } from './facet-schemas.js';
import { type FacetTable, facetTable } from './facet-table.js';
import { type Author, FactCollector } from './fact-collector.js';
import type { Finding } from './findings.js';
import type { EventDataset, InboxEntry, JobEvent, LineageEvent, RunEvent } from './lineage-event.js';
import type { LineageState } from './lineage-state.js';
import { datasetUrnOf, jobUrnOf, runUrn } from './lineage-urns.js';
import type { Facets } from './read-facets.js';
import { NO_OUTCOME, outcomeOf } from './run-outcome.js';

export interface EventFacts {
  readonly state: LineageState;
  /** What the event says and the graph cannot show. */
  readonly warnings: readonly Finding[];
}

/** What one event or edit says, as a state to be merged into what is known. The same one gives the same facts, whenever it comes. */
export function assertionsOf(event: InboxEntry): EventFacts {
  const facts = new FactCollector(event.at);
  switch (event.is) {
    case 'run':
      collectRun(facts, event);
      break;
    case 'job':
      collectJob(facts, event);
      break;
    case 'dataset':
      collectDataset(facts, event);
      break;
    case 'edge-edit':
      collectEdgeEdit(facts, event);
      break;
    case 'run-edit':
      collectRunEdit(facts, event);
      break;
  }
  return { state: facts.state(), warnings: facts.warnings };
}

function collectRun(facts: FactCollector, event: RunEvent): void {
  const owner = jobUrnOf(event.job);
  const outcome = outcomeOf(event.type, event.at);
  const by = facts.run(event.run.id, owner, outcome, tableOf(event.at, event.run.facets)) ?? runUrn(event.run.id);
  facts.source({ owner, by }, outcome);
  collectParents(facts, event);
  collectSides(facts, event, { owner, by });
}

function collectJob(facts: FactCollector, event: JobEvent): void {
  const author = { owner: jobUrnOf(event.job), by: staticSource(event.at) };
  facts.source(author, NO_OUTCOME);
  collectSides(facts, event, author);
}

function collectDataset(facts: FactCollector, { at, dataset }: LineageEvent & { is: 'dataset' }): void {
  const author = { owner: datasetUrnOf(dataset), by: staticSource(at) };
  addDataset(facts, { at, author, job: null }, dataset);
}

/** The jobs and runs that a run is a part of are there from now on, with their names alone until their own events come. */
function collectParents(facts: FactCollector, { run }: RunEvent): void {
  const { parent } = run.facets.known;
  if (parent === undefined) return;
  for (const ancestor of parent.root ? [parent, parent.root] : [parent]) {
    const job = facts.job(ancestor.job);
    if (job !== null) facts.namedRun(ancestor.run.runId, job);
  }
}

function collectSides(facts: FactCollector, event: RunEvent | JobEvent, author: Author): void {
  const { at, job } = event;
  const teller = { at, author, job };
  facts.job(job, tableOf(at, job.facets));
  for (const input of event.inputs) {
    const dataset = datasetUrnOf(input);
    // What is said to feed an input is another job's doing.
    const told = addDataset(facts, { at, author: { owner: dataset, by: staticSource(at) }, job: null }, input);
    facts.claim(author, 'inputs', dataset);
    if (event.is === 'job') continue;
    const own = tableOf(at, input.inputFacets);
    facts.use({ run: author.by, dataset, side: 'input', version: only(told, ['version']), facets: own });
  }
  for (const output of event.outputs) {
    const dataset = datasetUrnOf(output);
    const told = addDataset(facts, teller, output);
    facts.claim(author, 'outputs', dataset);
    if (event.is === 'job') continue;
    const own = tableOf(at, output.outputFacets);
    facts.use({ run: author.by, dataset, side: 'output', version: only(told, ['schema', 'version']), facets: own });
  }
  if (job.facets.known.lineage !== undefined) claimLineageOfJob(facts, teller, job.facets.known.lineage);
}

function addDataset(facts: FactCollector, teller: Teller, dataset: EventDataset): FacetTable {
  const told = tableOf(teller.at, dataset.facets);
  facts.dataset(dataset, told);
  const { columnLineage, lineage } = dataset.facets.known;
  if (columnLineage !== undefined) claimColumns(facts, teller, dataset, columnLineage);
  if (lineage !== undefined) claimLineageOfDataset(facts, teller, dataset, lineage);
  return told;
}

function tableOf(at: EventTime, { all, removed }: Facets<FacetPlace>): FacetTable {
  return facetTable(at, all, removed);
}

/** Of the facets of a data set, those that tell which state of it a run has seen; what a version looks like tells who writes it. */
function only(told: FacetTable, names: readonly string[]): FacetTable {
  return Object.fromEntries(Object.entries(told).filter(([name]) => names.includes(name)));
}
