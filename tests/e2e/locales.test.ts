import { readFileSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { localeSources } from '../../server/cli/locales/localeSources.ts';
import { startPreview, type Preview } from '../../server/cli/locales/preview/previewServer.ts';
import { type Scene, SCENES } from '../../server/cli/locales/preview/scenes.ts';
import { splitPlural } from '../../module/texts/pluralKeys.ts';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const PHONE = 360;
const WINDOW = 1000;
/** Each works through the scenes beside the others. */
const PAGES = 3;

let browser: Browser;
let preview: Preview;
beforeAll(async () => {
  preview = await startPreview();
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
}, 120_000);
afterAll(async () => {
  await browser.close();
  await preview.stop();
});

interface Seen {
  readonly direction: string;
  /** Texts that do not fit where they stand. */
  readonly misfits: readonly string[];
  /** What can be read or is read out, without what stands in another language. */
  readonly texts: readonly string[];
  /** True where things stand in the order of the direction: the buttons in a field after its text, the way out at the end. */
  readonly ordered: boolean;
}

/** Runs in the page. */
function look(): Seen {
  const misfits: string[] = [];
  const texts: string[] = [];
  let ordered = true;
  const rightToLeft = document.documentElement.dir === 'rtl';
  const inOrder = (first: Element | null, second: Element | null): void => {
    if (first === null || second === null) return;
    const [a, b] = [first.getBoundingClientRect(), second.getBoundingClientRect()];
    // On one line.
    if (a.width > 0 && b.width > 0 && a.bottom > b.top && b.bottom > a.top && (rightToLeft ? a.left < b.left : a.left > b.left)) ordered = false;
  };
  const visit = (element: Element): void => {
    const style = getComputedStyle(element);
    if (style.display === 'none' || style.visibility === 'hidden' || /^(SCRIPT|STYLE)$/.test(element.tagName)) return;
    // A closed list of suggestions, and words for screen readers alone.
    const unseen = element.closest('.unseen, .hidden') !== null || (style.clipPath !== 'none' && element.clientWidth <= 1);
    const foreign = element.closest('[lang]')?.getAttribute('lang') !== document.documentElement.lang && element.tagName === 'OPTION';
    for (const name of ['aria-label', 'title', 'placeholder']) {
      const value = element.getAttribute(name)?.trim() ?? '';
      if (value !== '') texts.push(value);
    }
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && (node.textContent ?? '').trim() !== '');
    if (own.length > 0 && !foreign) {
      // An address that may be broken before its domain is one text.
      const parts = own.map((node) => ({ text: (node.textContent ?? '').trim(), goesOn: node.previousSibling?.nodeName === 'WBR' }));
      texts.push(...parts.reduce<string[]>((all, { text, goesOn }) => (goesOn && all.length > 0 ? [...all.slice(0, -1), (all.at(-1) ?? '') + text] : [...all, text]), []));
      const said = `<${element.tagName.toLowerCase()} class="${element.className}"> ${(element.textContent ?? '').slice(0, 60)}`;
      if (!unseen && element.tagName !== 'OPTION') {
        for (const node of own) {
          const range = document.createRange();
          range.selectNodeContents(node);
          for (const box of range.getClientRects()) if (box.left < -1 || box.right > innerWidth + 1) misfits.push(`outside the window: ${said}`);
        }
        if (style.display !== 'inline' && element.scrollWidth > element.clientWidth + 1) misfits.push(`${String(element.scrollWidth)} in ${String(element.clientWidth)}: ${said}`);
        if ((element.tagName === 'BUTTON' || style.overflowY === 'hidden') && element.scrollHeight > element.clientHeight + 2) misfits.push(`cut off below: ${said}`);
      }
    }
    if (element.classList.contains('box')) inOrder(element.querySelector('input'), element.querySelector('button'));
    if (element.classList.contains('bar')) inOrder(element.querySelector('h1'), element.querySelector('.out'));
    if (element.classList.contains('check')) inOrder(element.querySelector('input'), element.querySelector('span'));
    if (element.classList.contains('strength')) inOrder(element.firstElementChild, element.lastElementChild);
    for (const child of [...element.children, ...(element.shadowRoot?.children ?? [])]) visit(child);
  };
  visit(document.body);
  if (document.documentElement.scrollWidth > innerWidth + 1) misfits.push(`the page is ${String(document.documentElement.scrollWidth)} wide`);
  return { direction: getComputedStyle(document.body).direction, misfits, texts, ordered };
}

/** Looks at every scene in one language; answers what was seen, by scene. */
async function tour(tag: string, width: number): Promise<ReadonlyMap<Scene, Seen>> {
  const seen = new Map<Scene, Seen>();
  const left = [...SCENES];
  await Promise.all(Array.from({ length: PAGES }, async () => {
    const page = await browser.newPage({ viewport: { width, height: 800 }, locale: 'en-US' });
    for (let scene = left.shift(); scene !== undefined; scene = left.shift()) {
      await page.goto('about:blank');
      await page.goto(`${preview.url}/${tag}/${scene.name}${scene.suffix}`);
      await page.waitForSelector('html[data-scene]', { state: 'attached', timeout: 120_000 });
      const state = await page.getAttribute('html', 'data-scene');
      if (state !== 'ready') throw new Error(`${tag} ${scene.name}: ${await page.title()}`);
      seen.set(scene, await page.evaluate(look));
    }
    await page.close();
  }));
  return seen;
}

