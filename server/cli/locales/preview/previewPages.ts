import { requiredKeys, sourceText, splitPlural } from '../../../../module/texts/pluralKeys.ts';
import { directionOf } from '../../../../module/texts/translator.ts';
import { composeNotice } from '../../../notices/composeNotice.ts';
import { loadTemplates } from '../../../notices/loadTemplates.ts';
import type { TextLibrary } from '../../../texts/textLibrary.ts';
import type { LocaleSources } from '../localeSources.ts';
import { NOTICE_AT, NOTICE_FACTS } from './sampleAnswers.ts';
import { type Scene, SCENES } from './scenes.ts';

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const page = (tag: string, title: string, head: string, body: string): string =>
  `<!doctype html><html lang="${tag}" dir="${directionOf(tag)}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escape(title)}</title><link rel="icon" href="data:,">${head}</head><body>${body}</body></html>`;

/**
 * Reloads what is looked at when a file is saved, and says above it where a file cannot be read (what is shown is then the last
 * state that could). A page inside the overview is reloaded by that.
 */
export const RELOAD = `let stamp; let bar; const tag = location.pathname.split('/')[1];
const look = async () => {
  const now = await (await fetch('/stamp/' + tag)).json();
  if (stamp !== undefined && stamp !== now.stamp) { location.reload(); return; }
  stamp = now.stamp;
  if (now.problem && !bar) {
    bar = Object.assign(document.createElement('p'), { id: 'locale-problem', lang: 'en', dir: 'ltr', textContent: now.problem });
    bar.setAttribute('role', 'alert');
    bar.style.cssText = 'position:sticky;top:0;z-index:9;margin:0;padding:12px 16px;background:#b00020;color:#fff;font:15px/1.5 Arial,sans-serif;white-space:pre-wrap';
    document.body.prepend(bar);
  }
};
if (top === window && !location.search.includes('still')) { look().catch(() => {}); setInterval(() => look().catch(() => {}), 500); }`;

/** Where nothing can be shown, what to do; mends itself with the next good save. */
export const problemPage = (tag: string, problem: string): string => page('en', `Preview: ${tag}`, '<script type="module" src="/reload.js"></script>', `<main><h1>Nothing to show</h1><p>${escape(problem)}</p></main>`);

/** Does the steps of a scene, then marks the page. */
export const STEPS = `
const find = (selector, root = document) => root.querySelector(selector) ?? [...root.querySelectorAll('*')].map((each) => each.shadowRoot && find(selector, each.shadowRoot)).find(Boolean);
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
const there = async (selector, enabled) => { for (let n = 0; n < 600; n += 1) { const found = find(selector); if (found && !(enabled && found.disabled)) return found; await pause(50); } throw new Error('never there: ' + selector); };
const run = { wait: () => {}, click: (element) => element.click(), type: (element, text) => {
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(element, text);
  element.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
}, capsLock: (element) => { element.focus(); element.dispatchEvent(new KeyboardEvent('keydown', { key: 'A', modifierCapsLock: true, bubbles: true, composed: true })); } };
try {
  for (const [what, selector, text] of JSON.parse(document.documentElement.dataset.steps)) { run[what](await there(selector, what !== 'wait'), text); await pause(60); }
  await document.fonts.ready;
  await pause(350);
  document.documentElement.dataset.scene = 'ready';
} catch (error) { document.documentElement.dataset.scene = 'failed'; document.title = String(error); throw error; }`;

const SECTION = `const place = document.getElementById('place');
const { mount } = await import(place.dataset.base + '/assets/loader.js');
mount(place, { baseUrl: place.dataset.base, csrfToken: () => 'preview', locale: 'en', theme: 'auto', onSignedOut: () => {} });`;

