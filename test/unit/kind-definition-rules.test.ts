import { describe, expect, it } from 'vitest';
import { COMMON_LINKS, KindCatalog } from '#graph-schema';
import { type DefinedKind, growKind, KIND_LIMITS } from '../../graph-store/kind-definition-rules.js';

const ISSUE: DefinedKind = {
  name: 'JiraIssue',
  description: 'An issue.',
  urnKind: 'jira-issue',
  keyParts: ['project', 'number'],
  properties: { summary: { type: 'STRING', required: true }, points: { type: 'INTEGER', description: 'Effort.' } },
  links: [{ kind: 'BLOCKS', to: ['JiraIssue'], properties: { since: { type: 'DATE_TIME' } } }],
};

const catalog = new KindCatalog([{ ...ISSUE, origin: 'CUSTOM', links: [...COMMON_LINKS, ...ISSUE.links] }]);
const NEW: DefinedKind = { ...ISSUE, name: 'Screen', urnKind: 'screen', keyParts: ['name'], properties: {}, links: [] };

const problemsOf = (given: Partial<DefinedKind>, stored?: DefinedKind): string[] =>
  growKind({ ...(stored ?? NEW), ...given }, stored, catalog).problems.map(
    ({ field, message }) => `${field} ${message}`,
  );

describe('a kind that a user defines', () => {
  it('is taken as it is given', () => {
    expect(growKind(NEW, undefined, catalog)).toEqual({ kind: NEW, problems: [] });
  });

  it('has the parts of its urn without declaring them, and may repeat what every kind has', () => {
    const given = {
      ...ISSUE,
      properties: { ...ISSUE.properties, project: { type: 'STRING' as const } },
      links: [...COMMON_LINKS, ...ISSUE.links],
    };
    expect(growKind(given, ISSUE, catalog)).toEqual({ kind: ISSUE, problems: [] });
  });

  it.each<[string, Partial<DefinedKind>, string]>([
    ['a name that is no label', { name: 'jira issue' }, 'name must be a capital letter'],
    ['a name with a backtick', { name: 'A`' }, 'name must be a capital letter'],
    ['the name of what ships with Nucleus', { name: 'Dataset' }, 'name Dataset is the name'],
    ['the name of its bookkeeping', { name: 'ChangeLog' }, 'name ChangeLog is the name'],
    ['urns that are none', { urnKind: 'Page' }, 'urnKind must be lower-case words'],
    ['urns of another kind', { urnKind: 'dataset' }, 'urnKind dataset belongs to kind Dataset'],
    ["urns of another user's kind", { urnKind: 'jira-issue' }, 'urnKind jira-issue belongs to kind JiraIssue'],
    ['no part of a urn', { keyParts: [] }, 'keyParts must name one part at least'],
    ['a part twice', { keyParts: ['a', 'a'] }, 'keyParts must differ'],
    ['a part that the store keeps', { keyParts: ['version'] }, 'keyParts version is what every entity has'],
    [
      'a part of the urn with another type',
      { keyParts: ['id'], properties: { id: { type: 'INTEGER' } } },
      'properties.id is a part of the urn',
    ],
    [
      'a property name with spaces',
      { properties: { 'a b': { type: 'STRING' } } },
      'properties "a b" must be a small letter',
    ],
    [
      'a property that the store keeps',
      { properties: { createdAt: { type: 'STRING' } } },
      'properties.createdAt createdAt is what every entity has',
    ],
    [
      'a type that is none',
      { properties: { a: { type: 'TEXT' as never } } },
      'properties.a must be of one of the types',
    ],
    [
      'a link that is no relationship type',
      { links: [{ kind: 'blocks', to: ['*'] }] },
      'links "blocks" must be capitals',
    ],
    ['a link of Nucleus', { links: [{ kind: 'FEEDS', to: ['*'] }] }, 'links.FEEDS FEEDS has a meaning of its own'],
    [
      'a link of every kind with another meaning',
      { links: [{ kind: 'TAGGED', to: ['Owner'] }] },
      'links.TAGGED means the same for every kind',
    ],
    ['a link to nothing', { links: [{ kind: 'ABOUT', to: [] }] }, 'links.ABOUT.to must name one kind'],
    ['a link to no kind', { links: [{ kind: 'ABOUT', to: ['Nope'] }] }, 'links.ABOUT.to names no kind: "Nope"'],
    [
      'a link twice',
      {
        links: [
          { kind: 'ABOUT', to: ['*'] },
          { kind: 'ABOUT', to: ['*'] },
        ],
      },
      'links.ABOUT is given twice',
    ],
    ['half a character in its description', { description: 'a\ud83d' }, 'description holds half of a surrogate pair'],
    [
      'half a character in the description of a property',
      { properties: { a: { type: 'STRING', description: '\ude00' } } },
      'properties.a has a description that holds half of a surrogate pair',
    ],
    [
      'half a character in the description of a link',
      { links: [{ kind: 'ABOUT', to: ['*'], description: '\ude00' }] },
      'links.ABOUT has a description that holds half of a surrogate pair',
    ],
    [
      'half a character in the description of a property of a link',
      { links: [{ kind: 'ABOUT', to: ['*'], properties: { a: { type: 'STRING', description: '\ude00' } } }] },
      'links.ABOUT.properties.a has a description that holds half of a surrogate pair',
    ],
    [
      'too many properties',
      { properties: many(KIND_LIMITS.properties + 1) },
      'properties would be 201, where 200 are allowed',
    ],
  ])('is refused for %s', (_, given, problem) => {
    expect(problemsOf(given)).toEqual([expect.stringContaining(problem)]);
  });

  it('is told everything that is wrong with it at once', () => {
    expect(problemsOf({ name: 'x', urnKind: 'X', keyParts: [] })).toHaveLength(3);
  });
});

