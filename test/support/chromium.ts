import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { findChromium } from '../../scripts/test-run/chromium.js';

/** Longest wait for anything that the page is to show. */
const SHOWN_WITHIN_MS = 90_000;

/** A page in a headless Chromium of its own, which ends with it. */
export interface ChromiumPage extends AsyncDisposable {
  readonly page: Page;
  /** Saves what the page shows, where the environment asks for pictures. */
  picture(name: string): Promise<void>;
}

/** @throws Error when no Chromium is installed: who asks for these tests wants them run */
export async function openChromium(env: NodeJS.ProcessEnv = process.env): Promise<ChromiumPage> {
  const executablePath = findChromium(env);
  if (executablePath === undefined) throw new Error('no Chromium found: install one, or set CHROMIUM_PATH');
  // The sandbox of Chromium does not work for root.
  const isRoot = process.getuid?.() === 0;
  const browser = await chromium.launch({ executablePath, chromiumSandbox: !isRoot, timeout: SHOWN_WITHIN_MS });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
  context.setDefaultTimeout(SHOWN_WITHIN_MS);
  const page = await context.newPage();
  return {
    page,
    picture: async (name) => {
      if (env.PICTURES_DIR) await page.screenshot({ path: join(env.PICTURES_DIR, `${name}.png`) });
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