/** One surface in one state. */
export function scenePage(tag: string, scene: Scene, library: TextLibrary, assets: Readonly<Record<string, string>>): string {
  const base = `/${tag}/${scene.name}`;
  const driver = '<script type="module" src="/steps.js"></script><script type="module" src="/reload.js"></script>';
  const asset = (name: string): string => `${base}/assets/${assets[name] ?? name}`;
  const shell = (kind: string): string => page(tag, scene.name, `<link rel="stylesheet" href="${asset('shell.css')}"><script type="module" src="${asset('shell.js')}"></script>${driver}`, `<div id="app" data-page="${kind}" data-base="${base}"></div>`);
  const steps = (html: string): string => html.replace('<html ', `<html data-steps="${escape(JSON.stringify(scene.steps))}" `);
  switch (scene.page) {
    case 'section':
      return steps(page(tag, scene.name, `<style>body{font:16px/1.5 Lato,Arial,sans-serif;margin:16px}@media (prefers-color-scheme:dark){body{background:#15161a}}</style>${driver}<script type="module">${SECTION}</script>`, `<div id="place" data-base="${base}"></div>`));
    case 'login': return steps(shell('login'));
    case 'webmail': return steps(shell('webmail'));
    case 'notice': return steps(noticeHtml(tag, scene, library).replace(/<head[^>]*>/, (head) => `${head}${driver}`));
    default:
      return steps(page(tag, scene.name, `<meta name="color-scheme" content="light dark"><script type="module" src="${asset(`${scene.page}.js`)}"></script>${driver}`, `<div id="app" data-base="${base}"${scene.readOnly ? ' data-read-only' : ''}></div>`));
  }
}

function noticeHtml(tag: string, { name }: Scene, library: TextLibrary): string {
  const kind = name.split('.')[1];
  const event = kind === 'set' || kind === 'logout' ? kind : 'change';
  const more = event === 'change' ? {} : { by: 'administrator' as const, name: event === 'set' ? 'Ada' : null, client: null };
  const recovery = kind === 'recovery' ? 'alice@elsewhere.example' : null;
  const style = { from: { name: 'Example Mail', address: 'mail@example.com' }, support: '+1 555 0100', timeZone: 'UTC', templateFor: loadTemplates(null), textsOf: (language: string) => library.texts(language) };
  return composeNotice({ id: 'preview', recipient: NOTICE_FACTS.address, happenedAt: NOTICE_AT, facts: { ...NOTICE_FACTS, ...more, event, recovery, language: tag, pending: kind === 'logout' ? ['activesync'] : [] } }, style).html;
}

/** Everything on one page: each scene in a frame, and all texts beside the English ones with their notes. */
export function overviewPage(tag: string, library: TextLibrary, sources: LocaleSources): string {
  const { english, notes } = sources;
  const own = library.texts(tag);
  const frames = SCENES.map(({ name, suffix }) => `<figure><figcaption><a href="/${tag}/${name}${suffix}">${name}</a></figcaption><iframe loading="lazy" title="${name}" src="/${tag}/${name}${suffix}"></iframe></figure>`).join('');
  const rows = requiredKeys(tag, english).map((key) => {
    const source = sourceText(key, english) ?? '';
    const text = own[key] ?? source;
    const note = notes[splitPlural(key, english).base];
    return `<tr${text === source && tag !== 'en' ? ' class="same"' : ''}><th>${key}</th><td dir="ltr" lang="en">${escape(source)}</td><td>${escape(text)}</td><td dir="ltr" lang="en">${escape(note?.where ?? '')}</td></tr>`;
  });
  const style = 'body{font:15px/1.5 Arial,sans-serif;margin:16px}main{display:flex;flex-wrap:wrap;gap:16px}figure{margin:0}iframe{inline-size:430px;block-size:620px;border:1px solid #999;border-radius:8px;resize:both}table{border-collapse:collapse;margin-block-start:24px}th,td{border:1px solid #ccc;padding:4px 8px;text-align:start;vertical-align:top}th{font:12px monospace}.same{background:#fff3c4}';
  return page(tag, `Preview: ${tag}`, `<style>${style}</style><script type="module" src="/reload.js"></script>`, `<main dir="ltr">${frames}</main><table><thead><tr><th>key</th><th>English</th><th>${tag}</th><th>where</th></tr></thead><tbody>${rows.join('')}</tbody></table>`);
}
