import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { REPOSITORY_ROOT } from '#stack';
import { ChangeSubscriber } from '../support/change-subscriber.js';
import { openSharedGraph } from '../support/graph.js';
import { openHttpApp } from '../support/http-app.js';
import { writeStory } from '../support/lineage-story.js';
import { writeRunStory } from '../support/run-lineage-story.js';
import { openOwnNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const page = readFileSync(`${REPOSITORY_ROOT}/docs/lineage.md`, 'utf8');

it('docs/lineage.md has examples that run, and find something', async () => {
  await using graph = await openSharedGraph();
  await using temporal = await openOwnNamespace('lineage-docs');
  await using app = await openHttpApp(graph, { temporal: temporal.client });
  const namespace = uniquePrefix('lineage-docs');
  await writeStory(graph, namespace);
  await writeRunStory(graph, `${namespace}-runs`);
  const here = (text: string) =>
    text.replaceAll('s3%3A%2F%2Flake', text.includes('runLineage') ? `${namespace}-runs` : namespace);

  const queries = [...page.matchAll(/```graphql\n(.*?)```/gs)].map(([, query = '']) => here(query));
  const answers = [];
  const subscriptions = queries.filter((query) => query.startsWith('subscription'));
  expect(subscriptions).toHaveLength(1);
  for (const subscription of subscriptions) {
    const query = subscription.replace('lineageChanges(', 'graphChanges: lineageChanges(');
    await using subscriber = new ChangeSubscriber(app.socketUrl, {}, query);
    await subscriber.until(() => subscriber.events.some(({ kind }) => kind === 'SUBSCRIBED'));
  }
  for (const query of queries.filter((one) => !subscriptions.includes(one))) {
    const { data, errors } = await app.graphql(query);
    expect(errors, query).toBeUndefined();
    answers.push(JSON.stringify(data));
  }
  expect(answers).toEqual([
    expect.stringContaining('"depth":2'),
    expect.stringContaining('"hasNextPage":false'),
    expect.stringContaining('"kind":"PRODUCES"'),
    expect.stringContaining(`"to":"${namespace}-mail","jobs":1`),
    expect.stringMatching(/"added":.*inbox.*"removed":.*legacy/),
    expect.stringMatching(/"version":\{"dataset":.*:raw".*"facets":/),
  ]);

  const [, path = ''] = /'http:\/\/127\.0\.0\.1:4000(\S+)'/.exec(page) ?? [];
  const { status, text } = await app.call('GET', path.replace('s3%253A%252F%252Flake', namespace));
  expect(status).toBe(200);
  const [columns] = text.split('\r\n');
  expect(text).toContain(`nucleus:dataset:${namespace}:report,Dataset,`);
  expect(page).toContain(`\`${columns}\``);
});