test('the look sees what runs over, what is cut off and what stands the wrong way round', async () => {
  const page = await browser.newPage({ viewport: { width: PHONE, height: 400 } });
  await page.setContent(`<!doctype html><html lang="en" dir="rtl"><body>
    <button style="width:60px;overflow:hidden;white-space:nowrap">A very long button</button><button style="width:90px;height:20px">Two lines of a button</button>
    <p style="white-space:nowrap">${'far too wide '.repeat(9)}</p>
    <div class="box" dir="ltr" style="display:flex"><input style="width:80px"><button>x</button></div><span class="unseen" style="position:absolute;width:1px;overflow:hidden">Only read out</span></body></html>`);
  const { misfits, texts, ordered } = await page.evaluate(look);
  await page.close();
  expect(misfits.filter((misfit) => misfit.includes('A very long button'))).toHaveLength(1);
  expect(misfits).toContainEqual(expect.stringMatching(/^cut off below: .*Two lines/));
  expect(misfits).toContainEqual(expect.stringMatching(/^outside the window: .*far too wide/));
  expect(misfits).toContainEqual(expect.stringMatching(/^the page is/));
  expect(misfits.join('\n')).not.toContain('Only read out');
  expect(texts).toContain('Only read out');
  expect(ordered).toBe(false);
});

const problems = (seen: ReadonlyMap<Scene, Seen>, of: (what: Seen) => readonly string[]): readonly string[] =>
  [...seen].flatMap(([{ name }, what]) => of(what).map((problem) => `${name}: ${problem}`));

/** What is not text of ours: addresses, numbers, dates, names of products and people, codes of errors; "and" in a list, how long ago and the order of a date are Intl's. */
const DATA = /^month\/day\/year$|\b(?:now|yesterday|(?:in )?\d+ (?:second|minute|hour|day)s?(?: ago)?)\b|Mozilla\/5\.0 \(.*?\) Gecko\/\d+ Firefox\/[\d.]+|^(?:en-XA|ar-XB)$|\bFORBIDDEN\b|\band\b|[\w.]+@[\w.]+|\b[\w-]+\.(?:mail\.)?example\.(?:com|net)|mail\.example\.com|example\.net|[0-9a-f]*:[0-9a-f:]+|\b[0-9a-f]{4,}-[0-9a-f-]+|Firefox, Linux|Firefox \(Windows\)|iPhone|Alice(?: Longlastname)?|\bBob\b|\bAda\b|\badmin\b|Example Mail|\bnothing\b|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w*|\b[AP]M\b|\bUTC\b|\bat\b/g;

describe.each([['en-XA', PHONE], ['en-XA', WINDOW], ['ar-XB', PHONE]] as const)('pseudo language %s, %i wide', (tag, width) => {
  let seen: ReadonlyMap<Scene, Seen>;
  beforeAll(async () => { seen = await tour(tag, width); }, 1_200_000);

  test('nothing runs over, no button is cut off, although all is 40 % longer', () => {
    expect(problems(seen, ({ misfits }) => misfits)).toEqual([]);
  });

  test('nothing stands there that is not from a language file', () => {
    expect(problems(seen, ({ texts }) => texts.filter((text) => /[A-Za-z]{2,}/.test(text.replaceAll(DATA, ''))))).toEqual([]);
  });

  test('no text is glued from parts or cut', () => {
    const count = (text: string, sign: string) => text.split(sign).length;
    if (tag === 'en-XA') expect(problems(seen, ({ texts }) => texts.filter((text) => count(text, '⟦') !== count(text, '⟧')))).toEqual([]);
  });

  test('the order is that of the language', () => {
    const direction = tag === 'ar-XB' ? 'rtl' : 'ltr';
    expect(problems(seen, (what) => [...(what.direction === direction ? [] : [what.direction]), ...(what.ordered ? [] : ['the wrong way round'])])).toEqual([]);
  });
});

describe.each(['ar', 'de', 'ja'])('%s', (tag) => {
  const sources = localeSources();
  let english = new Set<string>();
  let seen: ReadonlyMap<Scene, Seen>;
  beforeAll(async () => {
    const own = JSON.parse(readFileSync(`locales/${tag}.json`, 'utf8')) as Record<string, string>;
    const same = new Set(sources.glossary(tag)?.same ?? []);
    // English texts that mean English was left there.
    english = new Set(Object.entries(sources.english).filter(([key, text]) => {
      const { base } = splitPlural(key, sources.english);
      return text !== own[key] && sources.notes[base]?.same !== true && !same.has(base) && /\p{Letter}/u.test(text);
    }).map(([, text]) => text));
    seen = await tour(tag, PHONE);
  }, 1_200_000);

  test('nothing runs over on a phone, no button is cut off', () => {
    expect(problems(seen, ({ misfits }) => misfits)).toEqual([]);
  });

  test('no English is left', () => {
    expect(problems(seen, ({ texts }) => texts.filter((text) => english.has(text)))).toEqual([]);
  });

  test('the order is that of the language', () => {
    expect(problems(seen, (what) => [...(what.direction === (tag === 'ar' ? 'rtl' : 'ltr') ? [] : [what.direction]), ...(what.ordered ? [] : ['the wrong way round'])])).toEqual([]);
  });
});
