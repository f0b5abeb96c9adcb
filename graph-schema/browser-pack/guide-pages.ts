import { SAVED_QUERIES } from './saved-queries.js';

/** A page of the guide: what it is about, then things to click and run. */
export interface GuidePage {
  readonly title: string;
  readonly lead: string;
  readonly steps: readonly GuideStep[];
}

export interface GuideStep {
  readonly title?: string;
  readonly text: string;
  /** Cypher, or a command of Browser. */
  readonly run: string;
}

/** @throws TypeError for an id that no query has */
function query(id: string): GuideStep {
  const found = SAVED_QUERIES.find((candidate) => candidate.id === id);
  if (found === undefined) throw new TypeError(`no saved query is called ${id}`);
  return { title: found.title, text: found.shows, run: found.cypher };
}

/** @param baseUrl where the pack is served, without a slash at the end */
export function guidePages(baseUrl: string): readonly GuidePage[] {
  return [
    {
      title: 'Lineage in Neo4j Browser',
      lead: 'Every data set, job, column and run is a node; arrows point as the data flows. A click puts a text into the editor, where you run it.',
      steps: [
        { text: 'Colours and captions, one colour for each label.', run: `:style ${baseUrl}/style.grass` },
        query('kinds'),
      ],
    },
    {
      title: 'Where to begin',
      lead: 'The other pages ask about one node, whose urn is the parameter urn. Find it by a part of its name.',
      steps: [
        { text: 'A part of the name.', run: ":param text => 'orders'" },
        query('find'),
        { text: 'Put the urn from the answer in here.', run: ":param urn => 'nucleus:dataset:namespace:name'" },
      ],
    },
    {
      title: 'Upstream and downstream',
      lead: 'What holds now: edges that the latest runs have confirmed.',
      steps: [query('upstream'), query('downstream')],
    },
    {
      title: 'As of a time',
      lead: 'Browser draws every edge between the nodes of an answer, ended ones too, until “Connect result nodes” is switched off in its settings, or by the command below where it knows it.',
      steps: [
        { text: 'Draw nothing that is not in the answer.', run: ':config "autoComplete": false' },
        {
          text: 'A day, or a time with its zone.',
          run: `:param at => '2026-01-31T08:00:00Z'`,
        },
        query('upstream-at'),
        query('downstream-at'),
        query('ended'),
      ],
    },
    {
      title: 'Columns and owners',
      lead: 'What a column is made of, and whom a change concerns.',
      steps: [query('columns'), query('owners')],
    },
    {
      title: 'Runs',
      lead: 'For these, urn names a job or a unit, a run, or a data set, as each of them says.',
      steps: [query('run-history'), query('run-versions'), query('versions'), query('failed-runs')],
    },
    {
      title: 'Checkpoints',
      lead: 'How far a unit of ingestion has come: urn names the unit.',
      steps: [query('checkpoints')],
    },
    {
      title: 'The whole graph',
      lead: 'Where to look first in a graph that you do not know.',
      steps: [query('hubs'), query('orphans'), query('dead-ends')],
    },
  ];
}