describe('a kind that is defined again', () => {
  it('keeps what is left out and gains what is new', () => {
    const given = {
      ...ISSUE,
      description: 'A bug or a story.',
      properties: { labels: { type: 'STRING_LIST' as const } },
      links: [
        { kind: 'BLOCKS', to: ['Dataset'], properties: { why: { type: 'STRING' as const } } },
        { kind: 'ABOUT', to: ['*'] },
      ],
    };
    const { kind, problems } = growKind(given, ISSUE, catalog);
    expect(problems).toEqual([]);
    expect(kind).toMatchObject({
      description: 'A bug or a story.',
      properties: { ...ISSUE.properties, labels: { type: 'STRING_LIST' } },
      links: [
        {
          kind: 'BLOCKS',
          to: ['JiraIssue', 'Dataset'],
          properties: { since: { type: 'DATE_TIME' }, why: { type: 'STRING' } },
        },
        { kind: 'ABOUT', to: ['*'] },
      ],
    });
  });

  it.each<[string, Partial<DefinedKind>, string]>([
    ['other urns', { urnKind: 'issue' }, 'urnKind is jira-issue already'],
    ['other parts', { keyParts: ['number', 'project'] }, 'keyParts are project, number already'],
    ['another type', { properties: { points: { type: 'FLOAT' } } }, 'properties.points is of type INTEGER already'],
    [
      'a new duty',
      { properties: { points: { type: 'INTEGER', required: true } } },
      'properties.points cannot be required now',
    ],
    ['one duty less', { properties: { summary: { type: 'STRING' } } }, 'properties.summary is required already'],
    [
      'another type in a link',
      { links: [{ kind: 'BLOCKS', to: ['JiraIssue'], properties: { since: { type: 'STRING' } } }] },
      'links.BLOCKS.properties.since is of type DATE_TIME already',
    ],
  ])('is refused for %s', (_, given, problem) => {
    expect(problemsOf(given, ISSUE)).toEqual([expect.stringContaining(problem)]);
  });
});

function many(count: number): DefinedKind['properties'] {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, { type: 'STRING' as const }]));
}
