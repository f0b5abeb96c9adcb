import type { Locator, Page } from 'playwright-core';
import { testEnvironment } from './environment.js';
import type { TestGraph } from './graph.js';

/** Address of the Neo4j Browser that the Neo4j of the test run serves, with a slash at the end. */
export async function neo4jBrowserUrl(graph: TestGraph): Promise<string> {
  const [setting] = await graph.query(
    "SHOW SETTINGS YIELD name, value WHERE name = 'server.http.advertised_address' RETURN value",
  );
  return `http://${setting?.value}/browser/`;
}

/** Neo4j Browser 5 as a person uses it. */
export class Neo4jBrowser {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Opens an address in Neo4j Browser and signs in, where it asks for that. */
  async open(url: string): Promise<void> {
    await this.#page.goto(url);
    const password = this.#page.getByTestId('password');
    await password.or(this.#page.getByTestId('editor-Run')).first().waitFor();
    if (!(await password.isVisible())) return;
    const { NEO4J_USER, NEO4J_PASSWORD } = testEnvironment();
    await this.#page.getByTestId('username').fill(NEO4J_USER);
    await password.fill(NEO4J_PASSWORD);
    await this.#page.getByTestId('connect').click();
    await this.#page.getByText('You are connected').first().waitFor();
  }

  /** What stands in the editor, with ordinary blanks. */
  async editorText(): Promise<string> {
    const lines = await this.#page.getByTestId('activeEditor').locator('.view-line').allInnerTexts();
    return lines.join('\n').replace(/\u00a0/g, ' ');
  }

  /** Runs a text as if it was pasted. */
  async run(text: string): Promise<Locator> {
    await this.#page.getByTestId('activeEditor').locator('.monaco-editor').first().click();
    await this.#page.keyboard.press('ControlOrMeta+a');
    await this.#page.keyboard.insertText(text);
    await this.#page.getByTestId('activeEditor').filter({ hasText: text }).waitFor();
    return this.runEditor();
  }

  /** Sets a parameter, which queries have only once Neo4j has evaluated its value. */
  async setParameter(name: string, value: string): Promise<void> {
    const frame = await this.run(`:param ${name} => '${value}'`);
    await frame.getByText('Successfully set your parameters').waitFor();
  }

  /** Runs what the editor holds. @returns the frame of the answer, which comes above the others */
  async runEditor(): Promise<Locator> {
    const frames = this.#page.getByTestId('frame');
    const before = await frames.count();
    await this.#page.getByTestId('editor-Run').click();
    await frames.nth(before).waitFor();
    return frames.first();
  }

  /** The frame of the guide that is played. */
  guide(): Locator {
    return this.#page
      .getByTestId('frame')
      .filter({ has: this.#page.getByTestId('carousel') })
      .first();
  }

  /** Turns to a page of the guide, from 1. */
  async turnTo(page: number): Promise<void> {
    const counter = this.guide()
      .getByText(/^\d+ \/ \d+$/)
      .first();
    await counter.waitFor();
    let at = Number.parseInt((await counter.textContent()) ?? '', 10);
    while (at !== page) {
      const step = at < page ? 1 : -1;
      await this.guide()
        .getByTestId(step > 0 ? 'nextSlide' : 'previousSlide')
        .first()
        .click();
      at += step;
      await this.guide()
        .getByText(new RegExp(`^${at} / `))
        .first()
        .waitFor();
    }
  }

  /** Drops a file onto the page, as from a file manager. */
  async drop(name: string, content: Buffer): Promise<void> {
    const transfer = await this.#page.evaluateHandle(
      ({ name, bytes }) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], name));
        return data;
      },
      { name, bytes: [...content] },
    );
    await this.#page.getByTestId('main').dispatchEvent('drop', { dataTransfer: transfer });
  }

  /** Titles of the favourites in a folder, once it has that many. */
  async favourites(folder: string, count: number): Promise<string[]> {
    await this.#page.getByTestId('navigationFavorites').click();
    await this.#page.getByTestId(`expandFolder-${folder}`).click();
    const items = this.#page.getByTestId('savedScriptListItem');
    await items.nth(count - 1).waitFor();
    // The button beside each is in the text, too.
    return (await items.allTextContents()).map((text) => text.split('\n')[0] ?? '');
  }

  /** Clicks a text of the guide into the editor, and runs it there. */
  async runFromGuide(text: string): Promise<Locator> {
    await this.guide().locator('pre.runnable', { hasText: text }).first().click();
    // The text comes into the editor a little later; whoever runs it before runs what stood there.
    await this.#page.getByTestId('activeEditor').filter({ hasText: text }).waitFor();
    return this.runEditor();
  }
}
