import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  browserLink,
  cypherFile,
  ENTITY_LABELS,
  graphStyle,
  guideAsciidoc,
  guideHtml,
  guideLink,
  LABEL_STYLES,
  SAVED_QUERIES,
} from '#graph-schema';

const page = readFileSync(new URL('../../docs/neo4j-browser.md', import.meta.url), 'utf8');

const BASE = 'http://localhost:4000/browser';

/** What Neo4j Browser takes out of a guide, whatever it means: attributes that would run a script. */
const TAKEN_OUT = /\s+on[^\s=]+[^\s=]*\s*=\s*("[^"]*"|'[^']*'|[\w\-.:]+\s*)/i;

describe('the style of Neo4j Browser', () => {
  it('has a colour of its own for every label', () => {
    expect(Object.keys(LABEL_STYLES).sort()).toEqual(Object.keys(ENTITY_LABELS).sort());
    const colours = Object.values(LABEL_STYLES).map(({ color }) => color);
    expect(new Set(colours).size).toBe(colours.length);
    for (const colour of colours) expect(colour).toMatch(/^#[0-9a-f]{6}$/);
  });

  it('puts the more specific of two labels behind the other, whose rule it overrides', () => {
    const style = graphStyle();
    const place = (label: string) => style.indexOf(`node.${label} {`);
    const [entity, ...others] = ['Entity', 'Job', 'IngestionUnit', 'Run', 'IngestionRun'].map(place);
    expect(entity).toBeGreaterThan(0);
    for (const other of others) expect(other).toBeGreaterThan(entity ?? 0);
    expect(place('IngestionUnit')).toBeGreaterThan(place('Job'));
    expect(place('IngestionRun')).toBeGreaterThan(place('Run'));
  });
});

describe('docs/neo4j-browser.md', () => {
  it('has the colour and the caption of every label', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| `(#\w+)` \| `(\w+)` \|$/gm)].map(([, ...row]) => row);
    expect(rows).toEqual(Object.entries(LABEL_STYLES).map(([label, { color, caption }]) => [label, color, caption]));
  });

  it('has every saved query with its parameters', () => {
    const rows = [...page.matchAll(/^\| ((?:`[a-z-]+`(?:, )?)+) \| ((?:`\w+`(?:, )?)*) ?\| [^|]+ \|$/gm)];
    const told = rows.flatMap(([, ids = '', parameters = '']) =>
      ids.split(', ').map((id) => [id.replaceAll('`', ''), parameters.replaceAll('`', '').split(', ').filter(Boolean)]),
    );
    expect(Object.fromEntries(told)).toEqual(
      Object.fromEntries(SAVED_QUERIES.map(({ id, parameters }) => [id, parameters])),
    );
  });
});

describe('the guide of Neo4j Browser', () => {
  it.each([
    ['HTML', guideHtml(BASE)],
    ['AsciiDoc', guideAsciidoc(BASE)],
  ])('offers every saved query as %s', (_, guide) => {
    const plain = guide
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&');
    for (const { title, cypher } of SAVED_QUERIES) {
      expect(plain).toContain(title);
      expect(plain).toContain(cypher);
    }
    expect(plain).toContain(`:style ${BASE}/style.grass`);
  });

  it('loses nothing in Neo4j Browser', () => {
    expect(guideHtml(BASE)).not.toMatch(TAKEN_OUT);
  });

  it('holds no markup that comes from the address', () => {
    expect(guideHtml('http://<b>/browser')).not.toContain('<b>');
  });
});

describe('saved queries', () => {
  it('have ids that can be names of files, each once', () => {
    const ids = SAVED_QUERIES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z-]+$/);
  });

  it.each(SAVED_QUERIES)('$id begins with its title, which Neo4j Browser shows, and is one statement', (query) => {
    const file = cypherFile(query);
    expect(file.split('\n')[0]).toBe(`// ${query.title}`);
    expect(file.match(/;/g)).toHaveLength(1);
  });
});

describe('links into Neo4j Browser', () => {
  /** How Neo4j Browser reads its own address: decoded as a whole, then up to the next ampersand or hash. */
  const argumentOf = (link: string) => /[?&]arg=([^&#]*)/.exec(decodeURIComponent(link.replaceAll('+', ' ')))?.[1];

  it('arrive as they were, percent signs of urns included', () => {
    const query = "MATCH (n {urn: 'nucleus:dataset:s3%3A%2F%2Flake:a%26b%23c+d'}) RETURN n";
    const link = browserLink('http://127.0.0.1:7474/browser/', query.replaceAll('+', '%2B'));
    expect(argumentOf(link)).toBe(query.replaceAll('+', '%2B'));
  });

  it('name a guide on loopback by the one name that the Browser always allows', () => {
    const link = guideLink('http://127.0.0.1:7474/browser/', 'http://127.0.0.1:4000', 'bolt://neo4j@127.0.0.1:7687');
    expect(argumentOf(link)).toBe('http://localhost:4000/browser/guide.html');
    expect(new URL(link).searchParams.get('dbms')).toBe('bolt://neo4j@127.0.0.1:7687');
    expect(argumentOf(guideLink('http://db/browser/', 'https://nucleus.example'))).toBe(
      'https://nucleus.example/browser/guide.html',
    );
  });
});
