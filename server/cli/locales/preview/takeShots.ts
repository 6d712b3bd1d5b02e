import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LocaleProblem } from '../localeProblem.ts';
import { startPreview } from './previewServer.ts';
import { SCENES } from './scenes.ts';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
/** Widths of a window and of a phone, CSS pixels. */
const WIDTHS = [1000, 360];
/** Each works through the scenes beside the others. */
const PAGES = 3;

/** A picture of every surface in every state, in both widths; answers their paths. `CHROMIUM` names a browser elsewhere. */
export async function takeShots(tag: string, into: string, folder: string | null): Promise<readonly string[]> {
  const { chromium } = await import('playwright-core').catch(() => { throw new LocaleProblem('pictures need the development packages: npm ci'); });
  const preview = await startPreview({ folder });
  try {
    const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: FLAGS })
      .catch((error: unknown) => { throw new LocaleProblem(`no browser could be started (CHROMIUM names another): ${(error as Error).message.split('\n')[0] ?? ''}`); });
    const paths: string[] = [];
    mkdirSync(into, { recursive: true });
    const left = WIDTHS.flatMap((width) => SCENES.map((scene) => ({ width, scene })));
    await Promise.all(Array.from({ length: PAGES }, async () => {
      const page = await browser.newPage({ locale: 'en-US' });
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const { width, scene: { name, suffix } } = next;
        await page.setViewportSize({ width, height: 800 });
        // A change of the hash alone would not load the page.
        await page.goto('about:blank');
        await page.goto(`${preview.url}/${tag}/${name}${suffix}`);
        await page.waitForSelector('html[data-scene]', { state: 'attached', timeout: 60_000 });
        const path = join(into, `${tag}.${name}.${String(width)}.png`);
        await page.screenshot({ path, fullPage: true });
        paths.push(path);
      }
    }));
    await browser.close();
    return paths.sort();
  } finally {
    await preview.stop();
  }
}
