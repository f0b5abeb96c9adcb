import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { datasetUrn, guideLink, LABEL_STYLES, SAVED_QUERIES } from '#graph-schema';
import { type ChromiumPage, openChromium } from '../support/chromium.js';
import { type IntakeApp, openIntakeApp } from '../support/intake-app.js';
import { Neo4jBrowser, neo4jBrowserUrl } from '../support/neo4j-browser.js';
import { uniquePrefix } from '../support/unique.js';

const SHOP = uniquePrefix('shop');
const RAW = datasetUrn(SHOP, 'raw orders');

/** Pages of the guide. */
const PAGES = { first: 1, walks: 3, asOf: 4 };

let opened: IntakeApp;
let chromium: ChromiumPage;
let browser: Neo4jBrowser;
let browserUrl: string;
beforeAll(async () => {
  [opened, chromium] = await Promise.all([openIntakeApp(), openChromium()]);
  browser = new Neo4jBrowser(chromium.page);
  browserUrl = await neo4jBrowserUrl(opened.graph);
  await opened.tell(story());
});
afterAll(async () => {
  await chromium[Symbol.asyncDispose]();
  await opened[Symbol.asyncDispose]();
});

/** A shop whose report went to one place until March, and to another since. */
function story() {
  const dataset = (name: string) => ({ namespace: SHOP, name });
  const columns = (...names: string[]) => ({ schema: { fields: names.map((name) => ({ name, type: 'int' })) } });
  const run = (month: string, job: string, inputs: readonly object[], outputs: readonly object[]) => ({
    ...{ eventType: 'COMPLETE', eventTime: `2026-${month}-01T00:00:00Z`, run: { runId: `${SHOP}-${job}-${month}` } },
    ...{ job: { namespace: SHOP, name: job }, inputs, outputs },
  });
  const revenue = { ...dataset('revenue'), facets: columns('day', 'total') };
  return [
    run('01', 'load', [dataset('raw orders')], [dataset('orders')]),
    run('01', 'sum up', [dataset('orders'), dataset('customers')], [revenue]),
    run('01', 'report', [dataset('revenue')], [dataset('old report')]),
    run('03', 'report', [dataset('revenue')], [dataset('new report')]),
  ];
}

/** Captions of the nodes that a frame draws, cut as Neo4j Browser cuts them. */
async function captionsOf(frame: Locator, nodes: number): Promise<string[]> {
  await frame
    .locator('g.node')
    .nth(nodes - 1)
    .waitFor();
  const drawn = await frame.locator('g.node').evaluateAll((all) =>
    all.map((node) =>
      [...node.querySelectorAll('text.caption')]
        .map((line) => (line.textContent ?? '').trim())
        .join(' ')
        .trim(),
    ),
  );
  return drawn.sort();
}

it('plays the guide, colours the graph, and answers as the lineage of the API does', async () => {
  await browser.open(guideLink(browserUrl, opened.app.url));
  await browser.turnTo(PAGES.first);
  await chromium.picture('neo4j-browser-guide');

  const style = await browser.runFromGuide(':style');
  await style.getByText('node.DatasetVersion').first().waitFor();

  await browser.turnTo(PAGES.asOf);
  const config = await browser.runFromGuide(':config');
  await config.getByText('"autoComplete": false').first().waitFor();

  await browser.setParameter('urn', RAW);
  await browser.turnTo(PAGES.walks);
  const now = await browser.runFromGuide('(start:Entity {urn: $urn})-[');
  expect(await captionsOf(now, 7)).toEqual([
    'load',
    'new report',
    'orders',
    'raw orders',
    'report',
    'revenue',
    'sum up',
  ]);
  await now.getByText('Displaying 7 nodes, 6 relationships.').waitFor();
  await chromium.picture('neo4j-browser-downstream');
  const coloured = now.getByTestId('property-details-overview-node-label-Dataset');
  expect(await coloured.evaluate((chip) => getComputedStyle(chip).backgroundColor)).toBe(
    rgb(LABEL_STYLES.Dataset.color),
  );

  await browser.setParameter('at', '2026-02-01');
  await browser.turnTo(PAGES.asOf);
  const then = await browser.runFromGuide('(start:Entity {urn: $urn})-[');
  expect(await captionsOf(then, 7)).toEqual([
    'load',
    'old report',
    'orders',
    'raw orders',
    'report',
    'revenue',
    'sum up',
  ]);
  await then.getByText('Displaying 7 nodes, 6 relationships.').waitFor();
});

it('opens a browserUrl at its node', async () => {
  const { data } = await opened.app.graphql('query ($urn: ID!) { lineage(urn: $urn) { browserUrl } }', {
    urn: datasetUrn(SHOP, 'revenue'),
  });
  // The server of this test names the usual address of Neo4j Browser, which is not where that of the test run is.
  await browser.open(data.lineage.browserUrl.replace('http://127.0.0.1:7474/browser/', browserUrl));
  await expect.poll(() => browser.editorText()).toContain(datasetUrn(SHOP, 'revenue'));
  const frame = await browser.runEditor();
  expect(await captionsOf(frame, 8)).toEqual(expect.arrayContaining(['revenue', 'day', 'total', 'sum up', 'report']));
  await chromium.picture('neo4j-browser-entity');
});

it('takes the saved queries as favourites', async () => {
  const archive = await fetch(`${opened.app.url}/browser/queries.zip`);
  await browser.drop('queries.zip', Buffer.from(await archive.arrayBuffer()));
  const titles = await browser.favourites('Nucleus', SAVED_QUERIES.length);
  expect(titles.sort()).toEqual(SAVED_QUERIES.map(({ title }) => title).sort());
});

/** @param color as `#rrggbb` */
function rgb(color: string): string {
  const parts = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  return `rgb(${parts.join(', ')})`;
}
